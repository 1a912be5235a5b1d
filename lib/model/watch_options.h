/* The options of shadow-detect: their table, and what they come to. */
#ifndef SDW_MODEL_WATCH_OPTIONS_H
#define SDW_MODEL_WATCH_OPTIONS_H

#include "io/opt.h"
#include "model/watch.h"

/* As they were typed. */
struct sdw_watch_options {
    int method, season;
    double threshold, change, sigma, delta, budget, false_share, surge;
    int64_t baseline, min_history, hold, together_us, max_series, ttl_us, save_us;
    const char *series, *state;
    bool scores;
};

extern const struct sdw_option sdw_watch_option_table[];

struct sdw_watch_settings sdw_watch_settings_of(const struct sdw_watch_options *options);

#endif
