#include "steer/now.h"
#include "core/clock.h"
#include "steer/say.h"

#include <stdlib.h>

enum { STEP_US = 1000 * 1000, PAUSE_NS = 10 * 1000 * 1000, TRIES = 5 };

static void shift(int64_t *time_us, int64_t step_us)
{
    if (*time_us)
        *time_us += step_us;
}

static void shift_run(struct sdw_steer_run *run, int64_t step_us)
{
    int64_t *const times[] = {&run->changed_us,   &run->forward_us,      &run->pressed_us,
                              &run->good_us,      &run->well_us,         &run->stepped_us,
                              &run->recovered_us, &run->tried_us,        &run->held_us,
                              &run->alerted_us,   &run->hold.reversed_us};
    for (size_t i = 0; i < SDW_LEN(times); i++)
        shift(times[i], step_us);
}

/* Everything that is remembered by time, but for what is only said once. */
static void step(struct sdw_steer *steer, int64_t step_us)
{
    size_t at = 0;
    void *value;
    struct sdw_str key;
    steer->newest_us = 0;
    shift(&steer->ticked_us, step_us);
    shift(&steer->verified_us, step_us);
    shift(&steer->unsynced_us, step_us);
    sdw_guard_rate_step(&steer->rate, step_us);
    for (size_t u = 0; u < steer->plan.n; u++)
        shift_run(&steer->run[u], step_us);
    for (size_t d = 0; d < steer->n_dev; d++)
        shift(&steer->dev[d]->sampled_us, step_us);
    /* A path may be known by several keys: it is to be moved once. */
    while (sdw_map_next(&steer->sights, &at, &key, &value))
        if (sdw_str_is(key, ((struct sdw_sight *)value)->name))
            sdw_sight_step(value, step_us);
}

void sdw_now_take(struct sdw_steer *steer, int64_t wall_us, int64_t mono_ns)
{
    int64_t step_us = wall_us - steer->wall_us - (mono_ns - steer->mono_ns) / 1000;
    bool stepped = steer->mono_ns && llabs(step_us) > STEP_US;
    steer->wall_us = steer->now_us = wall_us;
    steer->mono_ns = mono_ns;
    if (!stepped)
        return;
    step(steer, step_us);
    sdw_say_alert(steer, NULL, 3,
                  "the clock stepped by %.1f s: every path counts as not measured until it is "
                  "measured again",
                  (double)step_us / 1e6);
}

void sdw_now(struct sdw_steer *steer)
{
    int64_t wall_us = 0, before_ns = 0, mono_ns = 0;
    if (steer->options.replay)
        return;
    /* Of one moment: not with a pause of the process between the two. */
    for (int i = 0; i == 0 || (i < TRIES && mono_ns - before_ns > PAUSE_NS); i++) {
        before_ns = sdw_mono_ns();
        wall_us = sdw_wall_us();
        mono_ns = sdw_mono_ns();
    }
    sdw_now_take(steer, wall_us, mono_ns);
}
