/* What limits a series: its capacity, and the limits that follow from the settings. */
#include "model/book.h"

#include <math.h>

static const double default_below = 0.1; /* of the capacity of a path */
static const char path_head[] = "path/";

struct sdw_str sdw_book_path(const struct sdw_followed *series)
{
    struct sdw_str name = sdw_buf_view(&series->name), head = sdw_name_head(name);
    size_t n = sizeof path_head - 1;
    if (!sdw_str_is(sdw_name_tail(name), "available_bps") || head.n <= n ||
        memcmp(head.p, path_head, n) != 0)
        return (struct sdw_str){0};
    return (struct sdw_str){head.p + n, head.n - n};
}

static double capacity_of(const struct sdw_book *book, const struct sdw_followed *series)
{
    if (isfinite(series->capacity))
        return series->capacity;
    if (isfinite(series->ruled))
        return series->ruled;
    if (isfinite(book->settings.capacity))
        return book->settings.capacity;
    double shared = sdw_book_shared_capacity(book, sdw_buf_view(&series->name));
    bool unknown_path = isnan(shared) && sdw_book_path(series).p;
    return unknown_path ? series->outlook.greatest : shared;
}

static double value_of(struct sdw_wanted_limit wanted, double capacity)
{
    return wanted.is_share ? wanted.n * capacity : wanted.n;
}

size_t sdw_book_limits(const struct sdw_book *book, const struct sdw_followed *series,
                       struct sdw_limit limit[SDW_BREACHES_MAX])
{
    const struct sdw_forecast_settings *s = &book->settings;
    double capacity = capacity_of(book, series);
    bool asked = !isnan(s->below.n) || s->n_above > 0;
    bool is_path = sdw_book_path(series).p;
    size_t n = 0;
    limit[n++] = (struct sdw_limit){
        asked || !is_path ? value_of(s->below, capacity) : default_below * capacity, true};
    for (size_t i = 0; i < s->n_above; i++)
        limit[n++] = (struct sdw_limit){value_of(s->above[i], capacity), false};
    if (!asked && !is_path)
        limit[n++] = (struct sdw_limit){capacity, false};
    return n;
}
