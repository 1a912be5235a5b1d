/* Any stream of records must lead to alarms that are sound: known states and kinds, severities and
 * probabilities within their ranges, no number that is none, and as many closed as were opened. */
#include "io/scan.h"
#include "model/watch.h"
#include "rec/series.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool odd(double x)
{
    return isinf(x);
}

static int check_anomaly(const struct sdw_anomaly *a)
{
    if (a->severity < 1 || a->severity > 5 || !(a->score >= 0 && a->score <= 1) ||
        !(a->p > 0 && a->p <= 1) || odd(a->expected) || odd(a->lo) || odd(a->hi) || a->lo > a->hi ||
        !a->incident.p || !a->members.p)
        abort();
    return sdw_str_is(a->state, "open") - sdw_str_is(a->state, "close");
}

/* Returns how many more alarms are open. */
static int check(const struct sdw_sighting *out)
{
    int open = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (out->said[i].schema == &sdw_anomaly_schema)
            open += check_anomaly(out->said[i].record);
        const struct sdw_anomaly_score *score = out->said[i].record;
        if (out->said[i].schema == &sdw_anomaly_score_schema &&
            (!(score->score >= 0 && score->score <= 1) || odd(score->expected)))
            abort();
        const struct sdw_surge *surge = out->said[i].record;
        if (out->said[i].schema == &sdw_surge_schema &&
            (surge->severity < 1 || surge->severity > 5 || odd(surge->ratio)))
            abort();
    }
    return open;
}

static void feed(const struct sdw_watch_settings *settings, const char *p, const char *end)
{
    struct sdw_watch *watch = sdw_watch_new(settings);
    struct sdw_arena arena = {0};
    struct sdw_buf name = {0};
    int open = 0;
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        struct sdw_str line = {p, (size_t)((stop ? stop : end) - p)};
        struct sdw_reading reading;
        struct sdw_event event;
        struct sdw_forecast forecast;
        struct sdw_horizon shortest;
        struct sdw_sighting out;
        sdw_arena_reset(&arena);
        if (sdw_reading_of(line, &arena, &name, &reading, NULL) == 1) {
            sdw_watch_value(watch, &reading, &out);
            open += check(&out);
            if (open < 0 || (size_t)open > sdw_watch_series(watch))
                abort();
        } else if (sdw_str_is(sdw_scan_type(line), "event") &&
                   sdw_rec_decode(&sdw_event_schema, line, &arena, &event, NULL) == 0) {
            sdw_watch_event(watch, &event);
        } else if (sdw_str_is(sdw_scan_type(line), "forecast") &&
                   sdw_rec_decode(&sdw_forecast_schema, line, &arena, &forecast, NULL) == 0 &&
                   sdw_horizon_shortest(forecast.horizons, &shortest, NULL) == 1) {
            if (!(shortest.lo <= shortest.mid && shortest.mid <= shortest.hi) ||
                shortest.horizon_us <= 0)
                abort();
            sdw_watch_forecast(watch, forecast.series, forecast.ts, forecast.value, &shortest);
        }
        p = stop ? stop + 1 : end;
    }
    sdw_buf_release(&name);
    sdw_arena_release(&arena);
    sdw_watch_free(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_watch_settings settings = {
        .detect = {.threshold = 0.1, .change = 0.1, .min_history = 4, .season = {3600000000, 6}},
        .rule = {.sigma = 2, .season = {3600000000, 6}},
        .budget = 1,
        .false_share = 0.5,
        .surge = 0.5,
        .hold = 2,
        .together_us = 1000000,
        .ttl_us = 100000000,
        .max_series = 4,
        .scores = true,
    };
    for (int method = SDW_WATCH_FORECAST; method <= SDW_WATCH_HOLT_WINTERS; method++) {
        settings.method = (enum sdw_watch_method)method;
        feed(&settings, (const char *)data, (const char *)data + size);
    }
    return 0;
}
