#include "net/probe.h"
#include "rec/rec.h"

static const char *const schedules[] = {"chirp", "lockin", "train", "poisson", "replay", NULL};
static const char *const protocols[] = {"auto", "udp", "icmp", "tcp", NULL};
static const char *const tunnels[] = {"none", "vxlan", NULL};
static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

#define AT(member) offsetof(struct sdw_probe_config, member)
static const struct sdw_option options[] = {
    {"schedule", 's', SDW_OPT_ENUM, AT(schedule), "SCHEDULE", "how to inject", "chirp", 0, 0,
     schedules, NULL},
    {"scope", 0, SDW_OPT_FLAG, AT(scope), NULL,
     "let the load die at each router in turn and measure end to end only: needs no ICMP answers",
     NULL, 0, 0, NULL, NULL},
    {"flow", 0, SDW_OPT_TEXT, AT(flow), "SRC:SPORT-DST:DPORT/udp|tcp",
     "mirror this live flow: its way, without its application getting an octet", NULL, 0, 0, NULL,
     NULL},
    {"mirror", 0, SDW_OPT_FLAG, AT(mirror), NULL,
     "mirror the flows that records on standard input tell of, as shadow-profile writes them", NULL,
     0, 0, NULL, NULL},
    {"idle", 0, SDW_OPT_DURATION, AT(idle_us), "DURATION",
     "with --mirror: a flow that no record told of for so long has ended", "5m", 0, 0, NULL, NULL},
    {"tunnel", 0, SDW_OPT_ENUM, AT(tunnel), "KIND",
     "measure DEST, or keep the shadows of --mirror, through a tunnel of our own, and the way of "
     "its "
     "outer packets",
     "none", 0, 0, tunnels, NULL},
    {"remote", 0, SDW_OPT_TEXT, AT(remote), "ADDR", "with --tunnel: outer address of its far end",
     NULL, 0, 0, NULL, "host"},
    {"inner", 0, SDW_OPT_TEXT, AT(inner), "ADDR/LEN",
     "with --tunnel: address of this end inside, and the length of its prefix", NULL, 0, 0, NULL,
     NULL},
    {"inner-remote", 0, SDW_OPT_TEXT, AT(inner_remote), "ADDR",
     "with --mirror and --tunnel: address of its far end inside, which reflects or answers echo",
     NULL, 0, 0, NULL, "host"},
    {"vni", 0, SDW_OPT_INT, AT(vni), "N", "with --tunnel: VXLAN network identifier", "1", 1,
     16777215, NULL, NULL},
    {"remote-port", 0, SDW_OPT_INT, AT(remote_port), "PORT",
     "with --tunnel: UDP port of its far end", "4789", 1, 65535, NULL, NULL},
    {"shape", 0, SDW_OPT_TEXT, AT(shape), "FILE",
     "replay the shape record in this file; - is standard input", NULL, 0, 0, NULL, "file"},
    {"protocol", 0, SDW_OPT_ENUM, AT(protocol), "PROTOCOL",
     "what to send: udp, icmp echo, tcp SYN; auto is udp, and icmp where nothing reflects", "auto",
     0, 0, protocols, NULL},
    {"watch", 'w', SDW_OPT_FLAG, AT(watch), NULL, "go on for ever, rarely while there is room",
     NULL, 0, 0, NULL, NULL},
    {"count", 'c', SDW_OPT_INT, AT(count), "N", "end after so many windows", "1", 1, 1e9, NULL,
     NULL},
    {"duration", 'd', SDW_OPT_DURATION, AT(duration_us), "DURATION", "end after this time", NULL, 0,
     0, NULL, NULL},
    {"pairs", 0, SDW_OPT_INT, AT(pairs), "N",
     "pairs of an on and an off slot in a window (30; with --mirror 12)", NULL, 4, 400, NULL, NULL},
    {"max-rate", 'r', SDW_OPT_RATE, AT(max_bps), "RATE",
     "never inject faster; 0 injects nothing, a sham run", "100M", 0, 0, NULL, NULL},
    {"budget", 'b', SDW_OPT_TEXT, AT(budget), "BYTES|SHARE",
     "bytes a window may inject, or share of the live bytes of --live (1%)", "3M", 0, 0, NULL,
     NULL},
    {"live", 0, SDW_OPT_TEXT, AT(live), "IF,...", "interfaces whose counters tell the live traffic",
     NULL, 0, 0, NULL, "interface"},
    {"ttl-rate", 0, SDW_OPT_REAL, AT(ttl_rate), "PPS",
     "packets a second that may expire at one router", "50", 1, 1000, NULL, NULL},
    {"hops", 0, SDW_OPT_INT, AT(hops), "N", "longest path to walk", "30", 1, 64, NULL, NULL},
    {"port", 'p', SDW_OPT_INT, AT(port), "PORT", "UDP port of the reflector", "862", 1, 65535, NULL,
     NULL},
    {"source-port", 0, SDW_OPT_INT, AT(source_port), "PORT", "UDP port to send from", NULL, 0,
     65535, NULL, NULL},
    {"source", 'S', SDW_OPT_TEXT, AT(source), "ADDR", "address to send from", NULL, 0, 0, NULL,
     NULL},
    {"interface", 'i', SDW_OPT_TEXT, AT(interface), "IF", "interface to send by", NULL, 0, 0, NULL,
     "interface"},
    {"mark", 0, SDW_OPT_INT, AT(mark), "N", "routing mark of the packets", NULL, 0, 4294967295.0,
     NULL, NULL},
    {"dscp", 0, SDW_OPT_INT, AT(dscp), "N", "DSCP of the packets: the class that users are in", "0",
     0, 63, NULL, NULL},
    {"family", 0, SDW_OPT_ENUM, AT(family), "FAMILY", "addresses to take of a name", "any", 0, 0,
     families, NULL},
    {"key", 0, SDW_OPT_TEXT, AT(key), "FILE", "authenticate with this key (hexadecimal digits)",
     NULL, 0, 0, NULL, "file"},
    {"seed", 0, SDW_OPT_INT, AT(seed), "N", "draw the order of slots from this seed", "1", 0, 0,
     NULL, NULL},
    {0},
};

static const struct sdw_operand operands[] = {
    {"DEST",
     "address or name to measure the path to; with --mirror a condition that flows meet, as "
     "shadow filter has them",
     true, true, "host"},
    {0},
};

static const struct sdw_command command = {
    "shadow-probe", "measures each hop of a path", options, operands, sdw_probe_run, NULL, NULL};

static const struct sdw_example examples[] = {
    {"Measure the path to a host that runs shadow-reflect", "shadow-probe 192.0.2.1", "lab"},
    {"Keep a shadow of each flow to port 443 that leaves by eth0, and judge their paths",
     "shadow-profile -i eth0 | shadow-probe --mirror dport=443 | shadow-gradient", "lab"},
    {"Measure inside a VXLAN of our own to 192.0.2.1, and on its outer packets",
     "shadow-probe --tunnel vxlan --vni 42 --remote 192.0.2.1 --inner 172.31.9.1/24 172.31.9.2",
     "lab"},
    {"Keep a shadow of each flow that this VXLAN end sends to 192.0.2.1, in a network beside it",
     "shadow-profile -i eth0 | shadow-probe --mirror --tunnel vxlan --vni 42 --remote 192.0.2.1 "
     "--inner 172.31.9.1/24 --inner-remote 172.31.9.2 outer_dst=192.0.2.1",
     "lab"},
    {NULL, NULL, NULL},
};

static const struct sdw_tool tool = {
    .name = "shadow-probe",
    .summary = "inject synthetic traffic and measure each hop",
    .command = &command,
    .config_size = sizeof(struct sdw_probe_config),
    .main_type = "hop",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
