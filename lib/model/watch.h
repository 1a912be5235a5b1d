/*
 * The watch over many series: a detector for each, and of what these find the alarms worth having.
 *
 * What a value gives reason for is a candidate. Candidates of one tick (values within half of a
 * series' usual interval) are held against each other by false-discovery control over all series
 * that are followed; a candidate that passes opens an alarm, at once. An alarm lives through its
 * updates, one a value that gives reason anew, and closes after `hold` values that give none; then
 * the series may alarm again. Alarms that open within `together_us` are one incident.
 *
 * A series has a budget of alarms a day: each alarm makes it a tenth of a decade harder to give
 * reason for the next, and time makes it easier again at the rate the budget allows. Of those that
 * come all the same only the first of a day are told (sdw_alarm_afford), and any that is, or
 * becomes, of severity 5. A surge is always told.
 *
 * Values are judged by forecasts of them, where these came before them, and otherwise by what the
 * detector itself expects.
 *
 * A series that says nothing for four times its usual interval, and twice its longest gap, is
 * missing: the time of the other records tells.
 */
#ifndef SDW_MODEL_WATCH_H
#define SDW_MODEL_WATCH_H

#include "io/horizons.h"
#include "model/detect_rule.h"
#include "rec/anomaly.h"
#include "rec/reading.h"
#include "rec/steering.h"

enum sdw_watch_method {
    SDW_WATCH_FORECAST,
    SDW_WATCH_ZSCORE,
    SDW_WATCH_MAD,
    SDW_WATCH_EWMA,
    SDW_WATCH_HOLT_WINTERS,
};

struct sdw_watch_settings {
    enum sdw_watch_method method;
    struct sdw_detect_settings detect; /* of FORECAST */
    struct sdw_rule_settings rule;     /* of the others; its method is filled in */
    double budget;                     /* alarms a day; 0: no bound */
    double false_share;                /* of alarms that may be false; 1: no control */
    double surge;                      /* least rise, as a share of expected, that is a surge */
    int64_t hold;                      /* values without reason that close an alarm */
    int64_t together_us, ttl_us;
    size_t max_series;
    bool scores; /* a score for every value */
};

enum sdw_watch_use {
    SDW_WATCH_USED,
    SDW_WATCH_MISSING, /* no value, or an estimate of a series that has values of its own */
    SDW_WATCH_LATE,    /* three late ones in order mean that the clock was set back */
    SDW_WATCH_DUPLICATE,
    SDW_WATCH_HUSHED,  /* maintenance, or a declared gap: neither judged nor learned */
    SDW_WATCH_KNOWN,   /* seen before the loaded watch was saved */
    SDW_WATCH_DROPPED, /* more series than max_series */
};

/* A record to be written: an anomaly, anomaly.score or surge. */
struct sdw_watch_said {
    const struct sdw_schema *schema;
    const void *record;
};

/* What one value led to; the watch owns it, until the next call. */
struct sdw_sighting {
    enum sdw_watch_use use;
    size_t n;
    const struct sdw_watch_said *said;
    size_t held; /* alarms that began now and are not told, over the budget */
};

struct sdw_watch;

struct sdw_watch *sdw_watch_new(const struct sdw_watch_settings *settings);
void sdw_watch_free(struct sdw_watch *watch);

/* An infinite value counts as the largest number. */
void sdw_watch_value(struct sdw_watch *watch, const struct sdw_reading *reading,
                     struct sdw_sighting *out);
/* What a forecast at ts, made from a value (NAN: not said), says of the next one of a series that
 * is followed. One that looks further ahead than that knows less than the detector does, and is
 * forgotten; so is one made from another value than that of this time: it is of another quantity,
 * such as the growth of a counter. */
void sdw_watch_forecast(struct sdw_watch *watch, struct sdw_str series, int64_t ts, double value,
                        const struct sdw_horizon *shortest);
/* Maintenance and declared gaps (model/hush.h); other events are none of its business. */
void sdw_watch_event(struct sdw_watch *watch, const struct sdw_event *event);

/* The newest time of a reading so far; INT64_MIN before the first. */
int64_t sdw_watch_newest(const struct sdw_watch *watch);

/* The watch as bytes, for a checkpoint, appended to out; and back into a watch that is new. A
 * loaded watch passes over readings before the time it was saved at, and at that time those of
 * series it has a value of, until the first later one comes: so the same input, from that time on
 * or from its beginning, goes on to the same bytes.
 * layout: differs where the bytes would not fit. SDW_EINPUT for bytes that lead astray. */
uint64_t sdw_watch_layout(const struct sdw_watch_settings *settings);
void sdw_watch_save(const struct sdw_watch *watch, struct sdw_buf *out);
int sdw_watch_load(struct sdw_watch *watch, struct sdw_str bytes, struct sdw_err *err);

size_t sdw_watch_series(const struct sdw_watch *watch);

#endif
