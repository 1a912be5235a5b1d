#include "steer/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int sdw_load_resolve(struct sdw_netlink *netlink, struct sdw_steer_unit *unit, bool *up,
                     struct sdw_err *err)
{
    for (size_t i = 0; i < unit->n_ways; i++) {
        struct sdw_link_state link;
        int got = sdw_link_get(netlink, 0, unit->way[i].dev, &link, err);
        if (got < 0)
            return got;
        unit->way[i].gateway.ifindex = link.ifindex;
        up[i] = link.carrier;
    }
    return 0;
}

static struct sdw_steer_dev *dev_at(struct sdw_steer *steer, const char *name)
{
    for (size_t i = 0; i < steer->n_dev; i++)
        if (strcmp(steer->dev[i]->name, name) == 0)
            return steer->dev[i];
    struct sdw_steer_dev *dev = sdw_xalloc(sizeof *dev);
    snprintf(dev->name, sizeof dev->name, "%s", name);
    dev->tx_bps = dev->rx_bps = NAN;
    SDW_GROW(steer->dev, steer->dev_cap, steer->n_dev + 1);
    return steer->dev[steer->n_dev++] = dev;
}

/* Take over what the kernel says of an interface; rates from the second sample on. */
static void take(struct sdw_steer_dev *dev, const struct sdw_link_state *link, int64_t now_us)
{
    double seconds = (double)(now_us - dev->sampled_us) / 1e6;
    if (dev->sampled_us && seconds > 0 && link->ifindex == dev->ifindex &&
        link->tx_bytes >= dev->tx_bytes && link->rx_bytes >= dev->rx_bytes) {
        dev->tx_bps = (double)(link->tx_bytes - dev->tx_bytes) * 8 / seconds;
        dev->rx_bps = (double)(link->rx_bytes - dev->rx_bytes) * 8 / seconds;
    }
    dev->ifindex = link->ifindex;
    dev->carrier = link->carrier;
    dev->tx_bytes = link->tx_bytes;
    dev->rx_bytes = link->rx_bytes;
    dev->sampled_us = now_us;
}

/* Its part of a counter that several units share. */
static double weight_of(const struct sdw_steer_unit *unit)
{
    return isnan(unit->load_bps) || unit->load_bps <= 0 ? 1 : unit->load_bps;
}

int sdw_load_start(struct sdw_steer *steer, struct sdw_err *err)
{
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_unit *unit = &steer->plan.unit[u];
        struct sdw_steer_run *run = &steer->run[u];
        for (size_t i = 0; i < unit->n_ways; i++) {
            run->dev[i] = dev_at(steer, unit->way[i].dev);
            run->others_bps[i] = NAN;
        }
        run->load_dev = unit->load_dev[0] ? dev_at(steer, unit->load_dev) : NULL;
        if (run->load_dev)
            run->load_dev->weight += weight_of(unit);
    }
    for (size_t d = 0; d < steer->n_dev && steer->has_netlink; d++) {
        struct sdw_link_state link;
        int got = sdw_link_get(&steer->netlink, 0, steer->dev[d]->name, &link, err);
        if (got < 0)
            return got;
        if (got)
            take(steer->dev[d], &link, steer->now_us);
    }
    for (size_t u = 0; u < steer->plan.n; u++)
        for (size_t i = 0; i < steer->plan.unit[u].n_ways; i++) {
            const struct sdw_steer_dev *dev = steer->run[u].dev[i];
            steer->plan.unit[u].way[i].gateway.ifindex = dev->ifindex;
            /* A rehearsal elsewhere has none of the interfaces: they are taken to be well. */
            steer->run[u].up[i] = dev->carrier || (!steer->options.apply && !dev->ifindex);
        }
    return 0;
}

void sdw_load_release(struct sdw_steer *steer)
{
    for (size_t i = 0; i < steer->n_dev; i++)
        free(steer->dev[i]);
    free(steer->dev);
    steer->dev = NULL;
    steer->n_dev = steer->dev_cap = 0;
}

/* What is on a shadow's interface beyond our own: known while we have nothing there. */
static double ours_on(struct sdw_steer_run *run, size_t way)
{
    double rate = run->dev[way]->tx_bps;
    if (isnan(rate))
        return 0;
    if (run->share[way] <= 0) {
        double before = run->others_bps[way];
        run->others_bps[way] = isnan(before) ? rate : before + 0.3 * (rate - before);
        return 0;
    }
    return fmax(0, rate - (isnan(run->others_bps[way]) ? 0 : run->others_bps[way]));
}

/* All that the unit's load counter tells, before it is split among the units that share it. */
static double counted(struct sdw_steer_run *run)
{
    bool own_way = false;
    for (size_t i = 0; i < run->unit->n_ways; i++)
        own_way = own_way || run->dev[i] == run->load_dev;
    if (!own_way) {
        for (size_t i = 1; i < run->unit->n_ways; i++)
            (void)ours_on(run, i);
        return run->load_dev->rx_bps;
    }
    double sum = run->dev[0]->tx_bps;
    for (size_t i = 1; i < run->unit->n_ways; i++)
        if (run->dev[i] != run->dev[0])
            sum += ours_on(run, i);
    return sum;
}

int sdw_load_sample(struct sdw_steer *steer, struct sdw_err *err)
{
    for (size_t d = 0; d < steer->n_dev && steer->has_netlink; d++) {
        struct sdw_link_state link;
        if (!steer->dev[d]->ifindex)
            continue;
        int got = sdw_link_get(&steer->netlink, steer->dev[d]->ifindex, NULL, &link, err);
        if (got < 0)
            return got;
        if (got)
            take(steer->dev[d], &link, steer->now_us);
    }
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        double load = run->load_dev && run->load_dev->ifindex
                          ? counted(run) * weight_of(run->unit) / run->load_dev->weight
                          : run->unit->load_bps;
        if (!isnan(load))
            run->load[run->loads++ % SDW_LOADS] = load;
    }
    return 0;
}

bool sdw_load_notice(struct sdw_steer *steer, const struct sdw_link_state *link, bool gone)
{
    for (size_t d = 0; d < steer->n_dev; d++) {
        struct sdw_steer_dev *dev = steer->dev[d];
        bool same = dev->ifindex == link->ifindex || strcmp(dev->name, link->name) == 0;
        bool carrier = link->carrier && !gone;
        if (!same || (dev->carrier == carrier && dev->ifindex == link->ifindex))
            continue;
        dev->carrier = carrier;
        if (dev->ifindex != link->ifindex)
            dev->sampled_us = 0;
        dev->ifindex = gone ? 0 : link->ifindex;
        return true;
    }
    return false;
}

static size_t samples(const struct sdw_steer_run *run)
{
    return run->loads < SDW_LOADS ? (size_t)run->loads : SDW_LOADS;
}

double sdw_load_now(const struct sdw_steer_run *run)
{
    size_t n = samples(run), last = n < 3 ? n : 3;
    double sum = 0;
    if (n == 0)
        return run->unit->load_bps;
    for (size_t i = 0; i < last; i++)
        sum += run->load[(run->loads - 1 - i) % SDW_LOADS];
    return sum / (double)last;
}

double sdw_load_upper(const struct sdw_steer *steer, const struct sdw_steer_run *run)
{
    size_t n = samples(run);
    double most = n ? 0 : run->unit->load_bps;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, run->load[i]);
    return most * steer->options.headroom;
}

double sdw_load_ahead(const struct sdw_steer_run *run, int64_t ahead_us, int64_t cycle_us)
{
    size_t n = samples(run);
    double now = sdw_load_now(run), sum = 0, slope = 0, middle = ((double)n - 1) / 2;
    if (n < SDW_LOADS)
        return now;
    for (size_t i = 0; i < n; i++) {
        double cycles = (double)(n - 1 - i) - middle; /* i: how many cycles ago */
        slope += cycles * run->load[(run->loads - 1 - i) % SDW_LOADS];
        sum += cycles * cycles;
    }
    /* The mean of the last three is one cycle old. No load is expected to grow by more than a
     * quarter: a step is no trend. */
    double growth = slope / sum * (1 + (double)ahead_us / (double)cycle_us);
    return now + fmin(fmax(0, growth), 0.25 * now);
}

static bool same_path(const struct sdw_steer_run *a, size_t i, const struct sdw_steer_run *b,
                      size_t k)
{
    if (a->sight[i] && b->sight[k])
        return a->sight[i] == b->sight[k];
    return strcmp(a->unit->way[i].name, b->unit->way[k].name) == 0;
}

double sdw_load_own(const struct sdw_steer *steer, const struct sdw_steer_run *run, size_t way,
                    bool upper)
{
    double sum = 0;
    for (size_t u = 0; u < steer->plan.n; u++) {
        const struct sdw_steer_run *other = &steer->run[u];
        double load = upper ? sdw_load_upper(steer, other) : sdw_load_now(other);
        for (size_t k = 0; k < other->unit->n_ways && !isnan(load); k++)
            if (other->share[k] > 0 && same_path(run, way, other, k))
                sum += load * other->share[k];
    }
    return sum;
}
