#include "steer/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double least_bps = 1e-3, part_weight = 0.3;

bool sdw_load_any(const bool *hop_up, size_t n)
{
    bool any = false;
    for (size_t k = 0; k < n; k++)
        any = any || hop_up[k];
    return any;
}

int sdw_load_resolve(struct sdw_netlink *netlink, struct sdw_steer_unit *unit, bool *up,
                     bool *hop_up, struct sdw_err *err)
{
    for (size_t k = 0; k < unit->n_hops; k++) {
        struct sdw_link_state link;
        int got = sdw_link_get(netlink, 0, unit->hop[k].dev, &link, err);
        if (got < 0)
            return got;
        unit->hop[k].gateway.ifindex = link.ifindex;
        hop_up[k] = link.carrier;
    }
    up[0] = sdw_load_any(hop_up, unit->n_hops);
    for (size_t i = 1; i < unit->n_ways; i++) {
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

/* Add a share of the unit's load to what is on the path of a way. */
static void add_own(const struct sdw_steer *steer, struct sdw_steer_run *run, size_t way,
                    double share)
{
    double now = sdw_load_now(run), upper = sdw_load_upper(steer, run);
    struct sdw_sight *sight = run->sight[way];
    struct sdw_own *const sums[] = {&run->named[way]->all,
                                    sight ? &sight->own : &run->named[way]->unseen};
    for (size_t i = 0; i < SDW_LEN(sums); i++) {
        sums[i]->now_bps += isnan(now) ? 0 : share * now;
        sums[i]->upper_bps += isnan(upper) ? 0 : share * upper;
    }
}

/* From the beginning: the loads have changed. */
static void count_own(struct sdw_steer *steer)
{
    for (size_t u = 0; u < steer->plan.n; u++)
        for (size_t i = 0; i < steer->run[u].unit->n_ways; i++) {
            *steer->run[u].named[i] = (struct sdw_named_own){0};
            if (steer->run[u].sight[i])
                steer->run[u].sight[i]->own = (struct sdw_own){0};
        }
    for (size_t u = 0; u < steer->plan.n; u++)
        for (size_t i = 0; i < steer->run[u].unit->n_ways; i++)
            add_own(steer, &steer->run[u], i, steer->run[u].part[i]);
}

/* A rehearsal elsewhere has none of the interfaces: they are taken to be well. */
static bool is_up(const struct sdw_steer *steer, const struct sdw_steer_dev *dev)
{
    return dev->carrier || (!steer->options.apply && !dev->ifindex);
}

static void start_links(const struct sdw_steer *steer, struct sdw_steer_unit *unit,
                        struct sdw_steer_run *run)
{
    for (size_t k = 0; k < unit->n_hops; k++) {
        unit->hop[k].gateway.ifindex = run->hop_dev[k]->ifindex;
        run->hop_up[k] = is_up(steer, run->hop_dev[k]);
    }
    for (size_t i = 0; i < unit->n_ways; i++) {
        unit->way[i].gateway.ifindex = run->dev[i]->ifindex;
        run->up[i] = is_up(steer, run->dev[i]);
    }
    run->up[0] = sdw_load_any(run->hop_up, unit->n_hops);
}

int sdw_load_start(struct sdw_steer *steer, struct sdw_err *err)
{
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_unit *unit = &steer->plan.unit[u];
        struct sdw_steer_run *run = &steer->run[u];
        for (size_t i = 0; i < unit->n_ways; i++) {
            run->dev[i] = dev_at(steer, unit->way[i].dev);
            run->dev[i]->ways++;
            run->others_bps[i] = NAN;
            run->part[i] = run->share[i];
        }
        for (size_t k = 0; k < unit->n_hops; k++)
            run->hop_dev[k] = dev_at(steer, unit->hop[k].dev);
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
        start_links(steer, &steer->plan.unit[u], &steer->run[u]);
    count_own(steer);
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

/* A group spreads flows, not load: some are large. How much of the load really goes by a shadow is
 * seen where nothing else that is steered goes by its interface; what does not, is on the primary.
 */
static void weigh_parts(const struct sdw_steer *steer, struct sdw_steer_run *run)
{
    double load = sdw_load_now(run), left = 1;
    for (size_t i = 1; i < run->unit->n_ways; i++) {
        const struct sdw_steer_dev *dev = run->dev[i];
        bool settled = dev->sampled_us > run->changed_us + 2 * steer->options.cycle_us;
        if (run->share[i] > 0 && settled && dev->ways == 1 && load > 0 && !isnan(dev->tx_bps))
            run->part[i] += part_weight * (ours_on(run, i) / load - run->part[i]);
        run->part[i] = fmin(run->part[i], left);
        left -= run->part[i];
    }
    run->part[0] = left;
}

/* Whether the primary goes by this interface with one of its first n hops. */
static bool primary_has(const struct sdw_steer_run *run, const struct sdw_steer_dev *dev, size_t n)
{
    bool has = false;
    for (size_t k = 0; k < n; k++)
        has = has || run->hop_dev[k] == dev;
    return has;
}

/* What the interfaces of the primary send, each counted once. */
static double primary_tx(const struct sdw_steer_run *run)
{
    double sum = 0;
    for (size_t k = 0; k < run->unit->n_hops; k++)
        if (!primary_has(run, run->hop_dev[k], k))
            sum += run->hop_dev[k]->tx_bps;
    return sum;
}

/* All that the unit's load counter tells, before it is split among the units that share it. */
static double counted(struct sdw_steer_run *run)
{
    bool own_way = primary_has(run, run->load_dev, run->unit->n_hops);
    for (size_t i = 1; i < run->unit->n_ways; i++)
        own_way = own_way || run->dev[i] == run->load_dev;
    if (!own_way) {
        for (size_t i = 1; i < run->unit->n_ways; i++)
            (void)ours_on(run, i);
        return run->load_dev->rx_bps;
    }
    double sum = primary_tx(run);
    for (size_t i = 1; i < run->unit->n_ways; i++)
        if (!primary_has(run, run->dev[i], run->unit->n_hops))
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
        weigh_parts(steer, run);
    }
    count_own(steer);
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
    /* The mean of the last three is one cycle old. A step is no trend. */
    double growth = slope / sum * (1 + (double)ahead_us / (double)cycle_us);
    return now + fmin(fmax(0, growth), SDW_GROWTH_MOST * now);
}

void sdw_load_shares(struct sdw_steer *steer, struct sdw_steer_run *run, const double *share)
{
    steer->away += share[0] < 1;
    steer->away -= run->share[0] < 1;
    double left = 1;
    for (size_t i = run->unit->n_ways; i-- > 0;) {
        double before = run->part[i];
        if (i == 0)
            run->part[i] = left;
        else if (run->share[i] > 0 && share[i] > 0)
            run->part[i] = fmin(fmax(before + share[i] - run->share[i], 0), left);
        else
            run->part[i] = fmin(share[i], left);
        left -= run->part[i];
        if (run->part[i] > before || run->part[i] < before)
            add_own(steer, run, i, run->part[i] - before);
        run->share[i] = share[i];
    }
}

double sdw_load_own(const struct sdw_steer_run *run, size_t way, bool upper)
{
    const struct sdw_sight *sight = run->sight[way];
    const struct sdw_named_own *named = run->named[way];
    double sum = upper ? named->all.upper_bps : named->all.now_bps;
    if (sight)
        sum = upper ? sight->own.upper_bps + named->unseen.upper_bps
                    : sight->own.now_bps + named->unseen.now_bps;
    return sum < least_bps ? 0 : sum; /* what rounding left of nothing */
}
