/* The points of the store benchmark, and the store's own side of it.
 *
 *   store_load write DIR SERIES MINUTES        into a store, durable each minute; what it took
 *   store_load read DIR                        opening and queries; what they took
 *   store_load ndjson|prom|sql SERIES MINUTES  the same points as text, for others
 *
 * Half of the series are loads of links in bit/s, whole numbers of 9 and 10 digits; half are gauges
 * from 0 to 100 with two decimals. All swing by a third with the day, and have normal noise: half a
 * unit for gauges, a five-thousandth of the level for loads (NOISE=x: x times that). One seed. */
#include "core/clock.h"
#include "core/mem.h"
#include "core/num.h"
#include "core/rng.h"
#include "store/query.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const int64_t start_us = 1790000040000000, minute_us = 60000000;

struct source {
    struct sdw_rng rng;
    double noise;
    double *level, *phase;
    uint32_t series;
};

static void source_init(struct source *source, uint32_t series)
{
    const char *noise = getenv("NOISE");
    *source = (struct source){.series = series, .noise = noise ? strtod(noise, NULL) : 1};
    source->level = sdw_xalloc(series * sizeof *source->level);
    source->phase = sdw_xalloc(series * sizeof *source->phase);
    sdw_rng_seed(&source->rng, 20261120);
    for (uint32_t s = 0; s < series; s++) {
        double unit = sdw_rng_unit(&source->rng);
        source->level[s] = s % 2 ? 20 + 40 * unit : pow(10, 8.3 + 1.4 * unit);
        source->phase[s] = sdw_rng_unit(&source->rng);
    }
}

static double source_next(struct source *source, uint32_t s, uint32_t minute)
{
    double day = (double)minute / 1440 + source->phase[s];
    double level = source->level[s] * (1 + sin(day * 2 * M_PI) / 3);
    double noise = source->noise * sdw_rng_normal(&source->rng);
    if (s % 2)
        return round((level + noise / 2) * 100) / 100;
    return round(level + noise * source->level[s] / 5000);
}

static const char *name_of(uint32_t s, char out[48])
{
    snprintf(out, 48, s % 2 ? "link/n%u/use_percent" : "link/n%u/bps", s / 2);
    return out;
}

/* What the store took, on the wall and of the processor. */
struct cost {
    int64_t wall_ns;
    double cpu_s;
};

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Adds what passes between begin_cost and end_cost. */
static void begin_cost(struct cost *cost)
{
    cost->wall_ns -= sdw_mono_ns();
    cost->cpu_s -= cpu_s();
}

static void end_cost(struct cost *cost)
{
    cost->wall_ns += sdw_mono_ns();
    cost->cpu_s += cpu_s();
}

static int fail(const struct sdw_err *err)
{
    fprintf(stderr, "store_load: %s\n", err->text);
    return 1;
}

/* --- the store ----------------------------------------------------------------------------- */

static int write_minutes(struct sdw_store *store, struct source *source, uint32_t minutes,
                         double *value, struct cost *cost, struct sdw_err *err)
{
    int code = 0;
    uint32_t *id = sdw_xalloc(source->series * sizeof *id);
    char name[48];
    for (uint32_t s = 0; code == 0 && s < source->series; s++)
        code = sdw_store_series(store, sdw_str_of(name_of(s, name)), sdw_str_of(""), &id[s], err);
    for (uint32_t m = 0; code == 0 && m < minutes; m++) {
        for (uint32_t s = 0; s < source->series; s++)
            value[s] = source_next(source, s, m);
        begin_cost(cost);
        for (uint32_t s = 0; code == 0 && s < source->series; s++)
            code = sdw_store_append(
                store, &(struct sdw_point){id[s], start_us + m * minute_us, value[s]}, err);
        if (code == 0)
            code = sdw_store_commit(store, err);
        if (code == 0)
            code = sdw_store_flush(store, false, err);
        end_cost(cost);
    }
    begin_cost(cost);
    if (code == 0)
        code = sdw_store_flush(store, true, err);
    end_cost(cost);
    free(id);
    return code;
}

static int run_write(const char *dir, uint32_t series, uint32_t minutes)
{
    struct sdw_store store;
    struct sdw_store_settings settings = {.write = true, .create = true};
    struct source source;
    struct sdw_err err;
    double points = (double)series * minutes;
    struct cost cost = {0, 0};
    source_init(&source, series);
    double *value = sdw_xalloc(series * sizeof *value);
    int code = sdw_store_open(&store, dir, &settings, &err);
    if (code == 0)
        code = write_minutes(&store, &source, minutes, value, &cost, &err);
    if (code < 0)
        return fail(&err);
    printf("{\"points\":%.0f,\"seconds\":%.3f,\"cpu_s\":%.3f,\"points_s\":%.0f,\"points_cpu_s\":%."
           "0f}\n",
           points, (double)cost.wall_ns / 1e9, cost.cpu_s, points / ((double)cost.wall_ns / 1e9),
           points / cost.cpu_s);
    sdw_store_close(&store);
    return 0;
}

static int count_value(int64_t ts, double value, void *arg)
{
    (void)ts, (void)value;
    ++*(size_t *)arg;
    return 0;
}

/* Milliseconds for series [0, n) of a query; the best of several times. */
static double time_query(const struct sdw_store *store, size_t n, const struct sdw_query *query,
                         size_t *values)
{
    struct sdw_chunk_room room = {0};
    struct sdw_err err;
    double best = INFINITY;
    for (int round = 0; round < 7; round++) {
        int64_t begin = sdw_mono_ns();
        *values = 0;
        for (uint32_t id = 1; id <= n; id++)
            if (sdw_query_series(store, id, query, &room, count_value, values, &err) < 0)
                return NAN;
        double ms = (double)(sdw_mono_ns() - begin) / 1e6;
        best = ms < best ? ms : best;
    }
    sdw_chunk_room_release(&room);
    return best;
}

static int run_read(const char *dir)
{
    struct sdw_store store;
    struct sdw_store_settings settings = {0};
    struct sdw_err err;
    int64_t begin = sdw_mono_ns(), hour = 60 * minute_us;
    if (sdw_store_open(&store, dir, &settings, &err) < 0)
        return fail(&err);
    double open_ms = (double)(sdw_mono_ns() - begin) / 1e6;
    size_t all = store.head.n, n;
    struct sdw_query day = {INT64_MIN, INT64_MAX, hour, SDW_AGG_AVG, 0, NULL};
    struct sdw_query points = {INT64_MIN, INT64_MAX, 0, SDW_AGG_NONE, 0, NULL};
    struct sdw_query last = {
        store.newest_us - hour + minute_us, INT64_MAX, 0, SDW_AGG_AVG, 0, NULL};
    struct sdw_query whole = {INT64_MIN, INT64_MAX, 0, SDW_AGG_AVG, 0, NULL};
    printf("{\"open_ms\":%.2f", open_ms);
    printf(",\"series_day_hourly_ms\":%.4f", time_query(&store, 1, &day, &n));
    printf(",\"series_day_points_ms\":%.4f", time_query(&store, 1, &points, &n));
    printf(",\"day_points\":%zu", n);
    printf(",\"all_last_hour_ms\":%.2f", time_query(&store, all, &last, &n));
    printf(",\"series\":%zu", n);
    printf(",\"all_day_avg_ms\":%.2f", time_query(&store, all, &whole, &n));
    printf("}\n");
    sdw_store_close(&store);
    return 0;
}

/* --- text ---------------------------------------------------------------------------------- */

enum form { NDJSON, PROM, SQL };

static void put_point(struct sdw_buf *out, enum form form, uint32_t s, long long ts, double value)
{
    char name[48];
    switch (form) {
    case NDJSON:
        sdw_buf_printf(out,
                       "{\"type\":\"metric\",\"v\":1,\"ts\":%lld,\"series\":\"%s\",\"value\":", ts,
                       name_of(s, name));
        break;
    case PROM:
        sdw_buf_printf(out, "link{name=\"%s\"} ", name_of(s, name));
        break;
    case SQL:
        sdw_buf_printf(out, "INSERT INTO p VALUES(%u,%lld,", s + 1, ts);
        break;
    }
    sdw_buf_real(out, value);
    if (form == PROM)
        sdw_buf_printf(out, " %lld\n", ts / 1000);
    else
        sdw_buf_text(out, form == SQL ? ");\n" : "}\n");
}

static int run_text(enum form form, uint32_t series, uint32_t minutes)
{
    struct source source;
    struct sdw_buf out = {0};
    source_init(&source, series);
    if (form == SQL)
        sdw_buf_text(&out,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;\n"
                     "CREATE TABLE p(s INT, t INT, v REAL, PRIMARY KEY(s, t)) WITHOUT ROWID;\n");
    for (uint32_t m = 0; m < minutes; m++) {
        if (form == SQL)
            sdw_buf_text(&out, "BEGIN;\n");
        for (uint32_t s = 0; s < series; s++)
            put_point(&out, form, s, start_us + m * minute_us, source_next(&source, s, m));
        if (form == SQL)
            sdw_buf_text(&out, "COMMIT;\n");
        if (fwrite(out.p, 1, out.n, stdout) != out.n)
            return 1;
        sdw_buf_clear(&out);
    }
    return fflush(stdout) != 0;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp(what, "write") == 0 && argc == 5)
        return run_write(argv[2], number(argv[3]), number(argv[4]));
    if (strcmp(what, "read") == 0 && argc == 3)
        return run_read(argv[2]);
    static const char *const forms[] = {"ndjson", "prom", "sql"};
    for (size_t i = 0; i < SDW_LEN(forms); i++)
        if (strcmp(what, forms[i]) == 0 && argc == 4)
            return run_text((enum form)i, number(argv[2]), number(argv[3]));
    fprintf(stderr, "usage: store_load write DIR SERIES MINUTES | read DIR | ndjson|prom|sql "
                    "SERIES MINUTES\n");
    return 2;
}
