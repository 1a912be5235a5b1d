#include "core/clock.h"
#include "net/lab.h"
#include "rec/series.h"
#include "sys/child.h"
#include "sys/netns.h"
#include "sys/veth.h"

#include <stdio.h>
#include <unistd.h>

/* Two packets of the largest size that Ethernet carries. */
enum { TWO_PACKETS = 2 * 1514, LEAST_BUFFER = 16 * 1514 };

/* Do one thing inside a node, then come back. */
static int inside(const char *lab, const char *node,
                  int (*work)(const struct sdw_lab_link *link, int side, void *arg,
                              struct sdw_err *err),
                  const struct sdw_lab_link *link, int side, void *arg, struct sdw_err *err)
{
    char name[SDW_LAB_NETNS];
    int home = sdw_netns_open(NULL, err);
    if (home < 0)
        return home;
    int code = sdw_netns_enter(sdw_lab_netns(lab, node, name), err);
    if (code == 0) {
        code = work(link, side, arg, err);
        int back = sdw_netns_return(home, code < 0 ? NULL : err);
        if (code == 0)
            code = back;
    }
    close(home);
    return code;
}

static int set_queue(const struct sdw_lab_link *link, int side, void *arg, struct sdw_err *err)
{
    (void)arg;
    const struct sdw_lab_end *end = &link->end[side];
    struct sdw_netlink netlink;
    struct sdw_shape_queue queue = {
        .shaper = link->htb ? SDW_SHAPER_HTB : SDW_SHAPER_TBF,
        .rate_bps = end->rate_bps,
        .burst_bytes = link->burst_bytes > 0 ? link->burst_bytes : TWO_PACKETS,
        .buffer_bytes = end->buffer_bytes > 0 ? end->buffer_bytes : LEAST_BUFFER,
    };
    if (queue.buffer_bytes < queue.burst_bytes)
        queue.buffer_bytes = queue.burst_bytes;
    int index = sdw_interface_index(end->dev, err);
    int code = index < 0 ? index : sdw_netlink_open(&netlink, 0, err);
    if (code < 0)
        return code;
    code = sdw_qdisc_set(&netlink, index, &queue, err);
    sdw_netlink_close(&netlink);
    return code;
}

/* Random loss is dropped where the far end receives: the sender's own counters know nothing. */
static int set_loss(const struct sdw_lab_link *link, int side, void *arg, struct sdw_err *err)
{
    (void)arg;
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    const char *dev = link->end[!side].dev, *from = link->end[side].node_name;
    struct sdw_buf script = {0};
    sdw_buf_printf(&script,
                   "add table netdev sdw\n"
                   "add chain netdev sdw from_%s { type filter hook ingress device \"%s\""
                   " priority 0 ; policy accept ; }\n"
                   "flush chain netdev sdw from_%s\n",
                   from, dev, from);
    if (link->end[side].loss_share > 0)
        sdw_buf_printf(&script,
                       "add rule netdev sdw from_%s meta protocol { ip, ip6 }"
                       " numgen random mod 1000000 < %d counter drop\n",
                       from, (int)(link->end[side].loss_share * 1e6));
    int code = sdw_child_run(nft, sdw_buf_view(&script), err);
    sdw_buf_release(&script);
    return code;
}

int sdw_lab_apply_queue(const char *lab, const struct sdw_lab_link *link, int side,
                        struct sdw_err *err)
{
    return inside(lab, link->end[side].node_name, set_queue, link, side, NULL, err);
}

int sdw_lab_apply_loss(const char *lab, const struct sdw_lab_link *link, int side,
                       struct sdw_err *err)
{
    return inside(lab, link->end[!side].node_name, set_loss, link, side, NULL, err);
}

static int read_queue(const struct sdw_lab_link *link, int side, void *arg, struct sdw_err *err)
{
    struct sdw_netlink netlink;
    int index = sdw_interface_index(link->end[side].dev, err);
    int code = index < 0 ? index : sdw_netlink_open(&netlink, 0, err);
    if (code < 0)
        return code;
    code = sdw_qdisc_count(&netlink, index, arg, err);
    sdw_netlink_close(&netlink);
    return code;
}

/* Find the link and the end that "a-b" sends from. */
static struct sdw_lab_link *find(const struct sdw_topology *topology, const char *name, int *side,
                                 struct sdw_err *err)
{
    bool reversed;
    long i = sdw_topology_find_link(topology, name, &reversed);
    if (i < 0) {
        sdw_err_set(err, SDW_EUSAGE, "%s: there is no such link (shadow-lab list shows them)",
                    name);
        return NULL;
    }
    *side = reversed;
    return &topology->links[i];
}

static void set_end(struct sdw_lab_end *end, const struct sdw_lab_change *change)
{
    double old = end->rate_bps;
    if (change->rate_bps > 0)
        end->rate_bps = change->rate_bps;
    if (change->buffer_us > 0)
        end->buffer_bytes = (int64_t)(end->rate_bps / 8 * (double)change->buffer_us / 1e6);
    else if (old > 0) /* the buffer keeps its time */
        end->buffer_bytes = (int64_t)((double)end->buffer_bytes * end->rate_bps / old);
    if (change->loss_share > 0 || change->no_loss)
        end->loss_share = change->no_loss ? 0 : change->loss_share;
}

int sdw_lab_change(const char *lab, const char *name, const struct sdw_lab_change *change,
                   int64_t ts, struct sdw_buf *out, struct sdw_err *err)
{
    struct sdw_topology topology = {0};
    int side, lock = -1;
    int code = sdw_lab_load(lab, &topology, err);
    if (code == 0)
        code = lock = sdw_lab_lock(lab, err);
    struct sdw_lab_link *link = code < 0 ? NULL : find(&topology, name, &side, err);
    if (link) {
        set_end(&link->end[side], change);
        code = link->end[side].rate_bps > 0 ? sdw_lab_apply_queue(lab, link, side, err) : 0;
        if (code == 0 && (change->loss_share > 0 || change->no_loss))
            code = sdw_lab_apply_loss(lab, link, side, err);
        if (code == 0)
            code = sdw_lab_save(lab, &topology, err);
        if (code == 0)
            sdw_topology_link_line(&topology, (size_t)(link - topology.links), ts, out);
    } else if (code >= 0) {
        code = SDW_EUSAGE;
    }
    if (lock >= 0)
        close(lock);
    sdw_topology_release(&topology);
    return code;
}

static int put_metric(struct sdw_ctx *ctx, int64_t ts, const char *link, const char *what,
                      int64_t value)
{
    char series[96];
    struct sdw_metric rec;
    sdw_rec_init(&sdw_metric_schema, &rec);
    snprintf(series, sizeof series, "link/%s/%s", link, what);
    rec.ts = ts;
    rec.series = sdw_str_of(series);
    rec.value = (double)value;
    return sdw_rec_put(ctx, &sdw_metric_schema, &rec);
}

int sdw_lab_put_counters(struct sdw_ctx *ctx, const char *lab, const char *name)
{
    struct sdw_topology topology = {0};
    struct sdw_qdisc_count count;
    int side;
    int code = sdw_lab_load(lab, &topology, &ctx->err);
    const struct sdw_lab_link *link = code < 0 ? NULL : find(&topology, name, &side, &ctx->err);
    if (code == 0)
        code =
            link ? inside(lab, link->end[side].node_name, read_queue, link, side, &count, &ctx->err)
                 : SDW_EUSAGE;
    int64_t now = sdw_wall_us();
    if (code == 0)
        code = put_metric(ctx, now, name, "bytes", count.bytes);
    if (code == 0)
        code = put_metric(ctx, now, name, "packets", count.packets);
    if (code == 0)
        code = put_metric(ctx, now, name, "drops", count.drops);
    if (code == 0)
        code = put_metric(ctx, now, name, "backlog_bytes", count.backlog_bytes);
    sdw_topology_release(&topology);
    return code;
}
