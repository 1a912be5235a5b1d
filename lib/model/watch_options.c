#include "model/watch_options.h"

static const char *const methods[] = {"forecast", "zscore", "mad", "ewma", "holtwinters", NULL};
static const char *const seasons[] = {"day", "week", "none", NULL};

#define AT(member) offsetof(struct sdw_watch_options, member)
const struct sdw_option sdw_watch_option_table[] = {
    {"method", 'm', SDW_OPT_ENUM, AT(method), "METHOD", "judge values by this rule", "forecast", 0,
     0, methods, NULL},
    {"threshold", 0, SDW_OPT_SHARE, AT(threshold), "P",
     "a spike or drop is less probable than this", "0.5%", 1e-12, 0.5, NULL, NULL},
    {"min-change", 0, SDW_OPT_SHARE, AT(change), "SHARE",
     "a spike or drop is a change by at least this share", "40%", 0, 1000, NULL, NULL},
    {"season", 0, SDW_OPT_ENUM, AT(season), "SEASON", "what the series repeat every", "day", 0, 0,
     seasons, NULL},
    {"min-history", 0, SDW_OPT_INT, AT(min_history), "N", "a series can alarm after N values of it",
     "288", 1, 1e9, NULL, NULL},
    {"sigma", 0, SDW_OPT_REAL, AT(sigma), "N",
     "with zscore, mad and ewma: an anomaly is more than N deviations away", "3", 0.1, 1e6, NULL,
     NULL},
    {"delta", 0, SDW_OPT_REAL, AT(delta), "N",
     "with holtwinters: out of bounds is more than N usual errors away", "2", 0.1, 1e6, NULL, NULL},
    {"baseline", 0, SDW_OPT_INT, AT(baseline), "N",
     "with zscore: compare with the first N values; 0: with all before", "0", 0, 1e9, NULL, NULL},
    {"budget", 0, SDW_OPT_REAL, AT(budget), "N",
     "alarms of a series that are told a day, each harder to get; 0: no bound", "2", 0, 1e6, NULL,
     NULL},
    {"false-share", 0, SDW_OPT_SHARE, AT(false_share), "SHARE",
     "share of the alarms of a tick, over all series, that may be false", "10%", 1e-9, 1, NULL,
     NULL},
    {"hold", 0, SDW_OPT_INT, AT(hold), "N", "an alarm closes after N values without a reason", "6",
     1, 1e9, NULL, NULL},
    {"together", 0, SDW_OPT_DURATION, AT(together_us), "DURATION",
     "alarms that open within this time are one incident", "10m", 0, 0, NULL, NULL},
    {"surge", 0, SDW_OPT_SHARE, AT(surge), "SHARE",
     "a rise by at least this share over what was expected is a surge", "50%", 0, 1000, NULL, NULL},
    {"scores", 0, SDW_OPT_FLAG, AT(scores), NULL, "write an anomaly.score for every value", NULL, 0,
     0, NULL, NULL},
    {"series", 0, SDW_OPT_TEXT, AT(series), "GLOB", "look only at the series that match", NULL, 0,
     0, NULL, NULL},
    {"max-series", 0, SDW_OPT_INT, AT(max_series), "N", "follow at most N series", "100000", 1, 1e8,
     NULL, NULL},
    {"ttl", 0, SDW_OPT_DURATION, AT(ttl_us), "DURATION",
     "forget series, and maintenance, that were silent for so long", "7d", 1, 0, NULL, NULL},
    {"state", 0, SDW_OPT_TEXT, AT(state), "PATH", "keep what was learned in this file", NULL, 0, 0,
     NULL, "file"},
    {"save", 0, SDW_OPT_DURATION, AT(save_us), "DURATION", "write the state once in this time",
     "5m", 0, 0, NULL, NULL},
    {0},
};

struct sdw_watch_settings sdw_watch_settings_of(const struct sdw_watch_options *options)
{
    static const struct sdw_season season[] = {
        {INT64_C(86400) * 1000000, 288}, {INT64_C(604800) * 1000000, 672}, {0, 0}};
    bool winters = options->method == SDW_WATCH_HOLT_WINTERS;
    bool textbook = options->method != SDW_WATCH_FORECAST;
    return (struct sdw_watch_settings){
        .method = (enum sdw_watch_method)options->method,
        .detect = {.threshold = options->threshold,
                   .change = options->change,
                   .min_history = options->min_history,
                   .season = season[options->season]},
        .rule = {.sigma = winters ? options->delta : options->sigma,
                 .baseline = options->method == SDW_WATCH_ZSCORE ? options->baseline : 0,
                 .season = season[options->season]},
        .budget = textbook ? 0 : options->budget,
        .false_share = textbook ? 1 : options->false_share,
        .surge = options->surge,
        .hold = options->hold,
        .together_us = options->together_us,
        .ttl_us = options->ttl_us,
        .max_series = (size_t)options->max_series,
        .scores = options->scores,
    };
}
