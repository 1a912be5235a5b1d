#include "model/forecast.h"
#include "core/mem.h"
#include "model/book.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>

enum {
    PLAN_MOST = 1024,  /* steps to the longest horizon that an automatic step keeps to */
    COHORTS_PLAIN = 56 /* from so many on what comes with values is left aside */
};

struct sdw_book *sdw_book_new(const struct sdw_forecast_settings *settings)
{
    struct sdw_book *book = sdw_xalloc(sizeof *book);
    book->settings = *settings;
    book->newest = book->swept = book->resume = INT64_MIN;
    sdw_map_init(&book->series, 0);
    sdw_map_init(&book->shared, 0);
    sdw_map_init(&book->regions, 0);
    return book;
}

static void free_series(struct sdw_book *book, struct sdw_followed *series)
{
    sdw_book_part(book, series);
    sdw_kin_free(series->kin);
    sdw_outlook_release(&series->outlook);
    sdw_buf_release(&series->parent);
    sdw_buf_release(&series->name);
    free(series);
}

void sdw_book_free(struct sdw_book *book)
{
    if (!book)
        return;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&book->series, &cursor, &key, &value))
        free_series(book, value);
    cursor = 0;
    while (sdw_map_next(&book->shared, &cursor, &key, &value))
        sdw_book_shared_free(value);
    sdw_map_release(&book->series);
    sdw_map_release(&book->shared);
    sdw_map_release(&book->regions);
    for (size_t i = 0; i < book->cohorts; i++)
        sdw_cohort_free(book->cohort[i].cohort);
    sdw_buf_release(&book->name);
    sdw_buf_release(&book->joined);
    for (size_t i = 0; i < SDW_LEN(book->json); i++)
        sdw_buf_release(&book->json[i]);
    for (size_t i = 0; i < book->json_cap; i++)
        sdw_buf_release(&book->said_json[i]);
    free(book->said_json);
    free(book->said);
    free(book);
}

size_t sdw_book_series(const struct sdw_book *book)
{
    return book->series.n;
}

const struct sdw_book_counts *sdw_book_counts(const struct sdw_book *book)
{
    return &book->counts;
}

int64_t sdw_book_newest(const struct sdw_book *book)
{
    return book->newest;
}

struct sdw_str sdw_name_tail(struct sdw_str name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '/')
        at--;
    return at > 0 ? (struct sdw_str){name.p + at, name.n - at} : name;
}

struct sdw_str sdw_name_head(struct sdw_str name)
{
    size_t tail = sdw_name_tail(name).n;
    return (struct sdw_str){name.p, name.n > tail ? name.n - tail - 1 : 0};
}

static bool is_wanted(const struct sdw_book *book, const char *name)
{
    return !book->settings.glob || fnmatch(book->settings.glob, name, 0) == 0;
}

struct sdw_followed *sdw_book_series_at(struct sdw_book *book, struct sdw_str name)
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_followed *series = sdw_map_get(&book->series, name);
    if (series || book->series.n >= s->max_series)
        return series;
    series = sdw_xalloc(sizeof *series);
    sdw_buf_str(&series->name, name);
    series->followed = is_wanted(book, series->name.p);
    series->capacity = series->ruled = series->rate = series->duration_us = NAN;
    const struct sdw_series_rule *capacity = sdw_series_rule_of(&s->capacities, series->name.p);
    const struct sdw_series_rule *parent = sdw_series_rule_of(&s->parents, series->name.p);
    if (capacity)
        series->ruled = capacity->capacity;
    series->parent_ruled = parent;
    if (parent)
        sdw_buf_text(&series->parent, parent->text);
    bool counter = s->counters && fnmatch(s->counters, series->name.p, 0) == 0;
    sdw_outlook_init(&series->outlook, s->horizons, s->step_us,
                     s->horizon_us[s->horizons - 1] / PLAN_MOST, counter);
    *sdw_map_at(&book->series, name) = series;
    return series;
}

struct sdw_cohort *sdw_book_cohort_at(struct sdw_book *book, struct sdw_str name, int64_t step_us,
                                      unsigned with)
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_str sort = sdw_name_tail(name);
    if (sort.n >= SDW_SORT_MAX || book->cohorts >= SDW_COHORTS_MAX / 2)
        sort.n = 0;
    if (book->cohorts >= COHORTS_PLAIN)
        with = 0;
    for (size_t i = 0; i < book->cohorts; i++)
        if (book->cohort[i].cohort->plan.step_us == step_us &&
            book->cohort[i].cohort->with == with &&
            sdw_str_same(sdw_str_of(book->cohort[i].sort), sort))
            return book->cohort[i].cohort;
    if (book->cohorts == SDW_COHORTS_MAX)
        return NULL;
    struct sdw_cohort *cohort = sdw_cohort_new(step_us, s->horizon_us, s->horizons, s->seasons,
                                               __builtin_popcount(with), NULL);
    if (!cohort)
        return NULL;
    cohort->with = with;
    struct sdw_book_cohort *fresh = &book->cohort[book->cohorts++];
    fresh->cohort = cohort;
    if (sort.n > 0)
        memcpy(fresh->sort, sort.p, sort.n);
    return cohort;
}

static void learn_step(struct sdw_book *book, struct sdw_followed *series,
                       const struct sdw_grid_step *step, bool above, struct sdw_foresight *out)
{
    struct sdw_outlook *outlook = &series->outlook;
    double with[SDW_WITH];
    sdw_book_with(book, series, step, with);
    sdw_book_forecast_before(book, series, step->index);
    sdw_outlook_learn(outlook, step, with, above);
    if (series->kin)
        sdw_kin_step(series->kin, step->index, step->value,
                     sdw_ensemble_surprise(sdw_outlook_ensemble(outlook)));
    if (!sdw_outlook_mature(outlook) ||
        !sdw_feedback_due(&outlook->feedback, &outlook->cohort->plan))
        return;
    sdw_book_say_scores(book, series, step->ts, out);
    if (book->settings.correlate)
        sdw_book_say_correlations(book, series, step->ts, out);
}

/* The steps that a value completed: learned, and what is due of them scored. */
static void learn_steps(struct sdw_book *book, struct sdw_followed *series,
                        const struct sdw_grid_step *step, size_t n, struct sdw_foresight *out)
{
    struct sdw_outlook *outlook = &series->outlook;
    if (n > 0 && !outlook->cohort && !series->refused) {
        struct sdw_cohort *cohort =
            sdw_book_cohort_at(book, sdw_buf_view(&series->name), outlook->grid.step_us,
                               sdw_book_companions(book, series));
        series->refused = !cohort;
        if (cohort) {
            sdw_outlook_settle(outlook, cohort);
            sdw_book_join_regions(book, series);
        }
    }
    if (!outlook->cohort)
        return;
    struct sdw_limit limit[SDW_BREACHES_MAX];
    sdw_book_limits(book, series, limit);
    bool above = !(isfinite(limit[0].value) && limit[0].below);
    sdw_book_join(book, series);
    for (size_t i = 0; i < n; i++)
        learn_step(book, series, &step[i], above, out);
}

/* Forget the series, but for one, that had no value for so long. */
static void sweep(struct sdw_book *book, const struct sdw_followed *except)
{
    int64_t ttl = book->settings.ttl_us;
    if (ttl <= 0 || (book->swept != INT64_MIN && book->newest - book->swept < ttl / 8 + 1))
        return;
    book->swept = book->newest;
    size_t cursor = 0, n = 0;
    struct sdw_str key;
    void *value;
    struct sdw_followed **old = sdw_xrealloc(NULL, book->series.n + 1, sizeof *old);
    while (sdw_map_next(&book->series, &cursor, &key, &value)) {
        struct sdw_followed *series = value;
        if (series != except && series->outlook.grid.any &&
            book->newest - series->outlook.grid.last_ts > ttl)
            old[n++] = series;
    }
    for (size_t i = 0; i < n; i++) {
        sdw_map_remove(&book->series, sdw_buf_view(&old[i]->name));
        free_series(book, old[i]);
    }
    free(old);
    sdw_book_sweep_shared(book);
}

static bool say_now(const struct sdw_book *book, struct sdw_followed *series)
{
    if (book->settings.every <= 0 || ++series->unsaid < book->settings.every)
        return false;
    series->unsaid = 0;
    return true;
}

static void learn(struct sdw_book *book, struct sdw_followed *series,
                  const struct sdw_sample *sample, struct sdw_foresight *out)
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_outlook *outlook = &series->outlook;
    struct sdw_grid_step step[SDW_GRID_WAIT];
    size_t n;
    int64_t local_us = s->local_us ? s->local_us(sample->ts, s->local_arg) : 0;
    out->use = sdw_outlook_take(outlook, sample->ts, local_us, sample->value, step, &n);
    learn_steps(book, series, step, n, out);
    if (out->use != SDW_GRID_USED)
        return;
    if (sdw_outlook_mature(outlook) && n == 0)
        return; /* the step is still being filled */
    if (isnan(outlook->value))
        return;
    struct sdw_prediction predictions[SDW_STEPS_MAX];
    sdw_book_forecast(book, series, say_now(book, series), predictions);
    sdw_book_say_breaches(book, series, predictions, out);
}

/* The series that the sample is a value of; NULL when it is of none that is followed. One that is
 * not wanted takes no place among --max-series. */
static struct sdw_followed *series_of(struct sdw_book *book, const struct sdw_sample *sample,
                                      struct sdw_foresight *out)
{
    if (!isfinite(sample->value))
        return NULL;
    struct sdw_followed *series = sdw_map_get(&book->series, sample->series);
    if (!series && !is_wanted(book, sample->series.p))
        return NULL;
    if (!series)
        series = sdw_book_series_at(book, sample->series);
    out->dropped = !series;
    return series;
}

/* Whether the state that was loaded knew it. Where it was saved between two series of one time, the
 * second has not had that time yet. */
static bool is_known(const struct sdw_book *book, const struct sdw_sample *sample)
{
    if (book->resume == INT64_MIN || sample->ts != book->resume)
        return sample->ts < book->resume;
    const struct sdw_followed *series = sdw_map_get(&book->series, sample->series);
    return series && series->outlook.ts >= sample->ts;
}

static void take(struct sdw_book *book, const struct sdw_sample *sample, struct sdw_foresight *out)
{
    /* First, so that what is replayed stands between leaps as it did when it was new. */
    if (!sdw_leap_believed(&book->leap, book->newest, sample->ts)) {
        out->use = SDW_GRID_LATE;
        return;
    }
    if (is_known(book, sample))
        return;
    bool newer = sample->ts > book->newest;
    book->resume = INT64_MIN;
    if (newer)
        book->newest = sample->ts;
    sdw_book_learn_capacity(book, sample->series, sample->value);
    sdw_book_learn_connections(book, sample->series, sample->value);
    if (sample->path_capacity > 0)
        sdw_book_path_capacity(book, sdw_name_head(sample->series), sample->path_capacity);
    if (sample->path_id.n > 0)
        sdw_book_learn_path(book, sample);
    struct sdw_followed *series = series_of(book, sample, out);
    if (newer)
        sweep(book, series);
    if (!series || !series->followed)
        return;
    if (!series->outlook.cohort && !series->refused)
        sdw_book_meet(book, series, sample->line);
    if (sample->capacity > 0)
        series->capacity = sample->capacity;
    if (!isnan(sample->new_per_s))
        series->rate = sample->new_per_s;
    if (!isnan(sample->duration_mean_us))
        series->duration_us = sample->duration_mean_us;
    sdw_book_name_parent(series, sample->parent);
    if (sdw_events_maintenance(&book->settings.events, series->name.p, sample->ts))
        return;
    series->has_metric = series->has_metric || !sample->estimate;
    if (!sample->estimate || !series->has_metric)
        learn(book, series, sample, out);
}

void sdw_book_learn(struct sdw_book *book, const struct sdw_sample *sample,
                    struct sdw_foresight *out)
{
    struct sdw_book_counts *counts = &book->counts;
    out->dropped = false;
    book->n_said = 0;
    out->n_breaches = out->n_scores = out->n_correlations = 0;
    out->use = SDW_GRID_BAD;
    take(book, sample, out);
    out->n_forecasts = book->n_said;
    out->said = book->said;
    counts->values += out->use == SDW_GRID_USED;
    counts->late += out->use == SDW_GRID_LATE;
    counts->duplicates += out->use == SDW_GRID_DUPLICATE;
    counts->forecasts += (int64_t)out->n_forecasts;
    counts->breaches += (int64_t)out->n_breaches;
    counts->scores += (int64_t)out->n_scores;
    counts->dropped += out->dropped;
    if (out->use != SDW_GRID_LATE && sample->ts > counts->ts)
        counts->ts = sample->ts;
}
