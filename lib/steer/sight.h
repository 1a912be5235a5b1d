/*
 * What has been seen of a path: how much it could take, and whether it is well. This is what a
 * standby is verified by.
 */
#ifndef SDW_STEER_SIGHT_H
#define SDW_STEER_SIGHT_H

#include "core/base.h"
#include "steer/unit.h"

enum {
    SDW_READINGS_LEAST = 5, /* that figures can be trusted from */
    SDW_LIKELY = 2,         /* severity of a breach from odds of a half on */
};

/* Our own load on something, over all units: the mean, and by upper estimates. */
struct sdw_own {
    double now_bps, upper_bps;
};

struct sdw_sight {
    char name[SDW_KEY_SIZE];
    struct sdw_own own;                 /* of the ways that are known to go by it; kept by load */
    int64_t available_us;               /* record time; 0: never */
    double available_bps, available_lo; /* what is free, and a safe lower bound of it */
    double own_bps;                     /* our load on it when that was measured */
    double usable_bps;   /* free plus ours, over the last readings: what we may use in all; NAN */
    int64_t readings;    /* that it rests on */
    double spread_bps;   /* mean distance of a reading from usable_bps */
    double capacity_bps; /* of its tight link; NAN: not known */
    int64_t settled_us;  /* figures from before then mix old and new shares: they are not used */
    int64_t loss_us;
    double loss_share;
    int64_t trouble_us; /* a degradation was reported */
    int64_t warned_us;  /* a breach is forecast: no standby, but no reason to flee from it */
    int64_t recovered_us;
    bool foreseen;        /* a breach of it was more likely than not, and not taken back since */
    uint64_t foreseen_of; /* the series and direction of that */
    int64_t foreseen_us, cleared_us; /* when it was said last, and taken back */
    int64_t recovered_before_us;     /* recovered_us as it was before that */
    int64_t strain_us;               /* a hop of it was found tight by injected load */
    int64_t strain_hop;
    double strain, strain_gradient; /* severity (0: none), and the hop's Capacity Gradient */
    char trouble[SDW_KEY_SIZE];
};

struct sdw_sight *sdw_sight_new(const char *name);

/* lo: NAN when its source gives no interval (then 90 % of available counts). */
void sdw_sight_available(struct sdw_sight *sight, int64_t ts, double available_bps, double lo,
                         double own_bps);
void sdw_sight_loss(struct sdw_sight *sight, int64_t ts, double share);
void sdw_sight_trouble(struct sdw_sight *sight, int64_t ts, const char *what);
void sdw_sight_warn(struct sdw_sight *sight, int64_t ts);
void sdw_sight_recovered(struct sdw_sight *sight, int64_t ts);
/* How severe a breach of it is forecast to be; `of` is a number for the series and direction. One
 * that was likely and is no longer is a recovery; that there never was one, or none of another
 * limit of the same value, says nothing of what else is wrong. */
void sdw_sight_foresee(struct sdw_sight *sight, int64_t ts, uint64_t of, int64_t severity);
/* What injected load says of one of its hops: severity 0 when the hop does not feel it. */
void sdw_sight_strain(struct sdw_sight *sight, int64_t ts, int64_t hop, double severity,
                      double gradient);
/* The clock of the records stepped: what is known against the path keeps its age, and it counts as
 * not measured until it is measured again. */
void sdw_sight_step(struct sdw_sight *sight, int64_t step_us);
/* The severity of that while it is fresh and no recovery came after it; 0: nothing is known. It
 * bears out other reasons to move and is none by itself. sight may be NULL. */
double sdw_sight_strained(const struct sdw_sight *sight, int64_t now_us, int64_t fresh_us);

/* NULL when the path is verified at now: capacity measured within fresh_us, no loss above max_loss
 * and no trouble within that time. Otherwise why not, in words. sight may be NULL. */
const char *sdw_sight_doubt(const struct sdw_sight *sight, int64_t now_us, int64_t fresh_us,
                            double max_loss);
/* Whether it was seen later than since_us, and without loss or trouble: a breach that is only
 * forecast does not speak against a path in use. */
bool sdw_sight_well_since(const struct sdw_sight *sight, int64_t since_us, int64_t now_us,
                          int64_t fresh_us, double max_loss);
/* The most it may be able to carry of ours in all, by the spread of the readings. */
double sdw_sight_usable_upper(const struct sdw_sight *sight);
/* Load it may take on top of own_bps so that no more than limit (a share) of what is usable is
 * used; capacity_bps (NAN: none) bounds that too. Negative when it is over. */
double sdw_sight_room(const struct sdw_sight *sight, double capacity_bps, double own_bps,
                      double limit);

#endif
