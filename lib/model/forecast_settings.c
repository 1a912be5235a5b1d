#include "model/forecast_settings.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/num.h"
#include "model/ensemble.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t day_us = INT64_C(86400000000);

void sdw_forecast_settings_init(struct sdw_forecast_settings *settings)
{
    *settings = (struct sdw_forecast_settings){
        .below = {NAN, false},
        .capacity = NAN,
        .seasons = SDW_SEASON_DAY | SDW_SEASON_WEEK,
        .every = 1,
        .max_series = 100000,
        .quantiles = SDW_QUANTILES,
    };
    for (int i = 0; i < SDW_QUANTILES; i++) {
        struct sdw_said_quantile *q = &settings->said[i];
        *q = (struct sdw_said_quantile){.p = sdw_quantile_p[i], .base = i};
        snprintf(q->name, sizeof q->name, "%.6g", q->p);
    }
}

void sdw_forecast_settings_release(struct sdw_forecast_settings *settings)
{
    for (size_t i = 0; i < settings->rules; i++)
        free(settings->rule[i].glob);
    free(settings->rule);
    settings->rule = NULL;
    settings->rules = settings->rules_cap = 0;
}

int sdw_forecast_horizons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                          struct sdw_err *err)
{
    if (n < 1 || n > SDW_HORIZONS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "--horizon: give 1 to %d durations, not %zu",
                           SDW_HORIZONS_MAX, n);
    for (size_t i = 0; i < n; i++) {
        int64_t us;
        if (!sdw_parse_duration(text[i], &us) || us <= 0 || us > 365 * day_us)
            return sdw_err_set(err, SDW_EUSAGE,
                               "--horizon: '%s' is not a duration up to a year, such as 15s",
                               text[i]);
        if (i > 0 && us <= settings->horizon_us[i - 1])
            return sdw_err_set(err, SDW_EUSAGE,
                               "--horizon: '%s' is not longer than the one before it", text[i]);
        settings->horizon_us[i] = us;
    }
    settings->horizons = n;
    return 0;
}

static bool limit_of(const char *text, struct sdw_wanted_limit *limit)
{
    limit->is_share = text[0] && text[strlen(text) - 1] == '%';
    if (limit->is_share)
        return sdw_parse_share(text, &limit->n);
    bool negative = text[0] == '-';
    if (!sdw_parse_rate(text + negative, &limit->n))
        return false;
    limit->n = negative ? -limit->n : limit->n;
    return true;
}

int sdw_forecast_below(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err)
{
    if (limit_of(text, &settings->below))
        return 0;
    return sdw_err_set(err, SDW_EUSAGE,
                       "--below: '%s' is neither a value (600k) nor a share of the capacity (10%%)",
                       text);
}

int sdw_forecast_above(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                       struct sdw_err *err)
{
    if (n > SDW_ABOVE_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "--above: give at most %d limits, not %zu",
                           SDW_ABOVE_MAX, n);
    for (size_t i = 0; i < n; i++)
        if (!limit_of(text[i], &settings->above[i]))
            return sdw_err_set(
                err, SDW_EUSAGE,
                "--above: '%s' is neither a value (8M) nor a share of the capacity (95%%)", text[i]);
    settings->n_above = n;
    return 0;
}

static void add_quantile(struct sdw_forecast_settings *settings, double p)
{
    struct sdw_said_quantile q = {.p = p, .base = -1};
    size_t at = 0;
    snprintf(q.name, sizeof q.name, "%.6g", p);
    for (; at < settings->quantiles && settings->said[at].p < p - 1e-9; at++)
        ;
    if (at < settings->quantiles && strcmp(settings->said[at].name, q.name) == 0)
        return;
    memmove(&settings->said[at + 1], &settings->said[at],
            (settings->quantiles - at) * sizeof settings->said[0]);
    settings->said[at] = q;
    settings->quantiles++;
}

int sdw_forecast_levels(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                        struct sdw_err *err)
{
    size_t most = (SDW_SAID_MAX - SDW_QUANTILES) / 2;
    if (n > most)
        return sdw_err_set(err, SDW_EUSAGE, "--levels: give at most %zu levels, not %zu", most, n);
    for (size_t i = 0; i < n; i++) {
        double level;
        struct sdw_str view = sdw_str_of(text[i]);
        if (view.n > 1 && view.p[view.n - 1] == '%')
            view.n--;
        if (!sdw_num_real(view, &level) || !(level > 0) || level > 99.9)
            return sdw_err_set(
                err, SDW_EUSAGE,
                "--levels: '%s' is not an interval in per cent, above 0 and up to 99.9", text[i]);
        add_quantile(settings, 0.5 - level / 200);
        add_quantile(settings, 0.5 + level / 200);
    }
    return 0;
}

int sdw_forecast_step(const char *text, struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    settings->step_us = 0;
    if (strcmp(text, "auto") == 0)
        return 0;
    if (!sdw_parse_duration(text, &settings->step_us) || settings->step_us < 1000 ||
        settings->step_us > day_us)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--step: '%s' is neither auto nor a duration from 1ms to 1d", text);
    /* What the models would refuse is better said now than with the first value. */
    struct sdw_ensemble_plan plan;
    int64_t longest = settings->horizon_us[settings->horizons - 1];
    return sdw_ensemble_plan(&plan, settings->step_us, &longest, 1, settings->seasons, 0, err);
}

int sdw_forecast_seasons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                         struct sdw_err *err)
{
    static const struct {
        const char *name;
        int seasons;
    } names[] = {{"auto", SDW_SEASON_DAY | SDW_SEASON_WEEK},
                 {"none", 0},
                 {"day", SDW_SEASON_DAY},
                 {"week", SDW_SEASON_DAY | SDW_SEASON_WEEK}};
    settings->seasons = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < SDW_LEN(names) && strcmp(text[i], names[k].name) != 0)
            k++;
        if (k == SDW_LEN(names))
            return sdw_err_set(err, SDW_EUSAGE, "--season: '%s' is none of auto, none, day, week",
                               text[i]);
        settings->seasons |= names[k].seasons;
    }
    return 0;
}

int sdw_forecast_keys(const char *const *text, size_t n, const char *field,
                      struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    if ((n > 0) != (field != NULL))
        return sdw_err_set(err, SDW_EUSAGE,
                           "--key and --field go together: the one names the series, the other "
                           "has the value");
    if (n > SDW_KEYS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "--key: give at most %d members, not %zu", SDW_KEYS_MAX,
                           n);
    for (size_t i = 0; i < n; i++)
        settings->key[i] = text[i];
    settings->keys = n;
    settings->field = field;
    return 0;
}

static int capacity_rule(struct sdw_str line, size_t number, const char *name,
                         struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    static const char blank[] = " \t\r";
    char text[512];
    if (line.n >= sizeof text)
        return sdw_err_set(err, SDW_EUSAGE, "%s: line %zu is too long", name, number);
    memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    char *glob = text + strspn(text, blank);
    if (*glob == '\0' || *glob == '#')
        return 0;
    char *end = glob + strcspn(glob, blank);
    char *value = end + strspn(end, blank);
    value[strcspn(value, blank)] = '\0';
    double capacity;
    if (!sdw_parse_rate(value, &capacity) || !(capacity > 0))
        return sdw_err_set(err, SDW_EUSAGE,
                           "%s: line %zu: expected a glob of series and their capacity (10G)", name,
                           number);
    SDW_GROW(settings->rule, settings->rules_cap, settings->rules + 1);
    settings->rule[settings->rules++] = (struct sdw_capacity_rule){
        .glob = sdw_xstrndup(glob, (size_t)(end - glob)), .capacity = capacity};
    return 0;
}

int sdw_forecast_capacities(struct sdw_str text, const char *name,
                            struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    size_t number = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        int rc = capacity_rule((struct sdw_str){p, (size_t)(stop - p)}, ++number, name, settings,
                               err);
        if (rc != 0)
            return rc;
        p = stop + 1;
    }
    return 0;
}

/* N, the name of a file (it has a '/' or a '.') or that of a member. */
static int capacity_of(const char *text, struct sdw_forecast_settings *settings,
                       const char **capacities, struct sdw_err *err)
{
    if (sdw_parse_rate(text, &settings->capacity) && settings->capacity > 0)
        return 0;
    settings->capacity = NAN;
    if (text[strspn(text, "-0123456789.")] == '\0')
        return sdw_err_set(err, SDW_EUSAGE, "--capacity: '%s' is no capacity", text);
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
