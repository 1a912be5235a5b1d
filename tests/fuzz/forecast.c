/* Any stream of records must lead to finite forecasts and odds within 0..1. */
#include "core/mem.h"
#include "model/forecast.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sdw_foresight *out)
{
    if (out->n_breaches > SDW_BREACHES_MAX)
        abort();
    for (size_t i = 0; i < out->n_breaches; i++)
        if (out->breach[i].severity < 0 || out->breach[i].severity > 5 ||
            !isfinite(out->breach[i].capacity))
            abort();
    for (size_t i = 0; i < out->n_forecasts; i++)
        if (memmem(out->said[i].horizons.p, out->said[i].horizons.n, "null", 4))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const horizons[] = {"5s", "1m"}, *const above[] = {"7", "50%"};
    struct sdw_forecast_settings settings;
    sdw_forecast_settings_init(&settings);
    settings.max_series = 4;
    settings.capacity_field = "capacity";
    if (sdw_forecast_horizons(horizons, 2, &settings, NULL) != 0 ||
        sdw_forecast_below("10%", &settings, NULL) != 0 ||
        sdw_forecast_above(above, 2, &settings, NULL) != 0)
        abort();
    if (size > 0 && data[0] == '#') {
        settings.field = "value";
        settings.key[settings.keys++] = "host";
    }
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_arena arena = {0};
    struct sdw_foresight out;
    const char *p = (const char *)data, *end = p + size;
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        struct sdw_str line = {p, (size_t)((stop ? stop : end) - p)};
        struct sdw_sample sample;
        if (sdw_book_read(book, line, &arena, &sample, NULL) == 1) {
            sdw_book_learn(book, &sample, &out);
            check(&out);
        }
        sdw_arena_reset(&arena);
        p = stop ? stop + 1 : end;
    }
    sdw_arena_release(&arena);
    sdw_book_free(book);
    return 0;
}
