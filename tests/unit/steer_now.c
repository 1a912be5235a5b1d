#include "steer/now.h"
#include "steer/join.h"
#include "unit/tap.h"

#include <math.h>
#include <stdlib.h>

static const int64_t second = 1000000, start = INT64_C(1700000000) * 1000000;
static const char plan[] =
    "{\"type\":\"unit\",\"v\":1,\"ts\":1,\"unit\":\"u\",\"match\":{\"prefix\":\"10.9.0.0/24\"},"
    "\"primary\":{\"via\":\"10.0.0.1\",\"dev\":\"none0\",\"path_id\":\"P\"},\"shadows\":"
    "[{\"via\":\"10.0.0.2\",\"dev\":\"none1\",\"probe\":\"10.9.0.9\"}],\"load_bps\":1e6}";

static size_t alerts;

static void hear(void *arg, struct sdw_str record)
{
    (void)arg;
    alerts += strstr(record.p, "\"alert\"") && strstr(record.p, "stepped");
}

/* A unit that changed 1 s ago, a standby measured 5 s ago and troubled 10 s ago; one change within
 * the last minute of one that is allowed. */
static struct sdw_steer *make(void)
{
    struct sdw_steer *steer = sdw_xalloc(sizeof *steer);
    struct sdw_err err = {0};
    ok(sdw_steer_plan_add(&steer->plan, sdw_str_of(plan), &err) == 0, "a plan: %s", err.text);
    steer->run = sdw_xalloc(sizeof *steer->run);
    steer->run->unit = steer->plan.unit;
    sdw_join_plan(steer);
    sdw_join_path(steer, sdw_str_of("B"), sdw_str_of("10.9.0.9")); /* known by two keys */
    steer->say = hear;
    alerts = 0;
    sdw_now_take(steer, start, 500 * second * 1000);
    struct sdw_steer_run *run = steer->run;
    run->changed_us = start - second;
    run->good_us = start - 100 * second;
    steer->ticked_us = steer->newest_us = start;
    steer->rate.most = 1;
    sdw_guard_rate_note(&steer->rate, start - 50 * second);
    sdw_guard_hold_init(&run->hold, 300 * second);
    sdw_guard_hold_reversed(&run->hold, start - 20 * second);
    sdw_sight_available(run->sight[1], start - 5 * second, 5e6, NAN, 0);
    sdw_sight_trouble(run->sight[1], start - 10 * second, "trouble");
    return steer;
}

static void release(struct sdw_steer *steer)
{
    sdw_join_release(steer);
    sdw_steer_plan_release(&steer->plan);
    sdw_buf_release(&steer->out);
    free(steer->run);
    free(steer);
}

/* Two seconds pass, and the wall clock steps. */
static void test_step(int64_t step_us)
{
    struct sdw_steer *steer = make();
    struct sdw_steer_run *run = steer->run;
    struct sdw_sight *sight = run->sight[1];
    int by = (int)(step_us / second);
    sdw_now_take(steer, start + 2 * second + step_us, 502 * second * 1000);
    int64_t now = steer->now_us;
    is_near((double)(now - start), (double)(2 * second + step_us), 0, "%d s: the time is new", by);
    is_near((double)(now - run->changed_us), 3e6, 0, "%d s: a change is 3 s ago", by);
    is_near((double)(now - run->good_us), 102e6, 0, "%d s: so goes the time that it is good", by);
    is_near((double)(now - steer->ticked_us), 2e6, 0, "%d s: the cycle is 2 s old", by);
    ok(!sdw_guard_rate_ok(&steer->rate, now) && sdw_guard_rate_ok(&steer->rate, now + 8 * second),
       "%d s: the minute of the rate ends when it should", by);
    is_near((double)(now - run->hold.reversed_us), 22e6, 0, "%d s: the hold goes on", by);
    ok(run->forward_us == 0, "%d s: what never was, never was", by);
    ok(sdw_sight_doubt(sight, now, 3600 * second, 1), "%d s: the standby is in doubt", by);
    is_near((double)(now - sight->trouble_us), 12e6, 0, "%d s: its trouble is 12 s old", by);
    ok(!sdw_guard_stale(now - second, now, steer->newest_us, 10 * second),
       "%d s: a record of the new time is taken", by);
    sdw_sight_recovered(sight, now - second);
    sdw_sight_available(sight, now, 5e6, NAN, 0);
    ok(!sdw_sight_doubt(sight, now, 30 * second, 1), "%d s: measured again it is verified", by);
    ok(alerts == 1, "%d s: an alert says so, once", by);
    sdw_now_take(steer, now + second, 503 * second * 1000);
    ok(alerts == 1 && sight->available_us == now, "%d s: and time goes on", by);
    release(steer);
}

static void test_no_step(void)
{
    struct sdw_steer *steer = make();
    sdw_now_take(steer, start + 2 * second - 900000, 502 * second * 1000);
    ok(alerts == 0 && steer->newest_us == start && steer->run->changed_us == start - second,
       "a clock that is put right by less than a second is no step");
    sdw_now_take(steer, start + 7200 * second - 900000, (502 + 7198) * second * 1000);
    ok(alerts == 0, "nor is a long time without a look at it");
    release(steer);
}

int main(void)
{
    test_step(-3600 * second);
    test_step(-60 * second);
    test_step(3600 * second);
    test_no_step();
    return tap_done();
}
