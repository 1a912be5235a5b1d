/* The book as bytes, and back. The bytes have their checksum outside; here only what would lead
 * beyond memory is checked. */
#include "core/mem.h"
#include "model/book.h"
#include "model/saved.h"

#include <math.h>
#include <stdlib.h>

struct saved_head {
    int64_t newest, swept;
    uint64_t shared, cohorts, series, born, regions;
};

struct saved_cohort {
    int64_t step_us;
    uint64_t with;
    char sort[SDW_SORT_MAX];
};

/* Texts, and what is known of a path, follow. */
struct saved_shared {
    double capacity;
    int64_t ts;
    uint64_t head_bytes, path_bytes, has_tunnel;
};

/* The path and the regions follow. */
struct saved_company {
    struct sdw_tunnel_view view;
    struct sdw_region_share share[SDW_REGION_ENDS];
    uint64_t path_bytes, region_bytes[SDW_REGION_ENDS];
};

/* A series without its heap memory, whose pointers only say whether something follows. */
struct saved_series {
    struct sdw_followed followed;
    uint64_t name_bytes, parent_bytes;
    uint64_t cohort; /* SDW_COHORTS_MAX: none */
    uint64_t linked; /* it has joined its parent */
};

static void mix_in(uint64_t *hash, const void *bytes, size_t n)
{
    *hash = sdw_hash(bytes, n, *hash);
}

uint64_t sdw_book_layout(const struct sdw_forecast_settings *settings)
{
    const uint64_t sizes[] = {sizeof(struct saved_head),
                              sizeof(struct saved_cohort),
                              sizeof(struct saved_series),
                              sizeof(struct sdw_kin_state),
                              sizeof(struct sdw_young),
                              SDW_KIN_SAID,
                              sizeof(struct sdw_risk_shared),
                              sizeof(struct sdw_ensemble_plan),
                              sizeof(struct saved_shared),
                              sizeof(struct saved_company),
                              sizeof(struct sdw_tunnel),
                              sizeof(struct sdw_region),
                              SDW_WITH};
    struct sdw_ensemble_plan plan;
    uint64_t hash = 0;
    mix_in(&hash, sizes, sizeof sizes);
    mix_in(&hash, settings->horizon_us, settings->horizons * sizeof settings->horizon_us[0]);
    mix_in(&hash, &settings->step_us, sizeof settings->step_us);
    mix_in(&hash, &settings->seasons, sizeof settings->seasons);
    if (settings->counters)
        mix_in(&hash, settings->counters, strlen(settings->counters));
    int64_t step_us = settings->horizon_us[0];
    if (sdw_ensemble_plan(&plan, step_us, &step_us, 1, settings->seasons, 0, NULL) == 0) {
        mix_in(&hash, &plan.bytes, sizeof plan.bytes);
        mix_in(&hash, &plan.shared_bytes, sizeof plan.shared_bytes);
    }
    return hash;
}

static void save_company(const struct sdw_company *company, struct sdw_buf *out)
{
    struct saved_company saved = {.view = company->view,
                                  .path_bytes = company->path ? strlen(company->path) : 0};
    for (int end = 0; end < SDW_REGION_ENDS; end++) {
        saved.share[end] = company->of[end].share;
        saved.region_bytes[end] = company->of[end].name ? strlen(company->of[end].name) : 0;
    }
    sdw_buf_add(out, &saved, sizeof saved);
    sdw_buf_add(out, company->path, (size_t)saved.path_bytes);
    for (int end = 0; end < SDW_REGION_ENDS; end++)
        sdw_buf_add(out, company->of[end].name, (size_t)saved.region_bytes[end]);
}

static void save_shared(struct sdw_str head, const struct sdw_shared *shared, struct sdw_buf *out)
{
    struct saved_shared saved = {shared->capacity, shared->ts, head.n,
                                 shared->path ? strlen(shared->path) : 0, shared->tunnel != NULL};
    sdw_buf_add(out, &saved, sizeof saved);
    sdw_buf_str(out, head);
    sdw_buf_add(out, shared->path, (size_t)saved.path_bytes);
    if (shared->tunnel)
        sdw_buf_add(out, shared->tunnel, sizeof *shared->tunnel);
}

static void save_series(const struct sdw_book *book, const struct sdw_followed *series,
                        struct sdw_buf *out)
{
    const struct sdw_outlook *outlook = &series->outlook;
    struct saved_series saved;
    memset(&saved, 0, sizeof saved);
    memcpy(&saved.followed, series, sizeof *series);
    saved.followed.name = saved.followed.parent = (struct sdw_buf){0};
    saved.name_bytes = series->name.n;
    saved.parent_bytes = series->parent.n;
    saved.linked = series->kin && series->kin->parent;
    while (saved.cohort < book->cohorts && book->cohort[saved.cohort].cohort != outlook->cohort)
        saved.cohort++;
    if (!outlook->cohort)
        saved.cohort = SDW_COHORTS_MAX;
    sdw_buf_add(out, &saved, sizeof saved);
    sdw_buf_str(out, sdw_buf_view(&series->name));
    sdw_buf_str(out, sdw_buf_view(&series->parent));
    if (series->company)
        save_company(series->company, out);
    if (outlook->young)
        sdw_buf_add(out, outlook->young, sizeof *outlook->young);
    if (outlook->cohort)
        sdw_buf_add(out, outlook->state, sdw_cohort_state_bytes(outlook->cohort));
    if (outlook->mature)
        sdw_buf_add(out, outlook->feedback.kept, sdw_feedback_bytes(&outlook->cohort->plan));
    if (series->kin) {
        sdw_buf_add(out, &series->kin->s, sizeof series->kin->s);
        sdw_buf_add(out, series->kin->said, SDW_KIN_SAID * series->kin->horizons * sizeof(double));
    }
}

void sdw_book_save(const struct sdw_book *book, struct sdw_buf *out)
{
    struct saved_head head = {book->newest,   book->swept, book->shared.n, book->cohorts,
                              book->series.n, book->born,  book->regions.n};
    sdw_buf_add(out, &head, sizeof head);
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&book->shared, &cursor, &key, &value))
        save_shared(key, value, out);
    for (size_t i = 0; i < book->cohorts; i++) {
        const struct sdw_cohort *cohort = book->cohort[i].cohort;
        struct saved_cohort saved;
        memset(&saved, 0, sizeof saved);
        saved.step_us = cohort->plan.step_us;
        saved.with = cohort->with;
        memcpy(saved.sort, book->cohort[i].sort, sizeof saved.sort);
        sdw_buf_add(out, &saved, sizeof saved);
        sdw_buf_add(out, cohort->shared, cohort->plan.shared_bytes);
        sdw_buf_add(out, &cohort->risk, sizeof cohort->risk);
    }
    cursor = 0;
    while (sdw_map_next(&book->series, &cursor, &key, &value))
        save_series(book, value, out);
    cursor = 0;
    while (sdw_map_next(&book->regions, &cursor, &key, &value)) {
        uint64_t n = key.n;
        sdw_buf_add(out, &n, sizeof n);
        sdw_buf_str(out, key);
        sdw_buf_add(out, value, sizeof(struct sdw_region));
    }
}

static bool load_shared(struct sdw_book *book, struct sdw_str *body)
{
    struct saved_shared saved;
    struct sdw_str head, path;
    if (!sdw_saved_take(body, &saved, sizeof saved) ||
        !sdw_saved_text(body, (size_t)saved.head_bytes, &head) ||
        !sdw_saved_text(body, (size_t)saved.path_bytes, &path) || sdw_map_get(&book->shared, head))
        return false;
    struct sdw_shared *shared = sdw_book_shared_at(book, head);
    if (!shared)
        return false;
    shared->capacity = saved.capacity;
    shared->ts = saved.ts;
    shared->path = path.n > 0 ? sdw_xstrndup(path.p, path.n) : NULL;
    return !saved.has_tunnel ||
           sdw_saved_take(body, sdw_shared_tunnel(shared), sizeof *shared->tunnel);
}

/* The sum of a region, whose members have joined it. */
static bool load_region(struct sdw_book *book, struct sdw_str *body)
{
    uint64_t n;
    struct sdw_str key;
    struct sdw_region saved;
    if (!sdw_saved_take(body, &n, sizeof n) || !sdw_saved_text(body, (size_t)n, &key) ||
        !sdw_saved_take(body, &saved, sizeof saved))
        return false;
    struct sdw_region *region = sdw_map_get(&book->regions, key);
    if (!region || region->members != saved.members)
        return false;
    *region = saved;
    return true;
}

static bool load_company(struct sdw_book *book, struct sdw_followed *series, struct sdw_str *body)
{
    struct saved_company saved;
    struct sdw_str path;
    if (!sdw_saved_take(body, &saved, sizeof saved) ||
        !sdw_saved_text(body, (size_t)saved.path_bytes, &path))
        return false;
    sdw_company_name_path(book, series, path);
    sdw_book_company(series)->view = saved.view;
    for (int end = 0; end < SDW_REGION_ENDS; end++) {
        struct sdw_str region;
        if (!sdw_saved_text(body, (size_t)saved.region_bytes[end], &region))
            return false;
        sdw_membership_name(&series->company->of[end], region);
        series->company->of[end].share = saved.share[end];
    }
    return true;
}

static bool load_cohort(struct sdw_book *book, struct sdw_str *body)
{
    struct saved_cohort saved;
    if (!sdw_saved_take(body, &saved, sizeof saved) ||
        memchr(saved.sort, '\0', sizeof saved.sort) == NULL || saved.with >> SDW_WITH != 0 ||
        saved.step_us < 1000 || saved.step_us > INT64_C(86400000000))
        return false;
    size_t before = book->cohorts;
    struct sdw_cohort *cohort =
        sdw_book_cohort_at(book, sdw_str_of(saved.sort), saved.step_us, (unsigned)saved.with);
    return cohort && book->cohorts == before + 1 &&
           sdw_saved_take(body, cohort->shared, cohort->plan.shared_bytes) &&
           sdw_saved_take(body, &cohort->risk, sizeof cohort->risk);
}

static bool grid_is_sound(const struct sdw_grid *grid, bool is_young)
{
    return grid->step_us >= 0 && grid->step_us <= INT64_C(86400000000) && grid->n >= 0 &&
           grid->waiting >= 0 && grid->waiting <= SDW_GRID_WAIT &&
           (grid->waiting < SDW_GRID_WAIT ? is_young : grid->step_us > 0);
}

static bool load_outlook(struct sdw_outlook *outlook, struct sdw_cohort *cohort,
                         struct sdw_str *body)
{
    sdw_outlook_settle(outlook, cohort);
    if (!sdw_saved_take(body, outlook->state, sdw_cohort_state_bytes(cohort)))
        return false;
    if (!outlook->mature)
        return true;
    sdw_outlook_ripen(outlook);
    return sdw_saved_take(body, outlook->feedback.kept, sdw_feedback_bytes(&cohort->plan));
}

static bool load_series(struct sdw_book *book, struct sdw_str *body)
{
    struct saved_series saved;
    struct sdw_str name, parent;
    if (!sdw_saved_take(body, &saved, sizeof saved) ||
        !sdw_saved_text(body, (size_t)saved.name_bytes, &name) ||
        !sdw_saved_text(body, (size_t)saved.parent_bytes, &parent))
        return false;
    bool is_young = saved.followed.outlook.young, has_cohort = saved.cohort != SDW_COHORTS_MAX;
    bool is_mature = saved.followed.outlook.mature;
    if (!grid_is_sound(&saved.followed.outlook.grid, is_young) || (!is_young && !has_cohort) ||
        (is_mature ? !has_cohort : !is_young) || (has_cohort && saved.cohort >= book->cohorts) ||
        sdw_map_get(&book->series, name))
        return false;
    struct sdw_followed *series = sdw_book_series_at(book, name);
    if (!series)
        return false;
    const struct sdw_followed fresh = *series;
    struct sdw_young *young = fresh.outlook.young;
    *series = saved.followed;
    series->name = fresh.name;
    series->parent = fresh.parent;
    bool same_family = sdw_book_load_parent(series, parent);
    series->kin = NULL;
    series->company = NULL;
    series->followed = fresh.followed;
    series->ruled = fresh.ruled;
    series->outlook.young = young;
    series->outlook.state = NULL;
    series->outlook.feedback.kept = NULL;
    series->outlook.cohort = NULL;
    if (saved.followed.company && !load_company(book, series, body))
        return false;
    if (is_young && !sdw_saved_take(body, young, sizeof *young))
        return false;
    if (has_cohort)
        sdw_book_join_regions(book, series);
    if (has_cohort && !load_outlook(&series->outlook, book->cohort[saved.cohort].cohort, body))
        return false;
    if (saved.followed.kin) {
        if (!has_cohort)
            return false;
        series->kin = sdw_kin_new((size_t)series->outlook.cohort->plan.n, 0, series);
        if (!sdw_saved_take(body, &series->kin->s, sizeof series->kin->s) ||
            !sdw_saved_take(body, series->kin->said,
                            SDW_KIN_SAID * series->kin->horizons * sizeof(double)))
            return false;
        series->rejoins = saved.linked;
    }
    if (!same_family) {
        sdw_kin_free(series->kin);
        series->kin = NULL;
        series->rejoins = false;
    }
    if (!is_young) {
        free(series->outlook.young);
        series->outlook.young = NULL;
    }
    return true;
}

/* Families as they were. */
static void rejoin(struct sdw_book *book)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&book->series, &cursor, &key, &value)) {
        struct sdw_followed *series = value;
        if (series->rejoins)
            sdw_book_join(book, series);
        series->rejoins = false;
    }
}

int sdw_book_load(struct sdw_book *book, struct sdw_str body, struct sdw_err *err)
{
    struct saved_head head;
    bool good = sdw_saved_take(&body, &head, sizeof head);
    for (uint64_t i = 0; good && i < head.shared; i++)
        good = load_shared(book, &body);
    for (uint64_t i = 0; good && i < head.cohorts; i++)
        good = load_cohort(book, &body);
    for (uint64_t i = 0; good && i < head.series; i++)
        good = load_series(book, &body);
    for (uint64_t i = 0; good && i < head.regions; i++)
        good = load_region(book, &body);
    if (good)
        rejoin(book);
    if (!good || body.n > 0)
        return sdw_err_set(err, SDW_EINPUT,
                           "the saved state does not fit: more series than --max-series, or "
                           "another build; remove it to begin anew");
    book->newest = book->resume = head.newest;
    book->swept = head.swept;
    book->born = head.born;
    return 0;
}
