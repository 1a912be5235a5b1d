/* The climb of the schedule lockin: what it injects, when it goes on, and when it stops. */
#include "core/rng.h"
#include "net/lockin.h"
#include "net/run.h"
#include "unit/tap.h"

#include <math.h>

enum { HOPS = 5, MS = 1000000, WINDOW_BYTES = 3000000 };

static struct sdw_aim aim_of(double available_bps, double max_bps)
{
    struct sdw_aim aim = sdw_aim(max_bps);
    aim.available_bps = available_bps;
    return aim;
}

static double level_of(double us)
{
    return log1p(us / 100);
}

/* One slot in which hop adds us, the others a little. */
static void feed(struct sdw_lockin *lockin, unsigned pair, bool on, unsigned hop, double us)
{
    double level[SDW_HOPS_MAX + 1];
    struct sdw_ticket ticket = {.pair = pair, .on = on};
    for (unsigned i = 1; i <= HOPS; i++)
        level[i] = level_of(i == hop ? us : 3);
    sdw_lockin_feed(lockin, &ticket, level);
}

/* A pair in which load adds us at hop. */
static void feed_pair(struct sdw_lockin *lockin, unsigned pair, unsigned hop, double us)
{
    feed(lockin, pair, pair % 2, hop, pair % 2 ? us : 0);
    feed(lockin, pair, !(pair % 2), hop, pair % 2 ? 0 : us);
}

/* Pairs until the window has seen enough. */
static unsigned length_of(struct sdw_lockin *lockin, const struct sdw_aim *aim, double us)
{
    unsigned pairs = 0;
    sdw_lockin_begin(lockin, HOPS, false);
    while (!sdw_lockin_done(lockin, aim))
        feed_pair(lockin, pairs++, 3, us);
    return pairs;
}

static void climbs(void)
{
    struct sdw_aim aim = aim_of(10e6, 100e6);
    struct sdw_lockin lockin = {.step = 0};
    sdw_lockin_begin(&lockin, HOPS, false);
    is_near(sdw_lockin_rate(&lockin, &aim), 0.5e6, 1, "it starts at 5 %% of what is available");
    double before = 0, most_bytes = 0, queue_s = 0;
    bool rises = true, short_steps = true;
    do {
        double bps = sdw_lockin_rate(&lockin, &aim);
        int64_t ns = sdw_lockin_length_ns(&lockin, &aim, WINDOW_BYTES);
        rises = rises && bps > before;
        before = bps;
        most_bytes = fmax(most_bytes, (double)sdw_lockin_bytes(bps, ns));
        queue_s = fmax(queue_s, (bps / aim.available_bps - 1) * (double)ns / 1e9);
        if (bps < 0.5 * aim.available_bps)
            short_steps = short_steps && length_of(&lockin, &aim, 0) <= 3;
    } while (sdw_lockin_climb(&lockin, &aim));
    ok(rises && before > 2 * aim.available_bps,
       "every step is faster than the one before, and the last reaches more than is available");
    ok(most_bytes <= WINDOW_BYTES / 40.0, "no slot costs more than its part of the bytes");
    ok(queue_s < 0.035, "no slot can queue for more than 35 ms, the guard aside");
    ok(short_steps, "low steps in which nothing happens are short");
    ok(length_of(&lockin, &aim, 0) == 8,
       "the top is looked at in as many pairs as a verdict needs");

    lockin = (struct sdw_lockin){.step = 0};
    aim = aim_of(10e6, 1e6);
    unsigned steps = 1;
    while (sdw_lockin_climb(&lockin, &aim))
        steps++;
    ok(steps == 2 && sdw_lockin_rate(&lockin, &aim) == 1e6,
       "it ends at the highest rate that is allowed");
    ok(sdw_lockin_length_ns(&lockin, &aim, WINDOW_BYTES) <= SDW_LOCKIN_NS,
       "slow slots are not longer than 200 ms");
}

static void stops(void)
{
    struct sdw_aim aim = aim_of(10e6, 100e6);
    struct sdw_lockin lockin = {.step = 0};
    ok(length_of(&lockin, &aim, 2000) == 10 && lockin.found,
       "a clear effect ends the climb with the pair that makes it significant for 5 hops");
    ok(length_of(&lockin, &aim, 200) == 3 && !lockin.found, "an effect below the floor is none");
    sdw_lockin_begin(&lockin, HOPS, true);
    unsigned pairs = 0;
    for (; !sdw_lockin_done(&lockin, &aim); pairs += 3) {
        feed(&lockin, pairs, true, 3, 2000); /* as a window asks limited routers */
        feed(&lockin, pairs + 1, false, 3, 0);
        feed(&lockin, pairs + 1, true, 3, 2000);
        feed(&lockin, pairs, false, 3, 0);
        feed_pair(&lockin, pairs + 2, 3, 2000);
    }
    ok(lockin.found && pairs == 15 && lockin.hop[3].difference[0] > 0,
       "with routers that limit ICMP it waits for five pairs of theirs, halves matched by pair");

    lockin = (struct sdw_lockin){.step = 4};
    sdw_lockin_begin(&lockin, HOPS, false);
    double bps = sdw_lockin_rate(&lockin, &aim);
    sdw_lockin_hurt(&lockin, bps);
    ok(sdw_lockin_rate(&lockin, &aim) < bps && !sdw_lockin_climb(&lockin, &aim),
       "when a slot hurt, none is as fast again");
    sdw_lockin_begin(&lockin, HOPS, false);
    ok(sdw_lockin_rate(&lockin, &aim) < bps, "nor in a later window");
    sdw_lockin_hurt(&lockin, 0);
    ok(sdw_lockin_rate(&lockin, &aim) == bps, "unless slots without load hurt as often");
    sdw_lockin_hurt(&lockin, 2 * bps);
    sdw_lockin_hurt(&lockin, bps / 2);
    sdw_lockin_hurt(&lockin, bps);
    ok(sdw_lockin_rate(&lockin, &aim) < bps / 2, "the slowest that hurt is the ceiling");
}

/* Every third pair says the opposite. */
static unsigned length_of_doubt(struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    unsigned pairs = 0;
    sdw_lockin_begin(lockin, HOPS, false);
    for (; !sdw_lockin_done(lockin, aim); pairs++) {
        feed(lockin, pairs, true, 3, pairs % 3 == 2 ? 3 : 2000);
        feed(lockin, pairs, false, 3, pairs % 3 == 2 ? 1500 : 3);
    }
    return pairs;
}

static void doubts(void)
{
    struct sdw_aim aim = aim_of(10e6, 100e6);
    struct sdw_lockin low = {.step = 0}, top = {.step = 8};
    unsigned pairs = length_of_doubt(&low, &aim);
    ok(pairs < 8 && !low.found, "a doubtful effect is better seen at the next step");
    pairs = length_of_doubt(&top, &aim);
    ok(pairs > 8, "at the top there is none: it is looked at longer (%u pairs)", pairs);
}

/* Bursts of cross traffic fill hop 3 now and then, with load as without. */
static void is_not_fooled(void)
{
    struct sdw_rng rng;
    struct sdw_aim aim = aim_of(10e6, 100e6);
    unsigned found = 0;
    sdw_rng_seed(&rng, 5);
    for (unsigned run = 0; run < 2000; run++) {
        struct sdw_lockin lockin = {.step = 6};
        sdw_lockin_begin(&lockin, HOPS, false);
        for (unsigned pair = 0; !sdw_lockin_done(&lockin, &aim); pair++)
            for (int half = 0; half < 2; half++)
                feed(&lockin, pair, half, 3,
                     sdw_rng_unit(&rng) < 0.5 ? sdw_rng_exponential(&rng, 8000) : 3);
        found += lockin.found;
    }
    ok(found <= 20, "bursts alone are taken for an effect in at most 1 %% of the windows (%u)",
       found);
}

static void ladders(void)
{
    struct sdw_plan plan = {0};
    struct sdw_rungs rungs = {.hops = HOPS, .wanted = {false, true, true, true, true, true}};
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 1);
    sdw_lockin_ladders(&plan, 100 * MS, &rungs, 50, &rng);
    bool inside = true;
    for (size_t i = 0; i < plan.n; i++)
        inside = inside && plan.shots[i].at_ns > 0 && plan.shots[i].at_ns < 100 * MS;
    ok(plan.ladders == 10 && inside, "ladders use what may expire at a router, within the slot");
    sdw_plan_clear(&plan);
    sdw_lockin_ladders(&plan, 100 * MS, &rungs, 1, &rng);
    ok(plan.ladders == 2, "but there are always two");
    sdw_plan_release(&plan);
}

static void stalls(void)
{
    struct sdw_shot shots[6] = {{.hop = 1, .ladder = 1}, {.hop = 2, .ladder = 1},
                                {.load = true},          {.hop = 1, .ladder = 2},
                                {.hop = 2, .ladder = 2}, {.hop = 1, .ladder = 3}};
    struct sdw_plan plan = {.shots = shots, .n = 6, .ladders = 3};
    struct sdw_shot_fate fates[6];
    for (int i = 0; i < 6; i++)
        fates[i] = (struct sdw_shot_fate){.sent_ns = (1 + i) * 10 * MS,
                                          .received_ns = (1 + i) * 10 * MS + MS};
    struct sdw_run run = {.fates = fates, .n = 6, .n_stalls = 1};
    run.stalls[0] = (struct sdw_run_stall){48 * MS, 50 * MS + MS / 2};
    sdw_run_forget_stalled(&run, &plan);
    ok(fates[0].sent_ns && fates[1].sent_ns && fates[2].sent_ns && fates[5].sent_ns,
       "a stall leaves the load, and the ladders that it did not meet");
    ok(!fates[3].sent_ns && !fates[4].sent_ns, "a ladder that it met is forgotten as a whole");
}

int main(void)
{
    climbs();
    stops();
    doubts();
    is_not_fooled();
    ladders();
    stalls();
    return tap_done();
}
