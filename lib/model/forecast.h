/*
 * The book of a forecaster: the trend of every series it has seen, the capacity of every path,
 * the limits each series has, and which of them are expected to be crossed.
 *
 * Limits, where they are known:
 *   --below N      a value                              every series
 *   --below N%     a share of the series' capacity      path/ID/available_bps, --capacity
 *   --above N      a value                              every series
 *   --levels A,B   shares of --capacity, from below     every series
 * The capacity of path/ID/available_bps is what a verdict or the series path/ID/capacity_bps gave
 * last; before either, the greatest available capacity seen (no path has more available than it
 * has). The book owns what it returns; it is valid until the next call.
 */
#ifndef SDW_MODEL_FORECAST_H
#define SDW_MODEL_FORECAST_H

#include "core/err.h"
#include "model/breach.h"
#include "rec/capacity.h"
#include "rec/series.h"

enum { SDW_LEVELS_MAX = 8, SDW_BREACHES_MAX = SDW_LEVELS_MAX + 2 };

struct sdw_forecast_settings {
    int64_t horizon_us[SDW_HORIZONS_MAX]; /* ascending */
    size_t horizons;
    double below, below_share;    /* NAN: not asked for */
    double above, capacity;       /* NAN: not asked for */
    double level[SDW_LEVELS_MAX]; /* shares of capacity */
    size_t levels;
    double probability; /* odds within the longest horizon that make a breach */
    const char *glob;   /* series to forecast; NULL: all */
    int64_t every;      /* a forecast after every so many values; 0: none */
    size_t max_series;
};

/* What one value led to. */
struct sdw_foresight {
    bool forecast;
    struct sdw_forecast said;
    size_t n_breaches;
    struct sdw_breach breach[SDW_BREACHES_MAX];
    enum sdw_trend_use use;
    bool dropped; /* the book is full: this series is not followed */
};

struct sdw_book;

struct sdw_book *sdw_book_new(const struct sdw_forecast_settings *settings);
void sdw_book_free(struct sdw_book *book);

/* Learn from a record, and say what follows from it. */
void sdw_book_metric(struct sdw_book *book, const struct sdw_metric *metric,
                     struct sdw_foresight *out);
/* A verdict gives the capacity of its path and, as long as no metric has, a value of its
 * available capacity. */
void sdw_book_verdict(struct sdw_book *book, const struct sdw_verdict *verdict,
                      struct sdw_foresight *out);
size_t sdw_book_series(const struct sdw_book *book);

/* Settings from what an operator typed. text: "600k", "10%"; horizons and levels as lists of
 * durations and of per cent. SDW_EUSAGE with a message. */
int sdw_forecast_below(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err);
int sdw_forecast_above(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err);
int sdw_forecast_horizons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                          struct sdw_err *err);
int sdw_forecast_levels(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                        struct sdw_err *err);

#endif
