#include "steer/sight.h"

#include <math.h>
#include <stdio.h>

struct sdw_sight *sdw_sight_new(const char *name)
{
    struct sdw_sight *sight = sdw_xalloc(sizeof *sight);
    snprintf(sight->name, sizeof sight->name, "%s", name);
    sight->usable_bps = sight->capacity_bps = sight->loss_share = NAN;
    return sight;
}

void sdw_sight_available(struct sdw_sight *sight, int64_t ts, double available_bps, double lo,
                         double own_bps)
{
    if (ts < sight->available_us)
        return;
    sight->available_us = ts;
    if (ts < sight->settled_us && !isnan(sight->usable_bps))
        return;
    double usable = available_bps + own_bps;
    if (sight->capacity_bps > 0)
        usable = fmin(usable, sight->capacity_bps);
    /* One reading is a moment of bursty traffic: about ten count. Falling is believed faster than
     * rising: too little harms nobody. */
    double least = usable < sight->usable_bps ? 0.15 : 0.1;
    double weight = fmax(least, 1.0 / (double)(++sight->readings));
    if (weight < 1)
        sight->spread_bps += weight * (fabs(usable - sight->usable_bps) - sight->spread_bps);
    sight->usable_bps =
        weight >= 1 ? usable : sight->usable_bps + weight * (usable - sight->usable_bps);
    sight->available_bps = available_bps;
    sight->available_lo = isnan(lo) ? 0.9 * available_bps : lo;
    sight->own_bps = own_bps;
}

void sdw_sight_loss(struct sdw_sight *sight, int64_t ts, double share)
{
    if (ts < sight->loss_us)
        return;
    sight->loss_us = ts;
    sight->loss_share = share;
}

void sdw_sight_trouble(struct sdw_sight *sight, int64_t ts, const char *what)
{
    if (ts < sight->trouble_us)
        return;
    sight->trouble_us = ts;
    snprintf(sight->trouble, sizeof sight->trouble, "%s", what);
}

void sdw_sight_recovered(struct sdw_sight *sight, int64_t ts)
{
    if (ts > sight->recovered_us)
        sight->recovered_us = ts;
}

void sdw_sight_foresee(struct sdw_sight *sight, int64_t ts, uint64_t of, int64_t severity)
{
    if (severity >= SDW_LIKELY) {
        /* Of several limits a farther one may have come first: it took nothing back. */
        if (ts == sight->cleared_us && ts == sight->recovered_us && of == sight->foreseen_of)
            sight->recovered_us = sight->recovered_before_us;
        sight->foreseen = true;
        sight->foreseen_of = of;
        sight->foreseen_us = ts;
    }
    if (severity > 0 || !sight->foreseen || of != sight->foreseen_of || ts <= sight->foreseen_us)
        return;
    sight->foreseen = false;
    sight->cleared_us = ts;
    sight->recovered_before_us = sight->recovered_us;
    sdw_sight_recovered(sight, ts);
}

void sdw_sight_warn(struct sdw_sight *sight, int64_t ts)
{
    if (ts > sight->warned_us)
        sight->warned_us = ts;
}

void sdw_sight_strain(struct sdw_sight *sight, int64_t ts, int64_t hop, double severity,
                      double gradient)
{
    /* A hop that is well speaks for itself only, not for another that was found tight. */
    if (ts < sight->strain_us || (severity <= 0 && hop != sight->strain_hop))
        return;
    /* Several hops of one window: the worst of them. */
    if (ts == sight->strain_us && severity < sight->strain && hop != sight->strain_hop)
        return;
    sight->strain_us = ts;
    sight->strain_hop = hop;
    sight->strain = severity;
    sight->strain_gradient = gradient;
}

void sdw_sight_step(struct sdw_sight *sight, int64_t step_us)
{
    int64_t *const times[] = {&sight->settled_us,  &sight->loss_us,    &sight->trouble_us,
                              &sight->warned_us,   &sight->strain_us,  &sight->recovered_us,
                              &sight->foreseen_us, &sight->cleared_us, &sight->recovered_before_us};
    for (size_t i = 0; i < SDW_LEN(times); i++)
        if (*times[i])
            *times[i] += step_us;
    sight->available_us = 0;
}

double sdw_sight_strained(const struct sdw_sight *sight, int64_t now_us, int64_t fresh_us)
{
    bool holds = sight && sight->strain > 0 && now_us - sight->strain_us <= fresh_us &&
                 sight->recovered_us < sight->strain_us;
    return holds ? sight->strain : 0;
}

/* What is wrong with it, whatever is forecast. */
static const char *illness(const struct sdw_sight *sight, int64_t now_us, int64_t fresh_us,
                           double max_loss)
{
    if (!sight || sight->available_us == 0)
        return "its capacity was never measured";
    if (now_us - sight->available_us > fresh_us)
        return "its capacity was measured too long ago";
    if (sight->loss_us && now_us - sight->loss_us <= fresh_us && sight->loss_share > max_loss)
        return "it loses packets";
    if (sight->trouble_us > sight->recovered_us && now_us - sight->trouble_us <= fresh_us)
        return sight->trouble;
    return NULL;
}

const char *sdw_sight_doubt(const struct sdw_sight *sight, int64_t now_us, int64_t fresh_us,
                            double max_loss)
{
    const char *ill = illness(sight, now_us, fresh_us, max_loss);
    if (ill)
        return ill;
    if (sight->warned_us > sight->recovered_us && now_us - sight->warned_us <= fresh_us)
        return "a breach is forecast for it";
    return NULL;
}

bool sdw_sight_well_since(const struct sdw_sight *sight, int64_t since_us, int64_t now_us,
                          int64_t fresh_us, double max_loss)
{
    return sight && sight->available_us > since_us && !illness(sight, now_us, fresh_us, max_loss);
}

double sdw_sight_usable_upper(const struct sdw_sight *sight)
{
    /* Twice the standard error; 1.25 mean deviations are a standard deviation (normal). */
    double n = fmin((double)sight->readings, 10);
    double upper = sight->usable_bps + 2 * 1.25 * sight->spread_bps / sqrt(fmax(n, 1));
    return sight->capacity_bps > 0 ? fmin(upper, sight->capacity_bps) : upper;
}

double sdw_sight_room(const struct sdw_sight *sight, double capacity_bps, double own_bps,
                      double limit)
{
    /* The bound of one reading may be far too low; it takes at most a quarter. */
    double safe = fmax(sight->available_lo + sight->own_bps, 0.75 * sight->usable_bps);
    double usable = fmin(safe, sight->usable_bps);
    if (!isnan(capacity_bps))
        usable = fmin(usable, capacity_bps);
    return limit * usable - own_bps;
}
