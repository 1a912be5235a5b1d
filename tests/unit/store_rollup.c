/* Rollups, retention and compaction: whatever happens to the files, the answers stay. */
#include "core/mem.h"
#include "core/rng.h"
#include "store/compact.h"
#include "store/query.h"
#include "store/read.h"
#include "store/retain.h"
#include "unit/tap.h"

#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAYS = 10, PER_DAY = 720, N = DAYS * PER_DAY };

static const int64_t step_us = 120000000, day_us = 86400000000, start_us = 1700006400000000;
static char dir[] = "/tmp/sdw-rollup-XXXXXX", path[64];
static struct sdw_err err;
static double value[N];

static void fresh(void)
{
    static int number;
    snprintf(path, sizeof path, "%s/s%d", dir, number++);
}

static void open_store(struct sdw_store *store)
{
    struct sdw_store_settings settings = {.write = true, .create = true};
    if (sdw_store_open(store, path, &settings, &err) < 0)
        printf("# open: %s\n", err.text);
}

/* Points [from, to) of two series, flushed after each `every` points. */
static void fill(struct sdw_store *store, size_t from, size_t to, size_t every)
{
    uint32_t id[2];
    sdw_store_series(store, sdw_str_of("a"), sdw_str_of(""), &id[0], &err);
    sdw_store_series(store, sdw_str_of("b"), sdw_str_of(""), &id[1], &err);
    for (size_t i = from; i < to; i++) {
        int64_t ts = start_us + (int64_t)i * step_us;
        sdw_store_append(store, &(struct sdw_point){id[0], ts, value[i]}, &err);
        sdw_store_append(store, &(struct sdw_point){id[1], ts, (double)i}, &err);
        if ((i + 1) % every == 0 || i + 1 == to) {
            sdw_store_commit(store, &err);
            sdw_store_flush(store, true, &err);
        }
    }
}

struct answer {
    char text[4096];
    size_t n;
};

static int note(int64_t ts, double v, void *arg)
{
    struct answer *answer = arg;
    size_t n = strlen(answer->text);
    snprintf(answer->text + n, sizeof answer->text - n, "%lld:%.9g ",
             (long long)((ts - start_us) / 3600000000), v);
    answer->n++;
    return 0;
}

/* What a query of both series gives, as text. */
static const char *ask(const struct sdw_store *store, enum sdw_aggregate kind, int64_t step,
                       struct answer *answer)
{
    struct sdw_chunk_room room = {0};
    struct sdw_query query = {INT64_MIN, INT64_MAX, step, kind, 0.5, NULL};
    *answer = (struct answer){0};
    for (uint32_t id = 1; id <= 2; id++)
        if (sdw_query_series(store, id, &query, &room, note, answer, &err) < 0)
            return err.text;
    sdw_chunk_room_release(&room);
    return answer->text;
}

static int compare_row(const struct sdw_points *rows, void *arg)
{
    size_t *wrong = arg;
    int64_t length = rows->n > 1 ? rows->ts_us[1] - rows->ts_us[0] : 0;
    for (size_t i = 0; i < rows->n; i++) {
        size_t at = (size_t)((rows->ts_us[i] - start_us) / step_us);
        size_t n = length > step_us ? (size_t)(length / step_us) : 1;
        double min = INFINITY, max = -INFINITY, sum = 0;
        for (size_t k = at; k < at + n; k++) {
            min = fmin(min, value[k]);
            max = fmax(max, value[k]);
            sum += value[k];
        }
        *wrong += rows->column[SDW_COL_MIN][i] != min || rows->column[SDW_COL_MAX][i] != max ||
                  fabs(rows->column[SDW_COL_SUM][i] - sum) > 1e-6 ||
                  rows->column[SDW_COL_COUNT][i] != (double)n ||
                  rows->column[SDW_COL_LAST][i] != value[at + n - 1];
    }
    wrong[1] += rows->n;
    return 0;
}

static void test_rows(void)
{
    static const size_t want[SDW_LEVELS] = {0, N - 6, DAYS * 24 - 1, DAYS - 1};
    struct sdw_store store;
    struct sdw_chunk_room room = {0};
    uint64_t rows = 0;
    fresh();
    open_store(&store);
    fill(&store, 0, N / 2 + 100, 500);
    ok(sdw_store_rollup(&store, SDW_LEVELS, &rows, &err) == 0 && rows > 0, "points are rolled up");
    fill(&store, N / 2 + 100, N, 500);
    ok(sdw_store_rollup(&store, SDW_LEVELS, &rows, &err) == 0, "and the next ones");
    for (uint32_t level = 1; level < SDW_LEVELS; level++) {
        size_t wrong[2] = {0, 0};
        struct sdw_read read = {.series = 1,
                                .level = level,
                                .from_us = INT64_MIN,
                                .to_us = INT64_MAX,
                                .points = compare_row,
                                .arg = wrong};
        sdw_read_series(&store, &read, &room, &err);
        ok(wrong[0] == 0, "rows of level %u are right: %zu wrong", level, wrong[0]);
        ok(wrong[1] == want[level], "each step has one: %zu of %zu", wrong[1], want[level]);
    }
    ok(sdw_store_rollup(&store, SDW_LEVELS, &rows, &err) == 0 && rows == 0,
       "what is rolled up stays so");
    sdw_chunk_room_release(&room);
    sdw_store_close(&store);
}

static void test_merge(void)
{
    struct sdw_store store;
    struct answer before, after;
    struct sdw_compacted done;
    fresh();
    open_store(&store);
    fill(&store, 0, N, 100);
    ask(&store, SDW_AGG_NONE, 0, &before);
    size_t segments = store.n_segments;
    ok(sdw_store_compact(&store, &done, &err) == 0, "a store is compacted");
    ok(done.merged.merged >= segments && store.n_segments <= 2 * DAYS + 4,
       "%zu segments became %zu", segments, store.n_segments);
    is_text(ask(&store, SDW_AGG_NONE, 0, &after), before.text, "the points are the same");
    ok(after.n == 2 * N, "all of them");
    sdw_store_close(&store);
    open_store(&store);
    is_text(ask(&store, SDW_AGG_NONE, 0, &after), before.text, "also for the next who opens it");
    ok(sdw_store_compact(&store, &done, &err) == 0 && done.merged.merged == 0, "once is enough");
    uint32_t one = store.manifest.next_segment;
    sdw_store_close(&store);
    char orphan[96];
    snprintf(orphan, sizeof orphan, "%s/seg-%08u", path, one);
    fclose(fopen(orphan, "w"));
    open_store(&store);
    ok(access(orphan, F_OK) < 0 && ask(&store, SDW_AGG_NONE, 0, &after) && after.n == 2 * N,
       "what a killed compaction left is swept");
    sdw_store_close(&store);
}

static void test_retention(void)
{
    static const enum sdw_aggregate kinds[] = {SDW_AGG_MIN,   SDW_AGG_MAX,  SDW_AGG_SUM,
                                               SDW_AGG_COUNT, SDW_AGG_LAST, SDW_AGG_AVG};
    const char *keep[SDW_LEVELS] = {"2d", "3d", "5d", "forever"};
    struct sdw_store store;
    struct sdw_compacted done;
    struct answer before[SDW_LEN(kinds)], after;
    fresh();
    open_store(&store);
    fill(&store, 0, N, PER_DAY);
    for (size_t k = 0; k < SDW_LEN(kinds); k++)
        ask(&store, kinds[k], day_us, &before[k]);
    ok(sdw_store_retain(&store, keep, &err) == 0, "how long things are kept is part of the store");
    ok(sdw_store_compact(&store, &done, &err) == 0 && done.dropped_points > N, "old points go");
    size_t wrong = 0;
    for (size_t k = 0; k < SDW_LEN(kinds); k++)
        wrong += strcmp(ask(&store, kinds[k], day_us, &after), before[k].text) != 0;
    ok(wrong == 0, "the days are what they were: %zu aggregates are not", wrong);
    ask(&store, SDW_AGG_NONE, 0, &after);
    ok(after.n < 2 * N && after.n > N / 2, "%zu rows of %d points are left", after.n, 2 * N);
    ask(&store, SDW_AGG_COUNT, 0, &after);
    char all[64];
    snprintf(all, sizeof all, ":%d ", N);
    ok(strstr(after.text, all), "and stand for all of them: %s", after.text);
    struct sdw_chunk_room room = {0};
    struct sdw_query median = {INT64_MIN, INT64_MAX, day_us, SDW_AGG_QUANTILE, 0.5, NULL};
    after = (struct answer){0};
    ok(sdw_query_series(&store, 1, &median, &room, note, &after, &err) == 1 && after.n == 3,
       "a percentile of rollups is not made up: %zu days", after.n);
    sdw_chunk_room_release(&room);
    uint32_t id = 1;
    sdw_store_append(&store, &(struct sdw_point){id, start_us, 1}, &err);
    ok(store.counts.late == 1, "a point of a time that is gone is late");
    sdw_store_close(&store);
    const char *hour[SDW_LEVELS] = {"1h", NULL, NULL, NULL};
    open_store(&store);
    ok(sdw_store_retain(&store, hour, &err) == SDW_EUSAGE, "too short a time is refused");
    is_text(err.text, "--points: must be 2 days or longer", "and the least one named");
    ok(sdw_store_compact(&store, &done, &err) == 0 && done.dropped == 0, "nothing more goes");
    sdw_store_close(&store);
}

static int take_away(const char *name, const struct stat *is, int kind, struct FTW *at)
{
    (void)is, (void)kind, (void)at;
    return remove(name);
}

int main(void)
{
    struct sdw_rng rng;
    if (!mkdtemp(dir))
        return 1;
    sdw_rng_seed(&rng, 5);
    for (size_t i = 0; i < N; i++)
        value[i] = round(1e6 + 1e4 * sdw_rng_normal(&rng));
    test_rows();
    test_merge();
    test_retention();
    nftw(dir, take_away, 8, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
