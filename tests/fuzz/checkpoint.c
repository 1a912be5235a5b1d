/* Any file of state is loaded or refused with a message, never followed beyond its end. */
#include "io/checkpoint.h"
#include "model/forecast.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const horizons[] = {"5m", "1h"};
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
    struct sdw_book *book = sdw_book_new(&settings);
    if (sdw_book_load(book, text, &err) != 0 && err.text[0] == '\0')
        abort();
    sdw_book_free(book);
    return 0;
}
