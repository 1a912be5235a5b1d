/*
 * What a forecaster was asked for, and how that is read from what an operator typed.
 *
 * Each parser takes the text of one option, and returns SDW_EUSAGE with a message that names the
 * option and what was wrong. Texts that are kept (globs, keys) are borrowed.
 */
#ifndef SDW_MODEL_FORECAST_SETTINGS_H
#define SDW_MODEL_FORECAST_SETTINGS_H

#include "core/err.h"
#include "model/breach.h"
#include "model/events.h"

enum {
    SDW_ABOVE_MAX = 8, /* limits from above */
    SDW_KEYS_MAX = 8,  /* members that name a series */
    SDW_SAID_MAX = 21, /* quantiles of a forecast */
    SDW_REGION_MAX = 16,
};

/* A limit as it was asked for: a value, or (is_share) a share of the series' capacity. */
struct sdw_wanted_limit {
    double n;
    bool is_share;
};

/* What is said of the series that match a glob: their capacity, or (text) their parent. */
struct sdw_series_rule {
    char *glob, *text;
    double capacity;
};

/* The first rule whose glob matches counts. */
struct sdw_series_rules {
    struct sdw_series_rule *rule;
    size_t n, cap;
};

/* A quantile that a forecast has: its probability, as a number and as the key of `q`; which of
 * sdw_quantile_p it is (-1: none of them). */
struct sdw_said_quantile {
    double p;
    char name[16];
    int base;
};

struct sdw_forecast_settings {
    int64_t horizon_us[SDW_HORIZONS_MAX]; /* ascending */
    size_t horizons;
    struct sdw_wanted_limit below; /* n NAN: not asked for */
    struct sdw_wanted_limit above[SDW_ABOVE_MAX];
    size_t n_above;
    double capacity;            /* of every series; NAN: not given */
    const char *capacity_field; /* a member of a record that has its series' capacity, or NULL */
    struct sdw_series_rules capacities, parents;
    struct sdw_events events;
    struct sdw_said_quantile said[SDW_SAID_MAX]; /* ascending */
    size_t quantiles;
    double probability;            /* odds within the longest horizon that make a breach; 0: any */
    const char *glob;              /* series to forecast; NULL: all */
    const char *counters;          /* series that are counters; NULL: none */
    const char *field;             /* of any JSON; NULL: records of known types */
    const char *key[SDW_KEYS_MAX]; /* which, with field, name the series */
    size_t keys;
    int64_t every;   /* a forecast after every so many values; 0: none */
    int64_t step_us; /* 0: automatic */
    int seasons;     /* sum of SDW_SEASON_... */
    int64_t ttl_us;  /* a series without a value for so long is forgotten; 0: never */
    bool explain, correlate;
    size_t max_series;
    /* What local time is ahead of UTC at a moment; NULL: nothing. */
    int64_t (*local_us)(int64_t ts, void *arg);
    void *local_arg;
    /* The region of an address, in region[SDW_REGION_MAX]; NULL: none is known. */
    bool (*region)(struct sdw_str address, char *region, void *arg);
    void *region_arg;
};

/* Everything as when nothing was asked for. */
void sdw_forecast_settings_init(struct sdw_forecast_settings *settings);
void sdw_forecast_settings_release(struct sdw_forecast_settings *settings);

int sdw_forecast_horizons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                          struct sdw_err *err);
/* "600k", "10%". */
int sdw_forecast_below(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err);
int sdw_forecast_above(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                       struct sdw_err *err);
/* Intervals in per cent: 80 and 95 give the quantiles 0.025 0.1 0.9 0.975, beside the five that
 * are always there. */
int sdw_forecast_levels(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                        struct sdw_err *err);
/* "auto", or a duration from 1 ms to a day. */
int sdw_forecast_step(const char *text, struct sdw_forecast_settings *settings,
                      struct sdw_err *err);
/* "auto", "none", or a list of day and week. */
int sdw_forecast_seasons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                         struct sdw_err *err);
int sdw_forecast_keys(const char *const *text, size_t n, const char *field,
                      struct sdw_forecast_settings *settings, struct sdw_err *err);
/* The text of a file of capacities: lines "GLOB CAPACITY", blank ones and those that begin with
 * '#' aside. name is for messages. The same for parents: lines "GLOB SERIES". */
int sdw_forecast_capacities(struct sdw_str text, const char *name,
                            struct sdw_forecast_settings *settings, struct sdw_err *err);
int sdw_forecast_parents(struct sdw_str text, const char *name,
                         struct sdw_forecast_settings *settings, struct sdw_err *err);
/* The rule for a series (a NUL-ended name); NULL when none matches. */
const struct sdw_series_rule *sdw_series_rule_of(const struct sdw_series_rules *rules,
                                                 const char *series);

#endif
