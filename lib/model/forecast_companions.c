/* What comes with the values of a series, and what it goes by: each is there, or not, when the
 * series' step becomes known, and then for good. */
#include "core/mem.h"
#include "model/book.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

/* A path that was silent for so long, in steps and in time, is not known any more. */
static const int64_t silent_steps = 10, silent_us = 600000000;

/* What a companion is told of. */
struct moment {
    const struct sdw_book *book;
    const struct sdw_followed *series;
    int64_t ts;
};

static bool has_connections(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)book;
    return isfinite(series->rate);
}

static double little(const struct moment *at)
{
    return at->series->rate * at->series->duration_us / 1e6;
}

static bool has_parent(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)book;
    return series->parent.n > 0;
}

static double parent(const struct moment *at)
{
    const struct sdw_kin *kin = at->series->kin ? at->series->kin->parent : NULL;
    const struct sdw_followed *owner = kin ? kin->owner : NULL;
    return owner ? owner->outlook.value : NAN;
}

static bool has_events(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)series;
    return book->settings.events.flags > 0;
}

static double event(const struct moment *at)
{
    const struct sdw_forecast_settings *s = &at->book->settings;
    return sdw_events_ahead(&s->events, at->series->name.p, at->ts, s->horizon_us[s->horizons - 1]);
}

static bool has_path(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)book;
    return series->company && series->company->path;
}

static const struct sdw_tunnel_view *view_of(const struct moment *at)
{
    return at->series->company ? &at->series->company->view : &sdw_tunnel_unseen;
}

static double delay(const struct moment *at)
{
    return view_of(at)->delay_us;
}

static double loss(const struct moment *at)
{
    return view_of(at)->loss_share;
}

static double available(const struct moment *at)
{
    return view_of(at)->available_bps;
}

static double region_sum(const struct moment *at, int end)
{
    const struct sdw_company *company = at->series->company;
    return company && company->of[end].region ? sdw_region_sum(company->of[end].region) : NAN;
}

static bool has_source(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)book;
    return series->company && series->company->of[0].name;
}

static double source(const struct moment *at)
{
    return region_sum(at, 0);
}

static bool has_destination(const struct sdw_book *book, const struct sdw_followed *series)
{
    (void)book;
    return series->company && series->company->of[1].name;
}

static double destination(const struct moment *at)
{
    return region_sum(at, 1);
}

static const struct {
    bool (*has)(const struct sdw_book *book, const struct sdw_followed *series);
    double (*value)(const struct moment *at);
} companions[SDW_WITH] = {
    [SDW_WITH_LITTLE] = {has_connections, little},
    [SDW_WITH_PARENT] = {has_parent, parent},
    [SDW_WITH_EVENT] = {has_events, event},
    [SDW_WITH_DELAY] = {has_path, delay},
    [SDW_WITH_LOSS] = {has_path, loss},
    [SDW_WITH_AVAILABLE] = {has_path, available},
    [SDW_WITH_SOURCE] = {has_source, source},
    [SDW_WITH_DESTINATION] = {has_destination, destination},
};

struct sdw_company *sdw_book_company(struct sdw_followed *series)
{
    if (!series->company) {
        series->company = sdw_xalloc(sizeof *series->company);
        series->company->view = sdw_tunnel_unseen;
        for (int end = 0; end < SDW_REGION_ENDS; end++)
            series->company->of[end].share.index = INT64_MIN;
    }
    return series->company;
}

void sdw_company_name_path(struct sdw_book *book, struct sdw_followed *series, struct sdw_str path)
{
    if (path.n == 0 || (series->company && series->company->path))
        return;
    sdw_book_company(series)->path = sdw_xstrndup(path.p, path.n);
    book->on_paths++;
}

/* Labels of others may be called path, too: that of a file, or of a page. */
static bool is_path_id(struct sdw_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!isxdigit((unsigned char)text.p[i]))
            return false;
    return text.n > 0 && text.n <= 16;
}

void sdw_book_meet(struct sdw_book *book, struct sdw_followed *series, struct sdw_str line)
{
    const struct sdw_shared *shared =
        sdw_map_get(&book->shared, sdw_name_head(sdw_buf_view(&series->name)));
    struct sdw_str path = sdw_line_text(line, "path");
    if (is_path_id(path))
        sdw_company_name_path(book, series, path);
    if (shared && shared->path)
        sdw_company_name_path(book, series, sdw_str_of(shared->path));
    sdw_book_name_regions(book, series, line);
}

void sdw_book_part(struct sdw_book *book, struct sdw_followed *series)
{
    if (!series->company)
        return;
    sdw_book_leave_regions(book, series);
    book->on_paths -= series->company->path != NULL;
    free(series->company->path);
    free(series->company);
    series->company = NULL;
}

unsigned sdw_book_companions(const struct sdw_book *book, const struct sdw_followed *series)
{
    unsigned with = 0;
    for (unsigned i = 0; i < SDW_WITH; i++)
        if (companions[i].has(book, series))
            with |= 1u << i;
    return with;
}

static void look_at_path(struct sdw_book *book, struct sdw_company *company,
                         const struct sdw_grid_step *step, int64_t step_us)
{
    const struct sdw_shared *shared =
        company->path ? sdw_book_shared_path(book, sdw_str_of(company->path)) : NULL;
    int64_t silent = silent_steps * step_us;
    if (shared && shared->tunnel &&
        step->ts - shared->ts <= (silent > silent_us ? silent : silent_us))
        sdw_tunnel_look(shared->tunnel, &company->view);
    else
        company->view.delay_us = company->view.loss_share = company->view.available_bps = NAN;
}

void sdw_book_with(struct sdw_book *book, struct sdw_followed *series,
                   const struct sdw_grid_step *step, double with[SDW_WITH])
{
    const struct sdw_cohort *cohort = series->outlook.cohort;
    const struct moment at = {book, series, step->ts};
    size_t n = 0;
    if (series->company) {
        look_at_path(book, series->company, step, cohort->plan.step_us);
        sdw_book_learn_regions(series, step);
    }
    for (unsigned i = 0; cohort->with >> i; i++)
        if (cohort->with >> i & 1)
            with[n++] = companions[i].value(&at);
}

void sdw_book_learn_connections(struct sdw_book *book, struct sdw_str name, double value)
{
    struct sdw_str tail = sdw_name_tail(name), head = sdw_name_head(name);
    bool is_rate = sdw_str_is(tail, "new_per_s"), is_time = sdw_str_is(tail, "duration_mean_us");
    if (!is_rate && !is_time)
        return;
    struct sdw_buf entries = {0};
    sdw_buf_str(&entries, head);
    sdw_buf_text(&entries, "/entries");
    struct sdw_followed *series = sdw_map_get(&book->series, sdw_buf_view(&entries));
    sdw_buf_release(&entries);
    if (series && is_rate)
        series->rate = value;
    if (series && is_time)
        series->duration_us = value;
}
