#include "steer/guard.h"
#include "steer/join.h"
#include "steer/layout.h"
#include "steer/load.h"
#include "steer/policy.h"
#include "steer/sight.h"
#include "unit/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t second = 1000000;

static void test_excess(void)
{
    struct sdw_policy_answer a;
    struct sdw_policy_ask ask = {.n = 3,
                                 .share = {1},
                                 .load_bps = 10e6,
                                 .excess_bps = 2e6,
                                 .least_share = 0.05,
                                 .usable = {false, true, true},
                                 .room_bps = {0, 5e6, 5e6}};
    sdw_policy_excess(&ask, &a);
    is_near(a.share[1], 0.2, 1e-9, "only the excess moves");
    is_near(a.share[2], 0, 1e-9, "to the first shadow while that has room");
    is_near(a.moved_bps, 2e6, 1, "what moves is stated");

    ask.excess_bps = 7e6;
    sdw_policy_excess(&ask, &a);
    is_near(a.share[1], 0.5, 1e-9, "a shadow is filled to its room");
    is_near(a.share[2], 0.2, 1e-9, "and the next takes the rest");

    ask.excess_bps = 12e6;
    ask.room_bps[1] = 2e6;
    ask.room_bps[2] = 1e6;
    sdw_policy_excess(&ask, &a);
    is_near(a.share[0], 0.7, 1e-9, "no more moves than the shadows have room for");
    is_near(a.missing_bps, 7e6, 1, "what found no room is stated");

    ask.usable[1] = ask.usable[2] = false;
    sdw_policy_excess(&ask, &a);
    is_near(a.share[0], 1, 1e-9, "nothing moves to a shadow that is not verified");

    ask.excess_bps = -1;
    ask.usable[1] = true;
    sdw_policy_excess(&ask, &a);
    is_near(a.share[0], 1, 1e-9, "nothing moves without excess");

    ask.excess_bps = INFINITY;
    ask.usable[2] = true;
    sdw_policy_excess(&ask, &a);
    is_near(a.share[0], 0, 1e-9, "a dead primary is left altogether");
    is_near(a.share[1] + a.share[2], 1, 1e-9, "and the shadows carry all of it");
    ok(a.share[1] > a.share[2], "the one with more room carries more");
}

static void test_seed(void)
{
    static const struct {
        double prediction, anomaly, away;
    } rows[] = {{0, 0, 0.10}, {1, 0, 0.10}, {2, 1, 0.30}, {5, 0, 0.50}, {5, 5, 0.50}};
    struct sdw_policy_answer a;
    struct sdw_policy_ask ask = {.n = 3,
                                 .share = {1},
                                 .load_bps = 1e6,
                                 .usable = {false, true, true},
                                 .room_bps = {0, 1e9, 1e9}};
    for (size_t i = 0; i < SDW_LEN(rows); i++) {
        sdw_policy_seed(&ask, rows[i].prediction, rows[i].anomaly, &a);
        is_near(1 - a.share[0], rows[i].away, 1e-9, "severities %g and %g move %g",
                rows[i].prediction, rows[i].anomaly, rows[i].away);
        is_near(a.share[1], a.share[2], 0.006, "split evenly over the shadows");
    }
    ask.room_bps[1] = ask.room_bps[2] = 0.1e6;
    sdw_policy_seed(&ask, 5, 5, &a);
    is_near(1 - a.share[0], 0.2, 1e-9, "the seed's rule too is bounded by room");
    is_near(a.missing_bps, 0.3e6, 1, "and says what is missing");
}

static void test_return(void)
{
    struct sdw_policy_answer a;
    struct sdw_policy_ask ask = {.n = 3, .share = {0.7, 0.2, 0.1}, .load_bps = 1e6};
    sdw_policy_return(&ask, 0.01, &a);
    is_near(a.share[0], 0.71, 1e-9, "one step back is one per cent");
    is_near(a.share[2], 0.09, 1e-9, "the last shadow gives first");
    sdw_policy_return(&ask, 1, &a);
    is_near(a.share[0], 1, 1e-9, "a step larger than what is away ends at the primary");
}

static double sum_of(const unsigned *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    return sum;
}

/* Which member a hash falls to, as the kernel's hash-threshold does. */
static size_t way_of(const struct sdw_nexthop_member *member, size_t n, double point)
{
    double sum = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        sum += member[i].weight;
    for (size_t i = 0; i < n; i++) {
        at += member[i].weight / sum;
        uint32_t offset = member[i].id & 15;
        if (point < at)
            return offset < 8 ? 0 : offset - 7;
    }
    return 99;
}

/* Ramp from 0 to 50 % in steps of 1 % over the shadows; the share of hash points that move. */
static double moved_by_ramp(size_t shadows, bool *twice)
{
    struct sdw_steer_unit unit = {.n_ways = 1 + shadows, .n_hops = 1, .hop[0].weight = 1};
    double share[SDW_WAYS_MAX] = {1};
    bool up[SDW_WAYS_MAX] = {true};
    size_t points = 20000, moves = 0;
    *twice = false;
    for (size_t p = 0; p < points; p++) {
        size_t before = 0, count = 0;
        for (int step = 0; step <= 50; step++) {
            struct sdw_nexthop_member member[SDW_NEXTHOP_MEMBERS];
            for (size_t i = 1; i <= shadows; i++)
                share[i] = step / 100.0 / (double)shadows;
            share[0] = 1 - step / 100.0;
            struct sdw_target target = {&unit, 3, up, up, share, NULL};
            size_t n = sdw_layout_members(&target, 0, member);
            size_t now = way_of(member, n, ((double)p + 0.5) / (double)points);
            count += now != before;
            before = now;
        }
        moves += count;
        *twice = *twice || count > 1;
    }
    return (double)moves / (double)points;
}

static void test_members(void)
{
    unsigned weight[3];
    const double share[3] = {0.333, 0.333, 0.334}, tiny[3] = {0.999, 0.001, 0};
    bool twice;
    sdw_share_weights(share, 3, SDW_SHARE_STEPS, weight);
    is_near(sum_of(weight, 3), SDW_SHARE_STEPS, 0, "weights add up");
    sdw_share_weights(tiny, 3, SDW_SHARE_STEPS, weight);
    ok(weight[1] == 1 && weight[2] == 0, "a share above nothing has a weight, none has none");
    for (size_t shadows = 1; shadows <= 2; shadows++) {
        double moved = moved_by_ramp(shadows, &twice);
        ok(moved <= 0.5 * 1.05, "a ramp to 50 %% over %zu shadows moves %.3f of the flows", shadows,
           moved);
        ok(!twice, "and none of them twice");
    }
}

/* Which hop of the primary (way 0) or which shadow (10 + way) a point of the hash falls to. */
static size_t place_of(const struct sdw_nexthop_member *member, size_t n, double point)
{
    double sum = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        sum += member[i].weight;
    for (size_t i = 0; i < n; i++) {
        at += member[i].weight / sum;
        if (point < at)
            return (member[i].id & 15) < 8 ? (member[i].id & 127) / SDW_IDS_HOP
                                           : 10 + (member[i].id & 15) - 7;
    }
    return 99;
}

/* A primary of several hops: as its route while all is there, every hop gives its part. */
static void test_several_hops(void)
{
    static const unsigned weights[][3] = {{1, 1, 1}, {1, 3, 2}, {10, 1, 256}, {7, 130, 64}};
    const bool up[SDW_WAYS_MAX] = {true, true, true};
    enum { POINTS = 5000 };
    for (size_t w = 0; w < SDW_LEN(weights); w++) {
        struct sdw_steer_unit unit = {.n_ways = 3, .n_hops = 3};
        double sum = 0, least = 1, read[SDW_WAYS_MAX], share[SDW_WAYS_MAX] = {1};
        struct sdw_target target = {&unit, 5, up, up, share, NULL};
        struct sdw_nexthop before = {.id = 1}, after = {.id = 1};
        for (size_t k = 0; k < 3; k++)
            sum += unit.hop[k].weight = weights[w][k];
        before.n = sdw_layout_members(&target, 0, before.member);
        bool exact = before.n == 3;
        for (size_t k = 0; k < before.n; k++)
            exact = exact && before.member[k].weight * weights[w][0] ==
                                 before.member[0].weight * weights[w][k];
        ok(exact, "weights %zu: all on the primary is exactly its route", w);

        share[0] = 0.6, share[1] = 0.3, share[2] = 0.1;
        after.n = sdw_layout_members(&target, 0, after.member);
        ok(sdw_layout_shares(5, 3, &after, read), "weights %zu: a split is known", w);
        for (size_t i = 0; i < 3; i++)
            is_near(read[i], share[i], 0.51 / 128, "weights %zu, way %zu: its share", w, i);
        size_t moved = 0, strayed = 0, stayed[3] = {0};
        for (size_t p = 0; p < POINTS; p++) {
            size_t was = place_of(before.member, before.n, ((double)p + 0.5) / POINTS);
            size_t is = place_of(after.member, after.n, ((double)p + 0.5) / POINTS);
            moved += is >= 10;
            strayed += is < 10 && is != was;
            stayed[was < 3 ? was : 0] += is == was;
        }
        for (size_t k = 0; k < 3; k++)
            if (weights[w][k] > 0.1 * sum)
                least = fmin(least, (double)stayed[k] / POINTS / (weights[w][k] / sum));
        ok(strayed == 0, "weights %zu: no flow changes from one hop of the primary to another", w);
        ok(least > 0.57, "weights %zu: every hop gives its part, none more (%.3f stay)", w, least);
        is_near((double)moved / POINTS, 0.4, 0.01, "weights %zu: as much moves as was asked", w);
        share[0] = 0, share[1] = 0.6, share[2] = 0.4;
        after.n = sdw_layout_members(&target, 0, after.member);
        ok(sdw_layout_shares(5, 3, &after, read) && read[0] <= 0,
           "weights %zu: nothing stays when all has to go", w);
    }
}

static void test_a_hop_down(void)
{
    struct sdw_steer_unit unit = {.n_ways = 2, .n_hops = 2, .hop = {{.weight = 1}, {.weight = 2}}};
    const bool up[SDW_WAYS_MAX] = {true, true}, one[SDW_FIB_HOPS] = {false, true},
               none[SDW_FIB_HOPS] = {false};
    const double share[SDW_WAYS_MAX] = {0.75, 0.25}, away[SDW_WAYS_MAX] = {0, 1};
    struct sdw_target target = {&unit, 5, up, one, share, NULL};
    struct sdw_nexthop group = {.id = 1};
    double read[SDW_WAYS_MAX];
    group.n = sdw_layout_members(&target, 0, group.member);
    bool only = group.n == 2;
    for (size_t m = 0; m < group.n; m++)
        only = only && (group.member[m].id & 127) / SDW_IDS_HOP == 1;
    ok(only, "a hop that is down takes no part");
    ok(sdw_layout_shares(5, 2, &group, read), "the others have");
    is_near(read[1], 0.25, 1e-9, "the share that is asked");
    target.hop_up = none;
    target.share = away;
    group.n = sdw_layout_members(&target, 0, group.member);
    ok(group.n && sdw_layout_shares(5, 2, &group, read) && read[1] >= 1,
       "with all hops down the shadow has everything");
}

/* The two sets of next hops of an IPv6 unit have no id in common and read back alike. */
static void test_sets(void)
{
    struct sdw_steer_unit unit = {.n_ways = 4, .n_hops = 1, .hop[0].weight = 1};
    const double share[SDW_WAYS_MAX] = {0.4, 0.3, 0.2, 0.1};
    const bool up[SDW_WAYS_MAX] = {true, true, true, true};
    struct sdw_target target = {&unit, SDW_SLOTS - 1, up, up, share, NULL};
    struct sdw_nexthop group[2] = {{.id = 1}, {.id = 1}};
    double read[SDW_WAYS_MAX];
    bool shared = false;
    for (size_t set = 0; set < 2; set++) {
        group[set].n = sdw_layout_members(&target, set, group[set].member);
        ok(sdw_layout_shares(target.slot, unit.n_ways, &group[set], read), "set %zu is known", set);
        for (size_t i = 0; i < unit.n_ways; i++)
            is_near(read[i], share[i], 1e-9, "set %zu, way %zu: its share reads back", set, i);
    }
    for (size_t a = 0; a < group[0].n; a++)
        for (size_t b = 0; b < group[1].n; b++)
            shared = shared || group[0].member[a].id == group[1].member[b].id;
    ok(!shared, "the sets have no next hop in common");
}

static void test_guards(void)
{
    struct sdw_guard_rate rate = {.most = 3};
    for (int i = 0; i < 3; i++) {
        ok(sdw_guard_rate_ok(&rate, i * second), "change %d of 3 in a minute is allowed", i + 1);
        sdw_guard_rate_note(&rate, i * second);
    }
    ok(!sdw_guard_rate_ok(&rate, 59 * second), "the fourth is not");
    ok(sdw_guard_rate_ok(&rate, 60 * second), "a minute after the first it is");

    ok(sdw_guard_blast_ok(1, 0, 0.3), "one unit may always move");
    ok(!sdw_guard_blast_ok(3, 1, 0.3), "a second of three may not");
    ok(sdw_guard_blast_ok(10, 2, 0.3) && !sdw_guard_blast_ok(10, 3, 0.3),
       "of ten units three may be away");

    struct sdw_guard_hold hold;
    sdw_guard_hold_init(&hold, 300 * second);
    is_near((double)sdw_guard_hold_us(&hold, 0), 300e6, 0, "the hold starts at its base");
    sdw_guard_hold_reversed(&hold, 1000 * second);
    is_near((double)sdw_guard_hold_us(&hold, 1001 * second), 600e6, 0, "a reversal doubles it");
    for (int i = 0; i < 20; i++)
        sdw_guard_hold_reversed(&hold, (1001 + i) * second);
    is_near((double)sdw_guard_hold_us(&hold, 1021 * second), 3600e6, 0, "up to an hour");
    is_near((double)sdw_guard_hold_us(&hold, 100000 * second), 300e6, 0, "and it decays");

    ok(!sdw_guard_stale(100 * second, 101 * second, 0, 10 * second), "a fresh record is taken");
    ok(sdw_guard_stale(100 * second, 111 * second, 0, 10 * second), "an old one is not");
    ok(sdw_guard_stale(100 * second, 90 * second, 0, 10 * second), "nor one from the future");
    ok(sdw_guard_stale(80 * second, 85 * second, 95 * second, 10 * second),
       "nor one behind the newest: a clock went back");
}

static void test_sight(void)
{
    struct sdw_sight *sight = sdw_sight_new("B");
    int64_t now = 1000 * second, fresh = 30 * second;
    ok(sdw_sight_doubt(NULL, now, fresh, 0.01), "a path nobody measured is in doubt");
    ok(sdw_sight_doubt(sight, now, fresh, 0.01), "so is one without a measurement");
    sdw_sight_available(sight, now, 6e6, 5e6, 1e6);
    ok(!sdw_sight_doubt(sight, now, fresh, 0.01), "a measured one is verified");
    ok(sdw_sight_doubt(sight, now + 31 * second, fresh, 0.01), "until that is too old");
    is_near(sdw_sight_room(sight, NAN, 1e6, 0.8), 0.8 * 6e6 - 1e6, 1,
            "its room counts from the safe bound, with our own load");
    is_near(sdw_sight_room(sight, 2e6, 1e6, 0.8), 0.6e6, 1, "and the plan's capacity bounds it");
    is_near(sdw_sight_usable_upper(sight), 6e6 + 1e6, 1, "one reading leaves no doubt to add");
    sdw_sight_loss(sight, now, 0.1);
    ok(sdw_sight_doubt(sight, now, fresh, 0.01), "a path that loses packets is in doubt");
    sdw_sight_loss(sight, now + 1, 0.0);
    ok(!sdw_sight_doubt(sight, now, fresh, 0.01), "until it loses no more");
    sdw_sight_trouble(sight, now, "trouble");
    ok(sdw_sight_doubt(sight, now, fresh, 0.01), "trouble puts it in doubt");
    sdw_sight_recovered(sight, now + 1);
    ok(!sdw_sight_doubt(sight, now + 1, fresh, 0.01), "until it recovers");
    ok(!sdw_sight_well_since(sight, now, now + second, fresh, 0.01),
       "what was measured before a move does not confirm it");
    sdw_sight_available(sight, now + second, 6e6, NAN, 1e6);
    ok(sdw_sight_well_since(sight, now, now + second, fresh, 0.01), "what came after it does");
    sdw_sight_warn(sight, now + second);
    ok(sdw_sight_doubt(sight, now + second, fresh, 0.01), "a forecast breach makes it no standby");
    ok(sdw_sight_well_since(sight, now, now + second, fresh, 0.01), "but is no reason to leave it");
    free(sight);
}

static void test_load_ahead(void)
{
    struct sdw_steer_run *run = sdw_xalloc(sizeof *run);
    for (int i = 0; i < 6; i++)
        run->load[run->loads++ % SDW_LOADS] = 1e6 * i;
    is_near(sdw_load_ahead(run, 5 * second, second), sdw_load_now(run), 1,
            "a load that is seen for a short time is taken to stay");
    for (int i = 0; i < SDW_LOADS; i++)
        run->load[run->loads++ % SDW_LOADS] = 4e6 + 1e5 * i;
    is_near(sdw_load_ahead(run, 5 * second, second), 4e6 + 1e5 * (SDW_LOADS - 1 + 5), 1,
            "one that grows goes on to grow");
    for (int i = 0; i < SDW_LOADS; i++)
        run->load[run->loads++ % SDW_LOADS] = 4e6 - 1e5 * i;
    is_near(sdw_load_ahead(run, 5 * second, second), sdw_load_now(run), 1,
            "one that falls is taken to stay");
    for (int i = 0; i < SDW_LOADS; i++)
        run->load[run->loads++ % SDW_LOADS] = i < SDW_LOADS / 2 ? 0 : 4e6;
    is_near(sdw_load_ahead(run, 60 * second, second), 5e6, 1, "and a step is no trend");
    free(run);
}

static const char *unit_text(int i, const char *path)
{
    static char line[512];
    snprintf(line, sizeof line,
             "{\"type\":\"unit\",\"v\":1,\"ts\":1,\"unit\":\"u%d\",\"match\":{\"prefix\":"
             "\"10.9.%d.0/24\"},\"primary\":{\"via\":\"10.0.0.1\",\"dev\":\"none0\"%s},\"shadows\":"
             "[{\"via\":\"10.0.0.2\",\"dev\":\"none1\",\"path_id\":\"B\"}],\"load_bps\":1e6}",
             i, i, path);
    return line;
}

/* A group spreads flows: where one is large, the interface knows how much of the load it got. */
static void test_parts(void)
{
    const double half[] = {0.5, 0.5}, third[] = {0.4, 0.6}, home[] = {1, 0};
    struct sdw_steer *steer = sdw_xalloc(sizeof *steer);
    struct sdw_err err = {0};
    (void)sdw_steer_plan_add(&steer->plan, sdw_str_of(unit_text(0, ",\"path_id\":\"P\"")), &err);
    struct sdw_steer_run *run = steer->run = sdw_xalloc(sizeof *run);
    run->unit = &steer->plan.unit[0];
    run->share[0] = 1;
    steer->options.headroom = 1;
    sdw_join_plan(steer);
    (void)sdw_load_start(steer, &err);
    sdw_load_shares(steer, run, half);
    struct sdw_steer_dev *dev = run->dev[1];
    dev->tx_bps = 2e5;
    run->others_bps[1] = 1e5;
    for (int i = 0; i < 20; i++)
        (void)sdw_load_sample(steer, &err);
    is_near(sdw_load_own(run, 1, false), 5e5, 1, "a count from before the change tells nothing");
    dev->sampled_us = 1;
    for (int i = 0; i < 20; i++)
        (void)sdw_load_sample(steer, &err);
    is_near(sdw_load_own(run, 1, false), 1e5, 1e3, "half of the flows carry a tenth of the load");
    is_near(sdw_load_own(run, 0, false), 9e5, 1e3, "and the rest is on the primary");
    sdw_load_shares(steer, run, third);
    is_near(sdw_load_own(run, 1, false), 2e5, 1e3, "a tenth of the flows more adds its share");
    dev->ways = 2;
    dev->tx_bps = 9e5;
    (void)sdw_load_sample(steer, &err);
    is_near(sdw_load_own(run, 1, false), 2e5, 1e3, "an interface of several units does not tell");
    sdw_load_shares(steer, run, home);
    is_near(sdw_load_own(run, 0, false), 1e6, 1, "at home the primary has all");
    sdw_join_release(steer);
    sdw_load_release(steer);
    sdw_steer_plan_release(&steer->plan);
    free(run);
    free(steer);
}

/* Our load on a path is that of all units that go by it, as their shares change. */
static void test_own_load(void)
{
    static const char *const paths[] = {",\"path_id\":\"P\"", ",\"path_id\":\"P\"",
                                        ",\"path_id\":\"Q\"", ""};
    const double half[] = {0.5, 0.5}, home[] = {1, 0}, off[] = {0, 1};
    struct sdw_steer *steer = sdw_xalloc(sizeof *steer);
    struct sdw_err err = {0};
    for (int i = 0; i < 4; i++)
        ok(sdw_steer_plan_add(&steer->plan, sdw_str_of(unit_text(i, paths[i])), &err) == 0,
           "unit %d: %s", i, err.text);
    struct sdw_steer_run *run = steer->run = sdw_xalloc(4 * sizeof *run);
    for (size_t u = 0; u < 4; u++) {
        run[u].unit = &steer->plan.unit[u];
        run[u].share[0] = 1;
    }
    steer->options.headroom = 1.5;
    sdw_join_plan(steer);
    ok(sdw_load_start(steer, &err) == 0, "loads are counted without a kernel");
    is_near(sdw_load_own(&run[0], 0, false), 3e6, 1,
            "path P has its two units, and the one by the same next hop that names no path");
    is_near(sdw_load_own(&run[2], 0, false), 2e6, 1, "path Q has one, and that one too");
    is_near(sdw_load_own(&run[3], 0, false), 4e6, 1, "that one counts all by its next hop");
    is_near(sdw_load_own(&run[0], 0, true), 4.5e6, 1, "by upper estimates it is more");
    ok(sdw_load_own(&run[0], 1, false) <= 0 && steer->away == 0, "nothing is away");
    sdw_load_shares(steer, &run[0], half);
    is_near(sdw_load_own(&run[1], 0, false), 2.5e6, 1, "half of a unit has left path P");
    is_near(sdw_load_own(&run[2], 1, false), 0.5e6, 1, "and is on path B, for every unit");
    ok(steer->away == 1, "one unit is away");
    for (size_t u = 0; u < 4; u++)
        sdw_load_shares(steer, &run[u], off);
    ok(sdw_load_own(&run[0], 0, false) <= 0 && steer->away == 4, "all are away");
    is_near(sdw_load_own(&run[0], 1, false), 4e6, 1, "path B has everything");
    for (size_t u = 0; u < 4; u++)
        sdw_load_shares(steer, &run[u], home);
    ok(sdw_load_own(&run[0], 1, false) <= 0 && steer->away == 0, "and nothing once all are home");
    sdw_join_release(steer);
    sdw_load_release(steer);
    sdw_steer_plan_release(&steer->plan);
    free(run);
    free(steer);
}

int main(void)
{
    test_own_load();
    test_parts();
    test_excess();
    test_seed();
    test_return();
    test_members();
    test_several_hops();
    test_a_hop_down();
    test_sets();
    test_guards();
    test_sight();
    test_load_ahead();
    return tap_done();
}
