/* What limits a series: its capacity, and the limits that follow from the settings. */
#include "core/mem.h"
#include "model/book.h"

#include <math.h>

/* A series and what its capacity is called beside it. */
static const struct {
    const char *tail, *capacity;
} siblings[] = {
    {"available_bps", "capacity_bps"},
    {"bps", "capacity_bps"},
    {"entries", "limit"},
};

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

void sdw_book_path_capacity(struct sdw_book *book, struct sdw_str head, double value)
{
    if (head.n == 0 || !(value > 0) || !isfinite(value))
        return;
    double *known = sdw_map_get(&book->capacity, head);
    if (!known) {
        if (book->capacity.n >= book->settings.max_series)
            return;
        *sdw_map_at(&book->capacity, head) = known = sdw_xalloc(sizeof *known);
    }
    *known = value;
}

void sdw_book_learn_capacity(struct sdw_book *book, struct sdw_str series, double value)
{
    struct sdw_str tail = sdw_name_tail(series);
    for (size_t i = 0; i < SDW_LEN(siblings); i++)
        if (sdw_str_is(tail, siblings[i].capacity)) {
            sdw_book_path_capacity(book, sdw_name_head(series), value);
            return;
        }
}

static double capacity_of(const struct sdw_book *book, const struct sdw_followed *series)
{
    if (isfinite(series->capacity))
        return series->capacity;
    if (isfinite(book->settings.capacity))
        return book->settings.capacity;
    struct sdw_str name = sdw_buf_view(&series->name), tail = sdw_name_tail(name);
    for (size_t i = 0; i < SDW_LEN(siblings); i++) {
        if (!sdw_str_is(tail, siblings[i].tail))
            continue;
        const double *known = sdw_map_get(&book->capacity, sdw_name_head(name));
        if (known)
            return *known;
    }
    return sdw_book_path(series).p ? series->outlook.greatest : NAN;
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
