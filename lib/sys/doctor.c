#include "sys/doctor.h"
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLDEST_MAJOR = 6, OLDEST_MINOR = 1, CAP_NET_ADMIN_BIT = 12 };

/* An examination returns what it found; 0 means that all is well, otherwise an errno (or -1). */
typedef int examine(char *found, size_t size);

static int try_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int set_option(int family, int level, int option, int value)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int r = setsockopt(fd, level, option, &value, sizeof value) < 0 ? errno : 0;
    close(fd);
    return r;
}

/* The same for IPv4 and IPv6: says which of them works. Good when both do. */
static int both(int four, int six, char *found, size_t size)
{
    if (four == 0 && six == 0)
        snprintf(found, size, "IPv4 and IPv6");
    else if (four == 0 || six == 0)
        snprintf(found, size, "%s only: %s", four == 0 ? "IPv4" : "IPv6",
                 strerror(four ? four : six));
    else
        snprintf(found, size, "%s", strerror(four));
    return four ? four : six;
}

static int kernel(char *found, size_t size)
{
    struct utsname name;
    int major = 0, minor = 0;
    if (uname(&name) < 0)
        return errno;
    char *end;
    major = (int)strtol(name.release, &end, 10);
    minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
    snprintf(found, size, "Linux %s", name.release);
    return major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR) ? 0 : -1;
}

static int udp_errors(char *found, size_t size)
{
    return both(set_option(AF_INET, IPPROTO_IP, IP_RECVERR, 1),
                set_option(AF_INET6, IPPROTO_IPV6, IPV6_RECVERR, 1), found, size);
}

static int timestamps(char *found, size_t size)
{
    int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
                SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    return both(set_option(AF_INET, SOL_SOCKET, SO_TIMESTAMPING, flags),
                set_option(AF_INET6, SOL_SOCKET, SO_TIMESTAMPING, flags), found, size);
}

static int ping_sockets(char *found, size_t size)
{
    return both(try_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
                try_socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), found, size);
}

static int raw_sockets(char *found, size_t size)
{
    return both(try_socket(AF_INET, SOCK_RAW, IPPROTO_RAW),
                try_socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), found, size);
}

static int capture(char *found, size_t size)
{
    int r = try_socket(AF_PACKET, SOCK_RAW, 0);
    snprintf(found, size, "%s", r ? strerror(r) : "packet sockets");
    return r;
}

/* Bit of the effective capabilities, as the kernel shows them. */
static bool has_capability(int bit)
{
    char line[256];
    unsigned long long effective = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "CapEff:", 7) == 0)
            effective = strtoull(line + 7, NULL, 16);
    if (status)
        fclose(status);
    return effective >> bit & 1;
}

static int net_admin(char *found, size_t size)
{
    bool has = has_capability(CAP_NET_ADMIN_BIT);
    snprintf(found, size, has ? "CAP_NET_ADMIN" : "no CAP_NET_ADMIN: routes cannot be changed");
    return has ? 0 : EPERM;
}

/* Run it in a child, whose exit status is its answer. */
static int in_child(int (*attempt)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(attempt() & 0xff);
    if (pid < 0)
        return errno;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int make_namespace(void)
{
    return unshare(CLONE_NEWNET) < 0 ? errno : 0;
}

static int make_user_namespace(void)
{
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? errno : 0;
}

static int namespaces(char *found, size_t size)
{
    int direct = in_child(make_namespace);
    int user = direct ? in_child(make_user_namespace) : 0;
    snprintf(found, size, "%s",
             direct == 0 ? "network namespaces"
             : user == 0 ? "inside a user namespace (unshare -Urnm)"
                         : strerror(user));
    return user;
}

static int become_fifo(void)
{
    struct sched_param param = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &param) < 0 ? errno : 0;
}

static int fifo(char *found, size_t size)
{
    int r = in_child(become_fifo);
    snprintf(found, size, "%s", r ? "pacing may be late on a busy machine" : "SCHED_FIFO");
    return r;
}

static int clock_state(char *found, size_t size)
{
    struct timex timex = {0};
    int state = adjtimex(&timex);
    bool synchronised = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
    if (synchronised)
        snprintf(found, size, "synchronised, error at most %ld us", timex.maxerror);
    else
        snprintf(found, size, "not synchronised: one-way delays between hosts are relative");
    return synchronised ? 0 : -1;
}

static int nexthops(char *found, size_t size)
{
    struct sdw_netlink netlink;
    struct sdw_err err = {0};
    if (sdw_netlink_open(&netlink, 0, &err) < 0) {
        snprintf(found, size, "%.150s", err.text);
        return -1;
    }
    struct nlmsghdr *request =
        sdw_netlink_request(&netlink, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(struct nhmsg));
    int r = sdw_netlink_talk(&netlink, request, NULL, NULL, "list nexthops", &err);
    snprintf(found, size, "%.150s", r < 0 ? err.text : "nexthop objects");
    sdw_netlink_close(&netlink);
    return r;
}

static int ipv6(char *found, size_t size)
{
    int fd = open("/proc/net/if_inet6", O_RDONLY | O_CLOEXEC);
    char byte;
    bool up = fd >= 0 && read(fd, &byte, 1) == 1;
    if (fd >= 0)
        close(fd);
    snprintf(found, size, "%s", up ? "IPv6 has addresses" : "no interface has an IPv6 address");
    return up ? 0 : -1;
}

/* Whether a program can be run. */
static int program(const char *name, char *found, size_t size)
{
    const char *path = getenv("PATH");
    if (!path || !*path)
        path = "/usr/sbin:/usr/bin:/sbin:/bin";
    while (*path) {
        int n = (int)strcspn(path, ":");
        snprintf(found, size, "%.*s/%s", n, path, name);
        if (n && access(found, X_OK) == 0)
            return 0;
        path += n + (path[n] == ':');
    }
    snprintf(found, size, "%s is not on PATH", name);
    return -1;
}

static int nft(char *found, size_t size)
{
    return program("nft", found, size);
}

static int jq(char *found, size_t size)
{
    return program("jq", found, size);
}

static const struct {
    const char *name;
    examine *examine;
    bool essential;
    enum sdw_health otherwise; /* when all is not well */
    const char *remedy;
} examinations[] = {
    {"kernel", kernel, false, SDW_HEALTH_LIMITED, "sudo apt-get install linux-image-amd64"},
    {"udp-errors", udp_errors, true, SDW_HEALTH_MISSING, NULL},
    {"timestamps", timestamps, true, SDW_HEALTH_MISSING, NULL},
    {"ipv6", ipv6, false, SDW_HEALTH_LIMITED, "sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0"},
    {"ping-sockets", ping_sockets, false, SDW_HEALTH_LIMITED,
     "sudo sysctl -w 'net.ipv4.ping_group_range=0 2147483647'"},
    {"raw-sockets", raw_sockets, false, SDW_HEALTH_LIMITED,
     "sudo setcap cap_net_raw+ep \"$(command -v shadow-probe)\""},
    {"capture", capture, false, SDW_HEALTH_LIMITED,
     "sudo setcap cap_net_raw+ep \"$(command -v shadow-probe)\""},
    {"net-admin", net_admin, false, SDW_HEALTH_LIMITED,
     "sudo setcap cap_net_admin+ep \"$(command -v shadow-steer)\""},
    {"nexthop-objects", nexthops, false, SDW_HEALTH_MISSING,
     "sudo apt-get install linux-image-amd64"},
    {"namespaces", namespaces, false, SDW_HEALTH_MISSING,
     "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"},
    {"sched-fifo", fifo, false, SDW_HEALTH_LIMITED,
     "sudo setcap cap_sys_nice,cap_net_raw+ep \"$(command -v shadow-probe)\""},
    {"clock", clock_state, false, SDW_HEALTH_LIMITED, "sudo apt-get install chrony"},
    {"nft", nft, false, SDW_HEALTH_LIMITED, "sudo apt-get install nftables"},
    {"jq", jq, false, SDW_HEALTH_LIMITED, "sudo apt-get install jq"},
};

size_t sdw_doctor_count(void)
{
    return SDW_LEN(examinations);
}

void sdw_doctor_examine(size_t i, struct sdw_examination *out)
{
    *out = (struct sdw_examination){.name = examinations[i].name,
                                    .essential = examinations[i].essential};
    if (examinations[i].examine(out->found, sizeof out->found) != 0) {
        out->health = examinations[i].otherwise;
        out->remedy = examinations[i].remedy;
    }
}

const char *sdw_health_name(enum sdw_health health)
{
    static const char *const names[] = {
        [SDW_HEALTH_OK] = "ok", [SDW_HEALTH_LIMITED] = "limited", [SDW_HEALTH_MISSING] = "missing"};
    return names[health];
}
