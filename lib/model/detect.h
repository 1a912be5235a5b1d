/*
 * The anomaly detector of one series. Each value is compared with what was expected of it one
 * step before (model/detect_expect.h); out of the residual and the values come
 *
 *   spike, drop   the residual's tail probability (model/detect_tail.h), its size in usual errors,
 *                 and the change in per cent are all beyond their limits; or those of several in a
 *                 row that are off to the same side (model/detect_spell.h)
 *   novel         the value is well outside the range of all values before
 *   shift         the level has drifted from the season's profile (model/detect_drift.h), be each
 *                 step as small as it may
 *   flat          the value has not changed for longer than ever before
 *
 * and a score that is high where a value is new, or the level's distance from the profile is, and
 * low again for what goes on like that: surprise wears off.
 *
 * The textbook rules (model/detect_rule.h) fill in the same result.
 */
#ifndef SDW_MODEL_DETECT_H
#define SDW_MODEL_DETECT_H

#include "model/detect_expect.h"
#include "model/detect_tail.h"

enum sdw_anomaly_kind {
    SDW_ANOMALY_NONE,
    SDW_ANOMALY_SPIKE,
    SDW_ANOMALY_DROP,
    SDW_ANOMALY_SHIFT,
    SDW_ANOMALY_NOVEL,
    SDW_ANOMALY_FLAT,
    SDW_ANOMALY_MISSING,
};

/* As records have them. */
extern const char *const sdw_anomaly_kinds[]; /* "spike" ... "missing", NULL-ended */

struct sdw_detect_settings {
    double threshold;    /* tail probability of a spike or drop */
    double change;       /* least relative change: 0.4 is up by 40 %, or down to 1/1.4 */
    int64_t min_history; /* values until a series can alarm */
    struct sdw_season season;
};

/* What one value is. */
struct sdw_detection {
    enum sdw_anomaly_kind kind; /* of the alarm it gives reason for; NONE: none */
    double p;                   /* of a value as far out, 0 < p <= 1 */
    double score;               /* 0..1 */
    double expected, lo, hi;    /* what would not have been unusual; NAN: no opinion */
    double change;              /* ratio to expected, as a logarithm; its sign is the direction */
};

struct sdw_detector; /* sdw_detector_bytes long, aligned like a double, no pointers inside */

size_t sdw_detector_bytes(const struct sdw_detect_settings *settings);
void sdw_detector_init(struct sdw_detector *d, const struct sdw_detect_settings *settings);

/* Judge a value, then learn from it. foreseen: what another forecast for that time, which it is
 * then judged by; NULL: by what the detector itself expected. extra: decades that are asked of p
 * on top of the threshold, 0 or more. Values beyond 1e300 count as that; value must not be NAN. */
void sdw_detector_step(struct sdw_detector *d, const struct sdw_detect_settings *settings,
                       int64_t ts, double value, const struct sdw_foreseen *foreseen, double extra,
                       struct sdw_detection *out);

/* Whether bytes that were read back are a detector that can be used. */
bool sdw_detector_is_sound(const struct sdw_detector *d,
                           const struct sdw_detect_settings *settings);

#endif
