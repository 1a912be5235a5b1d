/* The options of shadow-forecast: their table, and what they come to. */
#ifndef SDW_MODEL_FORECAST_OPTIONS_H
#define SDW_MODEL_FORECAST_OPTIONS_H

#include "io/opt.h"
#include "model/forecast_settings.h"

/* As they were typed. */
struct sdw_forecast_options {
    struct sdw_list horizon, above, levels, season, keys;
    const char *below, *capacity, *series, *counters, *step, *field, *tz, *state, *parents, *events,
        *geoip;
    double probability;
    int64_t every, max_series, ttl_us, save_us;
    bool explain, correlate;
};

extern const struct sdw_option sdw_forecast_option_table[];

/* All that settings have, which begin as when nothing was asked for; zones and files aside.
 * *capacities is the name of a file whose text sdw_forecast_capacities must be given, or NULL. */
int sdw_forecast_settings_of(const struct sdw_forecast_options *options,
                             struct sdw_forecast_settings *settings, const char **capacities,
                             struct sdw_err *err);

#endif
