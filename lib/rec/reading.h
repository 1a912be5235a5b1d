/*
 * A reading: the value of a series that a record has, whatever its type.
 *
 *   metric        its own series
 *   conn          its own series, of the count
 *   verdict       path/ID/available_bps
 *   gradient      path/ID/hop/N/capacity_gradient
 *   flow.update   flow/ID/bps
 *   app           app/NAME/SRC>DST/bps (sdw_app_series)
 */
#ifndef SDW_REC_READING_H
#define SDW_REC_READING_H

#include "rec/rec.h"

struct sdw_reading {
    int64_t ts;
    struct sdw_str series;              /* a view into the name given */
    double value;                       /* NAN: not known */
    double capacity;                    /* of the series: a conn's limit; NAN: not known */
    double path_capacity;               /* of a verdict's path; NAN: not known */
    double new_per_s, duration_mean_us; /* of a conn; NAN: not known */
    struct sdw_str path_id;             /* of a gradient or verdict; p NULL: of neither */
    double effect_us;     /* of a gradient: delay that its injection added; NAN: not known */
    double available_bps; /* of a verdict, or the least that is known of it; NAN: not known */
    bool estimate;        /* a verdict's or conn's: counts until the series itself comes */
};

/* 1 and the reading, 0 for a record of another type, SDW_EINPUT with the field for a bad one.
 * name is used for the series' name; strings may be views into line and arena. */
int sdw_reading_of(struct sdw_str line, struct sdw_arena *arena, struct sdw_buf *name,
                   struct sdw_reading *reading, struct sdw_err *err);

#endif
