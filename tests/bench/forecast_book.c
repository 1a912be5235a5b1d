/* forecast_book SERIES STEPS SAY: microseconds of CPU a value, and bytes a series, of a book that
 * follows so many series for so many steps of 5 minutes at 12 horizons. SAY 0: it learns only; 1:
 * each value has its forecast written as a record. */
#include "core/buf.h"
#include "core/num.h"
#include "core/rng.h"
#include "model/forecast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double rss_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

static struct sdw_book *book_of(size_t series, bool say)
{
    static const char *const horizons[] = {"5m",  "10m", "15m", "20m", "25m", "30m",
                                           "35m", "40m", "45m", "50m", "55m", "60m"};
    struct sdw_forecast_settings settings;
    sdw_forecast_settings_init(&settings);
    settings.max_series = series;
    settings.every = say;
    if (sdw_forecast_horizons(horizons, 12, &settings, NULL) != 0)
        exit(2);
    return sdw_book_new(&settings);
}

/* Value i of series k as a line. */
static void make_line(struct sdw_buf *line, struct sdw_rng *rng, size_t i, size_t k)
{
    double value = 1000 + 500 * sin(6.2831853 * (double)(i + k) / 288);
    sdw_buf_clear(line);
    sdw_buf_printf(line,
                   "{\"type\":\"metric\",\"v\":1,\"ts\":%zu,\"series\":\"link/%zu/bps\",\"value\":",
                   (i + 1) * 300000000, k);
    sdw_buf_real(line, round(value * exp(0.1 * sdw_rng_normal(rng))));
    sdw_buf_char(line, '}');
}

static int learn(struct sdw_book *book, struct sdw_arena *arena, struct sdw_str line,
                 struct sdw_buf *record)
{
    struct sdw_sample sample;
    struct sdw_foresight out;
    if (sdw_book_read(book, line, arena, &sample, NULL) != 1)
        return 1;
    sdw_book_learn(book, &sample, &out);
    for (size_t f = 0; f < out.n_forecasts; f++) {
        sdw_buf_clear(record);
        sdw_rec_encode(&sdw_forecast_schema, &out.said[f], record);
    }
    sdw_arena_reset(arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    size_t series = (size_t)atol(argv[1]), steps = (size_t)atol(argv[2]);
    struct sdw_book *book = book_of(series, argv[3][0] == '1');
    struct sdw_arena arena = {0};
    struct sdw_buf line = {0}, record = {0};
    double before = rss_bytes(), used[2];
    /* The first time only the lines are made: what that takes is not the book's. */
    for (int pass = 0; pass < 2; pass++) {
        struct sdw_rng rng;
        sdw_rng_seed(&rng, 1);
        double begin = cpu_s();
        for (size_t i = 0; i < steps; i++)
            for (size_t k = 0; k < series; k++) {
                make_line(&line, &rng, i, k);
                if (pass == 1 && learn(book, &arena, sdw_buf_view(&line), &record) != 0)
                    return 1;
            }
        used[pass] = cpu_s() - begin;
    }
    printf("%.2f %.0f\n", (used[1] - used[0]) * 1e6 / (double)(series * steps),
           (rss_bytes() - before) / (double)series);
    sdw_book_free(book);
    sdw_arena_release(&arena);
    sdw_buf_release(&line);
    sdw_buf_release(&record);
    return 0;
}
