#include "steer/ask.h"
#include "steer/load.h"

#include <math.h>
#include <stdio.h>

const char *sdw_ask_doubt(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                          size_t way)
{
    if (!run->up[way])
        return "its link is down";
    return sdw_sight_doubt(run->sight[way], steer->now_us, steer->options.fresh_us,
                           steer->options.max_loss);
}

double sdw_ask_load(const struct sdw_steer *steer, const struct sdw_steer_run *run)
{
    double load = sdw_load_upper(steer, run);
    const struct sdw_sight *primary = run->sight[0];
    if (isnan(load) && primary && !isnan(primary->capacity_bps))
        load = fmax(primary->capacity_bps - primary->available_bps, 0.1 * primary->capacity_bps);
    if (isnan(load))
        load = run->unit->way[0].capacity_bps;
    return isnan(load) ? 0 : load;
}

double sdw_ask_usable(const struct sdw_steer_run *run, size_t way)
{
    double usable = run->sight[way] ? run->sight[way]->usable_bps : NAN;
    double said = run->unit->way[way].capacity_bps;
    if (isnan(usable))
        return said;
    return isnan(said) ? usable : fmin(usable, said);
}

bool sdw_ask_down(const struct sdw_steer_run *run, const struct sdw_signal *signal)
{
    return signal->dead && !run->up[0];
}

/* Load to be taken off the primary's path so that the rest stays below the limit. */
static double excess_of(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                        const struct sdw_signal *signal)
{
    const struct sdw_steer_options *options = &steer->options;
    double usable = sdw_ask_usable(run, 0), own = sdw_load_own(run, 0, true);
    double growth =
        fmin(signal->growth_bps * (double)options->lookahead_us / 1e6, SDW_GROWTH_MOST * own);
    if (signal->dead) /* a report alone takes no more than there is room for */
        return sdw_ask_down(run, signal) ? INFINITY : fmax(fmax(own, sdw_ask_load(steer, run)), 1);
    if (isnan(usable) || own <= 0)
        return run->share[0] >= 1 ? 1 : 0; /* the least there is, once */
    double excess = own + growth - options->limit_share * usable;
    /* Figures that rest on enough readings know better than a forecast: what surely fits stays.
     * With few, or without them, a breach that is expected moves the least, once. */
    bool known = run->sight[0] && run->sight[0]->readings >= SDW_READINGS_LEAST;
    if (known && run->share[0] >= 1 &&
        sdw_load_own(run, 0, false) <= options->limit_share * sdw_sight_usable_upper(run->sight[0]))
        return 0;
    return known || excess > 0 || run->share[0] < 1 ? excess : 1;
}

void sdw_ask_fill(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                  const struct sdw_signal *signal, struct sdw_policy_ask *ask)
{
    *ask = (struct sdw_policy_ask){.n = run->unit->n_ways,
                                   .load_bps = sdw_ask_load(steer, run),
                                   .excess_bps = excess_of(steer, run, signal),
                                   .least_share = steer->options.least_share};
    memcpy(ask->share, run->share, sizeof ask->share);
    if (ask->load_bps <= 0)
        ask->load_bps = 1;
    if (run->unit->match == SDW_MATCH_FLOW)
        ask->least_share = 1;
    bool any = false;
    for (size_t i = 1; i < ask->n; i++) {
        ask->usable[i] = !sdw_ask_doubt(steer, run, i);
        if (ask->usable[i])
            ask->room_bps[i] =
                sdw_sight_room(run->sight[i], run->unit->way[i].capacity_bps,
                               sdw_load_own(run, i, true), steer->options.limit_share);
        any = any || ask->usable[i];
    }
    for (size_t i = 1; sdw_ask_down(run, signal) && !any && i < ask->n; i++)
        ask->usable[i] = run->up[i]; /* a dead primary is worse than an unmeasured shadow */
}

struct sdw_signal sdw_ask_borne_out(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                                    const struct sdw_signal *signal, char why[320])
{
    struct sdw_signal full = *signal;
    const struct sdw_sight *sight = run->sight[0];
    double strain = sdw_sight_strained(sight, steer->now_us, steer->options.fresh_us);
    if (strain <= 0 || signal->dead)
        return full;
    snprintf(why, 320, "%s; hop %d of its path is tight, Capacity Gradient %.3g", signal->cause.why,
             (int)sight->strain_hop, sight->strain_gradient);
    full.anomaly = fmax(full.anomaly, strain);
    full.cause.why = why;
    return full;
}
