/* Captured packets are decoded down to the innermost flow, and never read beyond their end. */
#include "net/packet.h"

#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "unit/frame.h"
#include "unit/tap.h"

static struct sdw_packet packet;

static enum sdw_packet_verdict decode(int link, struct frame *f)
{
    finish(f);
    return sdw_packet_decode(link, (struct sdw_str){(char *)f->p, f->n}, (uint32_t)f->n, &packet);
}

/* A flow from 192.0.2.1 port 1111 to 192.0.2.2 port 2222. */
static bool is_ours(void)
{
    return packet.version == 4 && packet.sport == 1111 && packet.dport == 2222 &&
           memcmp(packet.src, "\300\0\2\1\0\0", 6) == 0 && memcmp(packet.dst, "\300\0\2\2", 4) == 0;
}

static void ours(struct frame *f)
{
    ip4(f, IPPROTO_UDP, 1, 2, 7, 0);
    udp(f, 1111, 2222);
    payload(f, 100);
}

static void check_plain(void)
{
    struct frame f = {0};
    ether(&f, 0x0800);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours(), "Ethernet, IPv4, UDP");
    ok(packet.ip_bytes == 128 && packet.payload_bytes == 100 && packet.payload_n == 100 &&
           packet.whole && packet.ip == f.p + 14 && packet.payload == f.p + 42,
       "with its lengths and places");
    ok(packet.ip_id == 7 && packet.ttl == 64 && packet.around == 0, "and what else is in it");
    f.n += 6;
    ok(sdw_packet_decode(DLT_EN10MB, (struct sdw_str){(char *)f.p, f.n}, (uint32_t)f.n, &packet) ==
               SDW_PACKET_IP &&
           packet.ip_bytes == 128 && packet.payload_n == 100,
       "padding of the frame is not counted");
    f.n -= 6;
    memset(f.p + 16, 0, 2);
    ok(sdw_packet_decode(DLT_EN10MB, (struct sdw_str){(char *)f.p, f.n}, 5014, &packet) ==
               SDW_PACKET_IP &&
           packet.ip_bytes == 5000,
       "a segment that the interface is to cut has the length of the frame");
    struct frame six = {0};
    ip6(&six, IPPROTO_UDP, 1, 2);
    udp(&six, 1111, 2222);
    payload(&six, 10);
    ok(decode(DLT_RAW, &six) == SDW_PACKET_IP && packet.version == 6 && packet.dport == 2222 &&
           packet.ip_bytes == 58 && packet.payload_bytes == 10 && packet.dst[15] == 2,
       "IPv6, UDP");
}

static void check_links(void)
{
    static const struct {
        int link;
        const char *name, *header;
        size_t n;
    } links[] = {
        {DLT_RAW, "raw IP", "", 0},
        {DLT_IPV4, "raw IPv4", "", 0},
        {DLT_LINUX_SLL, "Linux cooked", "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\10\0", 16},
        {DLT_LINUX_SLL2, "Linux cooked, version 2", "\10\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0",
         20},
        {DLT_NULL, "BSD loopback, little end first", "\2\0\0\0", 4},
        {DLT_NULL, "BSD loopback, big end first", "\0\0\0\2", 4},
        {DLT_LOOP, "OpenBSD loopback", "\0\0\0\2", 4},
        {DLT_PPP, "PPP", "\0\41", 2},
        {DLT_PPP, "PPP in HDLC framing", "\377\3\0\41", 4},
        {DLT_EN10MB, "PPPoE", "\2\0\0\0\0\1\2\0\0\0\0\2\210\144\21\0\0\1\0\0\0\41", 22},
    };
    for (size_t i = 0; i < SDW_LEN(links); i++) {
        struct frame f = {0};
        put(&f, links[i].header, links[i].n);
        ours(&f);
        ok(decode(links[i].link, &f) == SDW_PACKET_IP && is_ours(), "%s", links[i].name);
        ok(sdw_link_known(links[i].link), "is a known link");
    }
    struct frame f = {0};
    ours(&f);
    ok(!sdw_link_known(DLT_USB_LINUX) && decode(DLT_USB_LINUX, &f) == SDW_PACKET_OTHER,
       "USB is not");
}

static void check_tags(void)
{
    struct frame f = {0};
    ether(&f, 0x8100);
    tag(&f, 0x6005, 0x0800);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours() && packet.vlan == 5 &&
           packet.around == SDW_AROUND_VLAN,
       "a VLAN tag, without its priority");
    f = (struct frame){0};
    ether(&f, 0x88a8);
    tag(&f, 9, 0x8100);
    tag(&f, 6, 0x0800);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours() && packet.vlan == 6 &&
           packet.around == (SDW_AROUND_VLAN | SDW_AROUND_QINQ),
       "QinQ: the inner tag counts");
    f = (struct frame){0};
    ether(&f, 0x8847);
    put_n(&f, 0x00010040, 4);
    put_n(&f, 0x00020140, 4);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours() && packet.around == SDW_AROUND_MPLS,
       "two MPLS labels");
    f = (struct frame){0};
    ether(&f, 0x8847);
    put_n(&f, 0x00020140, 4);
    put_n(&f, 0, 4);
    ether(&f, 0x0800);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours() && packet.around == SDW_AROUND_MPLS,
       "Ethernet over MPLS with a control word");
}

/* Whether the outermost packet is one of this protocol from .8 to .9, with these ports. */
static bool outer_is(unsigned version, unsigned protocol, unsigned sport, unsigned dport)
{
    const struct sdw_packet_outer *outer = &packet.outer;
    size_t last = version == 4 ? 3 : 15;
    return outer->version == version && outer->protocol == protocol && outer->src[last] == 8 &&
           outer->dst[last] == 9 && outer->sport == sport && outer->dport == dport;
}

static void check_tunnels(void)
{
    struct frame f = {0};
    ether(&f, 0x0800);
    ip4(&f, IPPROTO_GRE, 8, 9, 0, 0);
    put_n(&f, 0xb0000800, 4);
    payload(&f, 12);
    ours(&f);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours() && packet.around == SDW_AROUND_GRE,
       "GRE with checksum, key and sequence number");
    ok(outer_is(4, IPPROTO_GRE, 0, 0), "and the packet around it");
    f = (struct frame){0};
    ip4(&f, IPPROTO_GRE, 8, 9, 0, 0);
    put_n(&f, 0x00006558, 4);
    ether(&f, 0x8100);
    tag(&f, 3, 0x0800);
    ours(&f);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && is_ours() && packet.vlan == 3 &&
           packet.around == (SDW_AROUND_GRE | SDW_AROUND_VLAN),
       "Ethernet in GRE, with a tag");
    f = (struct frame){0};
    ip6(&f, IPPROTO_UDP, 8, 9);
    udp(&f, 55555, 4789);
    put_n(&f, 0x0800000000123400, 8);
    ether(&f, 0x0800);
    ours(&f);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && is_ours() && packet.vni == 0x1234 &&
           packet.around == SDW_AROUND_VXLAN,
       "VXLAN over IPv6");
    ok(outer_is(6, IPPROTO_UDP, 55555, 4789), "and the packet around it, with its ports");
    f = (struct frame){0};
    ip4(&f, IPPROTO_IPV6, 8, 9, 0, 0);
    ip6(&f, IPPROTO_IPIP, 18, 19);
    ours(&f);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && is_ours() && packet.around == SDW_AROUND_IP,
       "IP in IP in IP");
    ok(outer_is(4, IPPROTO_IPV6, 0, 0), "and the outermost of them");
    f = (struct frame){0};
    ip4(&f, IPPROTO_UDP, 8, 9, 0, 0);
    udp(&f, 55555, 4789);
    put_n(&f, 0x0800000000123400, 8);
    ether(&f, 0x0806);
    payload(&f, 28);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.dport == 4789 && packet.vni == 0 &&
           packet.around == 0 && packet.outer.version == 0,
       "what a tunnel holds that is no IP leaves the tunnel's own packet");
    f = (struct frame){0};
    for (int i = 0; i < 6; i++)
        ip4(&f, IPPROTO_IPIP, 8, 9, 0, 0);
    ours(&f);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.protocol == IPPROTO_IPIP,
       "tunnels in tunnels are followed to a depth only");
}

static void check_fragments(void)
{
    struct frame f = {0};
    ip4(&f, IPPROTO_UDP, 1, 2, 7, 0x2000);
    udp(&f, 1111, 2222);
    payload(&f, 16);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && is_ours() && packet.fragment == SDW_FRAGMENT_FIRST,
       "a first fragment has its ports");
    f = (struct frame){0};
    ip4(&f, IPPROTO_UDP, 1, 2, 7, 3);
    payload(&f, 16);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.fragment == SDW_FRAGMENT_LATER &&
           packet.sport == 0 && !packet.whole && packet.payload_bytes == 16,
       "a later one has none");
    f = (struct frame){0};
    ip6(&f, IPPROTO_HOPOPTS, 1, 2);
    put_n(&f, (uint64_t)IPPROTO_DSTOPTS << 56, 8);
    put_n(&f, (uint64_t)IPPROTO_FRAGMENT << 56 | (uint64_t)1 << 48, 8);
    payload(&f, 8);
    put_n(&f, (uint64_t)IPPROTO_UDP << 56 | (uint64_t)1 << 32 | 99, 8);
    udp(&f, 1111, 2222);
    payload(&f, 8);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.fragment == SDW_FRAGMENT_FIRST &&
           packet.protocol == IPPROTO_UDP && packet.dport == 2222 && packet.ip_id == 99,
       "IPv6 extension headers of several lengths, then a first fragment");
    f = (struct frame){0};
    ip6(&f, IPPROTO_FRAGMENT, 1, 2);
    put_n(&f, (uint64_t)IPPROTO_DSTOPTS << 56 | (uint64_t)0x1448 << 32 | 99, 8);
    payload(&f, 8);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.fragment == SDW_FRAGMENT_LATER &&
           packet.protocol == IPPROTO_DSTOPTS && packet.dport == 0,
       "nothing is looked for in a later fragment of IPv6");
}

static void check_tcp(void)
{
    static const char syn[] = "\2\4\5\264\4\2\10\12\0\0\0\5\0\0\0\0\1\3\3\7";
    static const char sack[] = "\1\1\10\12\0\0\0\6\0\0\0\5\1\1\5\12\0\0\0\144\0\0\0\310";
    struct frame f = {0};
    ip4(&f, IPPROTO_TCP, 1, 2, 7, 0);
    tcp(&f, 1111, 2222, 1000, 0, SDW_TCP_SYN, syn, 20);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.whole && packet.tcp.seq == 1000 &&
           packet.tcp.flags == SDW_TCP_SYN && packet.tcp.window == 1000,
       "a SYN");
    ok(packet.tcp.mss == 1460 && packet.tcp.wscale == 7 && packet.tcp.has_ts &&
           packet.tcp.ts_value == 5 && packet.payload_bytes == 0,
       "with its options");
    f = (struct frame){0};
    ip4(&f, IPPROTO_TCP, 1, 2, 7, 0);
    tcp(&f, 1111, 2222, 1001, 77, SDW_TCP_ACK, sack, 24);
    payload(&f, 5);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.tcp.ack == 77 && packet.payload_bytes == 5 &&
           packet.tcp.ts_echo == 5 && packet.tcp.n_sack == 1 && packet.tcp.sack[0][0] == 100 &&
           packet.tcp.sack[0][1] == 200 && packet.tcp.wscale == -1,
       "a segment with SACK");
    static const char wide[] = "\3\3\377\0";
    f = (struct frame){0};
    ip4(&f, IPPROTO_TCP, 1, 2, 7, 0);
    tcp(&f, 1111, 2222, 1, 0, SDW_TCP_SYN, wide, 4);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.tcp.wscale == 14,
       "no window scale is more than 14");
    static const char broken[] = "\1\10\1\3";
    f = (struct frame){0};
    ip4(&f, IPPROTO_TCP, 1, 2, 7, 0);
    tcp(&f, 1111, 2222, 1, 0, SDW_TCP_SYN, broken, 4);
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && packet.whole && !packet.tcp.has_ts,
       "an option of no length ends the options");
    f.p[32] = 0x40;
    ok(decode(DLT_RAW, &f) == SDW_PACKET_IP && !packet.whole && packet.sport == 1111,
       "a header shorter than it can be leaves the ports");
}

static void check_bad(void)
{
    struct frame f = {0};
    ether(&f, 0x0806);
    payload(&f, 28);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_OTHER, "ARP is no IP");
    f = (struct frame){0};
    ours(&f);
    finish(&f);
    f.p[0] = 0x44;
    f.n_ip = 0;
    ok(decode(DLT_RAW, &f) == SDW_PACKET_BAD, "an IPv4 header of 16 bytes makes no sense");
    f.p[0] = 0x4f;
    f.p[2] = 0;
    f.p[3] = 59;
    ok(decode(DLT_RAW, &f) == SDW_PACKET_BAD, "nor a packet shorter than its header");
    f.p[0] = 0x50;
    ok(decode(DLT_RAW, &f) == SDW_PACKET_BAD, "nor IP of version 5");
    f = (struct frame){0};
    for (int i = 0; i < 17; i++)
        ether(&f, 0x6558);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_BAD, "nor frames in frames without an end");
    f = (struct frame){0};
    ok(decode(DLT_RAW, &f) == SDW_PACKET_SHORT, "nothing is too short");
}

/* Decode every beginning of a frame, each in memory of just its size. */
static void cut(int link, const struct frame *f, const char *name)
{
    size_t good = 0;
    for (size_t n = 0; n <= f->n; n++) {
        char *bytes = malloc(n + !n);
        if (!bytes)
            return;
        memcpy(bytes, f->p, n);
        enum sdw_packet_verdict verdict =
            sdw_packet_decode(link, (struct sdw_str){bytes, n}, (uint32_t)f->n, &packet);
        const char *at = (const char *)packet.payload;
        good += verdict <= SDW_PACKET_BAD && packet.payload_n <= n && packet.ip_n <= n &&
                (!at || (at >= bytes && at + packet.payload_n <= bytes + n));
        free(bytes);
    }
    ok(good == f->n + 1, "%s, cut anywhere, is not read beyond its end", name);
}

static void check_cut(void)
{
    static const char options[] = "\2\4\5\264\4\2\10\12\0\0\0\5\0\0\0\0\1\3\3\7";
    struct frame f = {0};
    ether(&f, 0x88a8);
    tag(&f, 9, 0x8100);
    tag(&f, 6, 0x8847);
    put_n(&f, 0x00020140, 4);
    ip4(&f, IPPROTO_UDP, 8, 9, 0, 0);
    udp(&f, 55555, 4789);
    put_n(&f, 0x0800000000123400, 8);
    ether(&f, 0x86dd);
    ip6(&f, IPPROTO_HOPOPTS, 1, 2);
    put_n(&f, (uint64_t)IPPROTO_GRE << 56, 8);
    put_n(&f, 0x20000800, 4);
    payload(&f, 4);
    ip4(&f, IPPROTO_TCP, 1, 2, 7, 0);
    tcp(&f, 1111, 2222, 1000, 0, SDW_TCP_SYN, options, 20);
    payload(&f, 20);
    ok(decode(DLT_EN10MB, &f) == SDW_PACKET_IP && is_ours(), "tags, labels and tunnels together");
    cut(DLT_EN10MB, &f, "such a packet");
    f = (struct frame){0};
    put(&f, "\10\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0", 20);
    ours(&f);
    finish(&f);
    cut(DLT_LINUX_SLL2, &f, "a cooked packet");
}

int main(void)
{
    check_plain();
    check_links();
    check_tags();
    check_tunnels();
    check_fragments();
    check_tcp();
    check_bad();
    check_cut();
    return tap_done();
}
