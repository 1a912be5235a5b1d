#include "sys/qdisc.h"

#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

enum {
    ROOT = 0x10000,        /* 1:0 */
    CLASS = 0x10001,       /* 1:1 */
    LEAF = 0x20000,        /* 2:0 */
    TICK_NS = 64,          /* of the kernel's packet scheduler clock */
    RATE32_MAX = INT32_MAX /* bytes a second that fit the old fields */
};

static struct nlmsghdr *start(struct sdw_netlink *netlink, uint16_t type, int interface,
                              uint32_t parent, uint32_t handle, const char *kind)
{
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, type, NLM_F_CREATE, sizeof(struct tcmsg));
    struct tcmsg *tc = sdw_netlink_payload(request);
    tc->tcm_family = AF_UNSPEC;
    tc->tcm_ifindex = interface;
    tc->tcm_parent = parent;
    tc->tcm_handle = handle;
    mnl_attr_put_strz(request, TCA_KIND, kind);
    return request;
}

/* The kernel's rate with the link layer named, so that it needs no table. */
static struct tc_ratespec rate_of(uint64_t bytes_per_s)
{
    return (struct tc_ratespec){
        .rate = bytes_per_s > RATE32_MAX ? RATE32_MAX : (uint32_t)bytes_per_s,
        .linklayer = TC_LINKLAYER_ETHERNET,
        .overhead = 0,
    };
}

/* How long the bucket takes to fill, in scheduler ticks. */
static uint32_t ticks(int64_t bytes, uint64_t bytes_per_s)
{
    double t = (double)bytes * 1e9 / (double)bytes_per_s / TICK_NS;
    return t < 1 ? 1 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

static int set_tbf(struct sdw_netlink *netlink, int interface, const struct sdw_shape_queue *queue,
                   uint64_t bytes_per_s, struct sdw_err *err)
{
    struct tc_tbf_qopt tbf = {
        .rate = rate_of(bytes_per_s),
        .limit = (uint32_t)queue->buffer_bytes,
        .buffer = ticks(queue->burst_bytes, bytes_per_s),
    };
    struct nlmsghdr *request = start(netlink, RTM_NEWQDISC, interface, TC_H_ROOT, ROOT, "tbf");
    struct nlattr *options = mnl_attr_nest_start(request, TCA_OPTIONS);
    mnl_attr_put(request, TCA_TBF_PARMS, sizeof tbf, &tbf);
    mnl_attr_put_u32(request, TCA_TBF_BURST, (uint32_t)queue->burst_bytes);
    if (bytes_per_s > RATE32_MAX)
        mnl_attr_put_u64(request, TCA_TBF_RATE64, bytes_per_s);
    mnl_attr_nest_end(request, options);
    return sdw_netlink_talk(netlink, request, NULL, NULL, "tbf queue", err);
}

static int set_htb(struct sdw_netlink *netlink, int interface, const struct sdw_shape_queue *queue,
                   uint64_t bytes_per_s, struct sdw_err *err)
{
    struct tc_htb_glob global = {.version = 3, .rate2quantum = 10, .defcls = 1};
    struct nlmsghdr *request = start(netlink, RTM_NEWQDISC, interface, TC_H_ROOT, ROOT, "htb");
    struct nlattr *options = mnl_attr_nest_start(request, TCA_OPTIONS);
    mnl_attr_put(request, TCA_HTB_INIT, sizeof global, &global);
    mnl_attr_nest_end(request, options);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, "htb queue", NULL);
    if (code < 0 && code != SDW_ESYS) /* an htb that exists takes no new options: that is fine */
        return sdw_err_set(err, code, "htb queue: not permitted");
    struct tc_htb_opt class = {
        .rate = rate_of(bytes_per_s),
        .ceil = rate_of(bytes_per_s),
        .buffer = ticks(queue->burst_bytes, bytes_per_s),
        .cbuffer = ticks(queue->burst_bytes, bytes_per_s),
        .quantum = 1600,
    };
    request = start(netlink, RTM_NEWTCLASS, interface, ROOT, CLASS, "htb");
    options = mnl_attr_nest_start(request, TCA_OPTIONS);
    mnl_attr_put(request, TCA_HTB_PARMS, sizeof class, &class);
    if (bytes_per_s > RATE32_MAX) {
        mnl_attr_put_u64(request, TCA_HTB_RATE64, bytes_per_s);
        mnl_attr_put_u64(request, TCA_HTB_CEIL64, bytes_per_s);
    }
    mnl_attr_nest_end(request, options);
    code = sdw_netlink_talk(netlink, request, NULL, NULL, "htb class", err);
    if (code < 0)
        return code;
    struct tc_fifo_qopt fifo = {.limit = (uint32_t)queue->buffer_bytes};
    request = start(netlink, RTM_NEWQDISC, interface, CLASS, LEAF, "bfifo");
    mnl_attr_put(request, TCA_OPTIONS, sizeof fifo, &fifo);
    return sdw_netlink_talk(netlink, request, NULL, NULL, "htb buffer", err);
}

int sdw_qdisc_set(struct sdw_netlink *netlink, int interface, const struct sdw_shape_queue *queue,
                  struct sdw_err *err)
{
    uint64_t bytes_per_s = (uint64_t)(queue->rate_bps / 8);
    if (bytes_per_s < 1000)
        return sdw_err_set(err, SDW_EINPUT, "a queue of less than 8 kbit/s is of no use");
    if (queue->buffer_bytes < queue->burst_bytes || queue->buffer_bytes > INT32_MAX)
        return sdw_err_set(err, SDW_EINPUT,
                           "a buffer of %lld bytes: it must hold the burst of %lld",
                           (long long)queue->buffer_bytes, (long long)queue->burst_bytes);
    return queue->shaper == SDW_SHAPER_HTB ? set_htb(netlink, interface, queue, bytes_per_s, err)
                                           : set_tbf(netlink, interface, queue, bytes_per_s, err);
}

/* Looking for root queues in a dump of all queues. */
struct dump {
    int (*each)(int interface, const struct sdw_qdisc_count *count, void *arg);
    void *arg;
};

/* What stands in one queue's message. */
struct reading {
    struct sdw_qdisc_count count;
    bool none; /* it is the kind that queues nothing */
};

static int read_stats(const struct nlattr *attribute, void *arg)
{
    struct sdw_qdisc_count *count = arg;
    const void *payload = mnl_attr_get_payload(attribute);
    size_t size = mnl_attr_get_payload_len(attribute);
    if (mnl_attr_get_type(attribute) == TCA_STATS_BASIC) {
        struct gnet_stats_basic basic = {0};
        memcpy(&basic, payload, size < sizeof basic ? size : sizeof basic);
        count->bytes = (int64_t)basic.bytes;
        count->packets = basic.packets;
    } else if (mnl_attr_get_type(attribute) == TCA_STATS_QUEUE) {
        struct gnet_stats_queue queue = {0};
        memcpy(&queue, payload, size < sizeof queue ? size : sizeof queue);
        count->drops = queue.drops;
        count->backlog_bytes = queue.backlog;
        count->backlog_packets = queue.qlen;
    }
    return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *arg)
{
    struct reading *reading = arg;
    if (mnl_attr_get_type(attribute) == TCA_KIND)
        reading->none = strcmp(mnl_attr_get_str(attribute), "noqueue") == 0;
    if (mnl_attr_get_type(attribute) == TCA_STATS2)
        return mnl_attr_parse_nested(attribute, read_stats, &reading->count);
    return MNL_CB_OK;
}

static int look(const struct nlmsghdr *answer, void *arg)
{
    const struct dump *dump = arg;
    const struct tcmsg *tc = mnl_nlmsg_get_payload(answer);
    struct reading reading = {0};
    if (answer->nlmsg_type != RTM_NEWQDISC || tc->tcm_parent != TC_H_ROOT)
        return 0;
    (void)mnl_attr_parse(answer, sizeof *tc, take_attribute, &reading);
    return reading.none ? 0 : dump->each(tc->tcm_ifindex, &reading.count, dump->arg);
}

int sdw_qdisc_dump(struct sdw_netlink *netlink,
                   int (*each)(int interface, const struct sdw_qdisc_count *count, void *arg),
                   void *arg, struct sdw_err *err)
{
    struct dump dump = {each, arg};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
    return sdw_netlink_talk(netlink, request, look, &dump, "queue counters", err);
}

/* Looking for the queue of one interface. */
struct search {
    int interface;
    bool found;
    struct sdw_qdisc_count *count;
};

static int match(int interface, const struct sdw_qdisc_count *count, void *arg)
{
    struct search *search = arg;
    if (interface == search->interface) {
        search->found = true;
        *search->count = *count;
    }
    return 0;
}

int sdw_qdisc_count(struct sdw_netlink *netlink, int interface, struct sdw_qdisc_count *count,
                    struct sdw_err *err)
{
    struct search search = {interface, false, count};
    *count = (struct sdw_qdisc_count){0};
    int code = sdw_qdisc_dump(netlink, match, &search, err);
    if (code == 0 && !search.found)
        return sdw_err_set(err, SDW_ENO, "interface %d has no queue", interface);
    return code;
}
