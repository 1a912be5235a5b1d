#include "model/forecast_settings.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/num.h"
#include "model/ensemble.h"

#include <fnmatch.h>
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

static void release_rules(struct sdw_series_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        free(rules->rule[i].glob);
        free(rules->rule[i].text);
    }
    free(rules->rule);
    *rules = (struct sdw_series_rules){0};
}

void sdw_forecast_settings_release(struct sdw_forecast_settings *settings)
{
    release_rules(&settings->capacities);
    release_rules(&settings->parents);
    sdw_events_release(&settings->events);
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
                "--above: '%s' is neither a value (8M) nor a share of the capacity (95%%)",
                text[i]);
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

/* Reads the second word of a rule; false when it is none. */
typedef bool rule_value(const char *text, struct sdw_series_rule *rule);

static bool capacity_value(const char *text, struct sdw_series_rule *rule)
{
    return sdw_parse_rate(text, &rule->capacity) && rule->capacity > 0;
}

static bool parent_value(const char *text, struct sdw_series_rule *rule)
{
    rule->text = *text ? sdw_xstrdup(text) : NULL;
    return rule->text;
}

static int read_rule(struct sdw_str line, rule_value *value_of, struct sdw_series_rules *rules)
{
    static const char blank[] = " \t\r";
    char text[512];
    if (line.n >= sizeof text)
        return SDW_EUSAGE;
    memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    char *glob = text + strspn(text, blank);
    if (*glob == '\0' || *glob == '#')
        return 0;
    char *end = glob + strcspn(glob, blank);
    char *value = end + strspn(end, blank);
    value[strcspn(value, blank)] = '\0';
    struct sdw_series_rule rule = {.capacity = NAN};
    if (!value_of(value, &rule))
        return SDW_EUSAGE;
    rule.glob = sdw_xstrndup(glob, (size_t)(end - glob));
    SDW_GROW(rules->rule, rules->cap, rules->n + 1);
    rules->rule[rules->n++] = rule;
    return 0;
}

static int read_rules(struct sdw_str text, const char *name, const char *expected,
                      rule_value *value_of, struct sdw_series_rules *rules, struct sdw_err *err)
{
    size_t number = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        number++;
        if (read_rule((struct sdw_str){p, (size_t)(stop - p)}, value_of, rules) != 0)
            return sdw_err_set(err, SDW_EUSAGE, "%s: line %zu: expected a glob of series and %s",
                               name, number, expected);
        p = stop + 1;
    }
    return 0;
}

int sdw_forecast_capacities(struct sdw_str text, const char *name,
                            struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    return read_rules(text, name, "their capacity (10G)", capacity_value, &settings->capacities,
                      err);
}

int sdw_forecast_parents(struct sdw_str text, const char *name,
                         struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    return read_rules(text, name, "the series they add up to", parent_value, &settings->parents,
                      err);
}

const struct sdw_series_rule *sdw_series_rule_of(const struct sdw_series_rules *rules,
                                                 const char *series)
{
    for (size_t i = 0; i < rules->n; i++)
        if (fnmatch(rules->rule[i].glob, series, 0) == 0)
            return &rules->rule[i];
    return NULL;
}
