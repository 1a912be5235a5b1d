/* Bytes that are said to be a saved watch either make one, which can be saved again, or are
 * refused; so are those that were one and then damaged. What is inside of its numbers is the
 * checksum's business. */
#include "fuzz/patch.h"
#include "model/watch.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool load(const struct sdw_watch_settings *settings, struct sdw_str bytes)
{
    struct sdw_watch *watch = sdw_watch_new(settings);
    struct sdw_buf out = {0};
    bool loaded = sdw_watch_load(watch, bytes, NULL) == 0;
    if (loaded) {
        sdw_watch_save(watch, &out);
        if (sdw_watch_series(watch) > bytes.n || out.n == 0)
            abort();
    }
    sdw_buf_release(&out);
    sdw_watch_free(watch);
    return loaded;
}

/* What is saved of two series with an alarm open in both, which are one incident. */
static void sound(const struct sdw_watch_settings *settings, struct sdw_buf *out)
{
    struct sdw_watch *watch = sdw_watch_new(settings);
    struct sdw_sighting seen;
    for (int i = 0; i < 80; i++) {
        struct sdw_reading reading = {.ts = INT64_C(300000000) * (i / 2),
                                      .series = sdw_str_of(i % 2 ? "link/a/bps" : "link/b/bps"),
                                      .value = i < 76 ? 100 + i / 2 % 3 : 9000,
                                      .capacity = NAN};
        sdw_watch_value(watch, &reading, &seen);
    }
    sdw_watch_save(watch, out);
    sdw_watch_free(watch);
    if (!load(settings, sdw_buf_view(out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdw_buf good[SDW_WATCH_HOLT_WINTERS + 1];
    struct sdw_watch_settings settings = {
        .detect = {.threshold = 0.005,
                   .change = 0.4,
                   .min_history = 10,
                   .season = {INT64_C(86400000000), 288}},
        .rule = {.sigma = 3, .season = {INT64_C(3600000000), 4}},
        .false_share = 1,
        .hold = 6,
        .together_us = INT64_C(600000000),
        .max_series = 100,
    };
    for (int method = SDW_WATCH_FORECAST; method <= SDW_WATCH_HOLT_WINTERS; method++) {
        struct sdw_buf bytes = {0};
        settings.method = (enum sdw_watch_method)method;
        load(&settings, (struct sdw_str){(const char *)data, size});
        if (good[method].n == 0)
            sound(&settings, &good[method]);
        sdw_buf_add(&bytes, good[method].p, good[method].n);
        patch(&bytes, data, size);
        load(&settings, sdw_buf_view(&bytes));
        sdw_buf_release(&bytes);
    }
    return 0;
}
