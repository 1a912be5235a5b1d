/* Bytes that are said to be a saved watch either make one, which saves as the same bytes, or are
 * refused. What is inside of its numbers is the checksum's business. */
#include "model/watch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(const struct sdw_watch_settings *settings, struct sdw_str bytes)
{
    struct sdw_watch *watch = sdw_watch_new(settings);
    struct sdw_buf out = {0};
    if (sdw_watch_load(watch, bytes, NULL) == 0) {
        sdw_watch_save(watch, &out);
        if (sdw_watch_series(watch) > bytes.n || out.n == 0)
            abort();
    }
    sdw_buf_release(&out);
    sdw_watch_free(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The defaults of shadow-detect: the corpus has states that it wrote. */
    struct sdw_watch_settings settings = {
        .detect = {.threshold = 0.005,
                   .change = 0.4,
                   .min_history = 288,
                   .season = {INT64_C(86400000000), 288}},
        .rule = {.sigma = 3},
        .max_series = 100,
    };
    load(&settings, (struct sdw_str){(const char *)data, size});
    settings.method = SDW_WATCH_MAD;
    load(&settings, (struct sdw_str){(const char *)data, size});
    return 0;
}
