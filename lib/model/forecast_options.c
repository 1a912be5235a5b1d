#include "model/forecast_options.h"
#include "core/num.h"

#include <math.h>

#define AT(member) offsetof(struct sdw_forecast_options, member)
const struct sdw_option sdw_forecast_option_table[] = {
    {"horizon", 'H', SDW_OPT_LIST, AT(horizon), "DURATION,...",
     "look this far ahead, shortest first", "5s,15s,1m", 0, 0, NULL, NULL},
    {"step", 0, SDW_OPT_TEXT, AT(step), "auto|DURATION", "put the values on a grid of this step",
     "auto", 0, 0, NULL, NULL},
    {"levels", 0, SDW_OPT_LIST, AT(levels), "PERCENT,...", "give the intervals of these levels too",
     NULL, 0, 0, NULL, NULL},
    {"capacity", 'c', SDW_OPT_TEXT, AT(capacity), "N|PATH|FIELD",
     "capacity of the series: one for all, by series, or a member of the record", NULL, 0, 0, NULL,
     "file"},
    {"above", 0, SDW_OPT_LIST, AT(above), "N|SHARE%,...",
     "a breach is the level above N, or above this share of the capacity", NULL, 0, 0, NULL, NULL},
    {"below", 0, SDW_OPT_TEXT, AT(below), "N|SHARE%",
     "a breach is the level below N, or below this share of the capacity", NULL, 0, 0, NULL, NULL},
    {"probability", 'p', SDW_OPT_SHARE, AT(probability), "P",
     "write a breach from these odds within the longest horizon", NULL, 0, 0, NULL, NULL},
    {"every", 0, SDW_OPT_INT, AT(every), "K",
     "write a forecast after every K values of a series; 0: none", "1", 0, 1e9, NULL, NULL},
    {"series", 0, SDW_OPT_TEXT, AT(series), "GLOB", "forecast only the series that match", NULL, 0,
     0, NULL, NULL},
    {"counters", 0, SDW_OPT_TEXT, AT(counters), "GLOB",
     "series that match are counters: forecast their growth a second", NULL, 0, 0, NULL, NULL},
    {"key", 0, SDW_OPT_LIST, AT(keys), "KEY,...", "members of any JSON that name its series", NULL,
     0, 0, NULL, NULL},
    {"field", 0, SDW_OPT_TEXT, AT(field), "KEY", "the member that has the value", NULL, 0, 0, NULL,
     NULL},
    {"season", 0, SDW_OPT_LIST, AT(season), "auto|none|day,week", "seasons to learn", "auto", 0, 0,
     NULL, NULL},
    {"tz", 0, SDW_OPT_TEXT, AT(tz), "ZONE", "days and weeks are those of this time zone", NULL, 0,
     0, NULL, NULL},
    {"parents", 0, SDW_OPT_TEXT, AT(parents), "PATH", "which series add up to which", NULL, 0, 0,
     NULL, "file"},
    {"correlate", 0, SDW_OPT_FLAG, AT(correlate), NULL, "say which series drive their parents",
     NULL, 0, 0, NULL, NULL},
    {"events", 0, SDW_OPT_TEXT, AT(events), "PATH", "maintenance and what else is known to come",
     NULL, 0, 0, NULL, "file"},
    {"geoip", 0, SDW_OPT_TEXT, AT(geoip), "PATH",
     "regions of addresses, a file in the MaxMind DB format", NULL, 0, 0, NULL, "file"},
    {"explain", 0, SDW_OPT_FLAG, AT(explain), NULL, "add the weights of the models to forecasts",
     NULL, 0, 0, NULL, NULL},
    {"state", 0, SDW_OPT_TEXT, AT(state), "PATH", "keep what was learned in this file", NULL, 0, 0,
     NULL, "file"},
    {"save", 0, SDW_OPT_DURATION, AT(save_us), "DURATION", "write the state once in this time",
     "5m", 0, 0, NULL, NULL},
    {"max-series", 0, SDW_OPT_INT, AT(max_series), "N", "follow at most N series", "100000", 1, 1e8,
     NULL, NULL},
    {"ttl", 0, SDW_OPT_DURATION, AT(ttl_us), "DURATION",
     "forget a series that had no value for so long; 0: never", "7d", 0, 0, NULL, NULL},
    {0},
};

/* N, the name of a file (it has a '/' or a '.') or that of a member. What begins like a number is
 * one, or a mistake: as the name of a member it would be silently without effect. */
static int capacity_of(const char *text, struct sdw_forecast_settings *settings,
                       const char **capacities, struct sdw_err *err)
{
    if (sdw_parse_rate(text, &settings->capacity) && settings->capacity > 0)
        return 0;
    settings->capacity = NAN;
    if (strchr("-+0123456789", text[0]) && !strchr(text, '/'))
        return sdw_err_set(err, SDW_EUSAGE,
                           "--capacity: '%s' is no capacity (./%s if it is a file)", text, text);
    if (strpbrk(text, "/."))
        *capacities = text;
    else
        settings->capacity_field = text;
    return 0;
}

int sdw_forecast_settings_of(const struct sdw_forecast_options *o,
                             struct sdw_forecast_settings *settings, const char **capacities,
                             struct sdw_err *err)
{
    sdw_forecast_settings_init(settings);
    *capacities = NULL;
    settings->probability = o->probability;
    settings->glob = o->series;
    settings->counters = o->counters;
    settings->every = o->every;
    settings->ttl_us = o->ttl_us;
    settings->explain = o->explain;
    settings->correlate = o->correlate;
    settings->max_series = (size_t)o->max_series;
    int rc = sdw_forecast_horizons(o->horizon.item, o->horizon.n, settings, err);
    if (rc == 0)
        rc = sdw_forecast_seasons(o->season.item, o->season.n, settings, err);
    if (rc == 0)
        rc = sdw_forecast_step(o->step, settings, err);
    if (rc == 0 && o->below)
        rc = sdw_forecast_below(o->below, settings, err);
    if (rc == 0)
        rc = sdw_forecast_above(o->above.item, o->above.n, settings, err);
    if (rc == 0)
        rc = sdw_forecast_levels(o->levels.item, o->levels.n, settings, err);
    if (rc == 0)
        rc = sdw_forecast_keys(o->keys.item, o->keys.n, o->field, settings, err);
    return rc == 0 && o->capacity ? capacity_of(o->capacity, settings, capacities, err) : rc;
}
