/* Any file of state is loaded or refused with a message, never followed beyond its end; so is any
 * that was sound and then damaged. What is inside of its numbers is the checksum's business. */
#include "fuzz/patch.h"
#include "io/checkpoint.h"
#include "model/forecast.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool load(const struct sdw_forecast_settings *settings, struct sdw_str bytes)
{
    struct sdw_book *book = sdw_book_new(settings);
    struct sdw_err err = {0};
    struct sdw_buf out = {0};
    int rc = sdw_book_load(book, bytes, &err);
    if (rc != 0 && err.text[0] == '\0')
        abort();
    if (rc == 0)
        sdw_book_save(book, &out);
    sdw_buf_release(&out);
    sdw_book_free(book);
    return rc == 0;
}

/* What is saved of two applications of a link and a path with a capacity of its own. */
static void sound(const struct sdw_forecast_settings *settings, struct sdw_buf *out)
{
    static const char *const type[] = {"metric", "metric", "metric", "verdict"};
    static const char *const name[] = {
        "\"series\":\"app/a/bps\",\"parent\":\"link/l/bps\",\"rate\":3,\"capacity\":70,\"value\":",
        "\"series\":\"app/b/bps\",\"parent\":\"link/l/bps\",\"value\":",
        "\"series\":\"link/l/bps\",\"value\":",
        "\"path_id\":\"00ff\",\"state\":\"clear\",\"available_bps\":{\"lo\":1,\"hi\":90,\"mid\":"};
    static const char *const end[] = {"}", "}", "}", "}}"};
    struct sdw_book *book = sdw_book_new(settings);
    struct sdw_arena arena = {0};
    struct sdw_foresight seen;
    char line[512];
    for (int i = 0; i < 40; i++) {
        struct sdw_sample sample;
        int n = snprintf(line, sizeof line, "{\"type\":\"%s\",\"v\":1,\"ts\":%d000000,%s%d%s",
                         type[i % 4], 300 * (i / 4 + 1), name[i % 4], i, end[i % 4]);
        if (sdw_book_read(book, (struct sdw_str){line, (size_t)n}, &arena, &sample, NULL) == 1)
            sdw_book_learn(book, &sample, &seen);
        sdw_arena_reset(&arena);
    }
    sdw_book_save(book, out);
    sdw_arena_release(&arena);
    sdw_book_free(book);
    if (!load(settings, sdw_buf_view(out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const horizons[] = {"5m", "1h"};
    static struct sdw_buf good;
    struct sdw_forecast_settings settings;
    sdw_forecast_settings_init(&settings);
    settings.max_series = 100;
    if (sdw_forecast_horizons(horizons, 2, &settings, NULL) != 0)
        abort();
    struct sdw_str text = {(const char *)data, size}, body;
    struct sdw_checkpoint what = {"shadow-forecast", 1, sdw_book_layout(&settings)};
    struct sdw_err err = {0};
    if (sdw_checkpoint_open(text, "state", &what, &body, &err) != 1 && err.text[0] == '\0')
        abort();
    load(&settings, text);
    if (good.n == 0)
        sound(&settings, &good);
    struct sdw_buf bytes = {0};
    sdw_buf_add(&bytes, good.p, good.n);
    patch(&bytes, data, size);
    load(&settings, sdw_buf_view(&bytes));
    sdw_buf_release(&bytes);
    return 0;
}
