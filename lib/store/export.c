#include "store/export.h"
#include "core/clock.h"
#include "core/map.h"
#include "io/scan.h"
#include "rec/end.h"
#include "rec/store.h"
#include "rec/value.h"
#include "store/spool.h"
#include "sys/http.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_S = 30, RETRY_LEAST_S = 1, RETRY_MOST_S = 60 };

static const int64_t second_ns = 1000000000;

struct export
{
    struct sdw_ctx *ctx;
    const struct sdw_export_settings *settings;
    struct sdw_http *http;
    struct sdw_buf url;
    char *token;
    struct sdw_spool spool;
    bool spooling;
    struct sdw_map series; /* name and labels -> number */
    struct sdw_str *name;  /* by number less 1: name, NUL, labels */
    size_t n_series, cap_series;
    struct sdw_point *point; /* of the batch, as they came */
    size_t n, cap;
    int64_t begun_ns;                 /* when the first of them came */
    int64_t retry_ns, retry_after_ns; /* when to try again; by how much to wait then */
    int status, told;                 /* of the last answer (0: none); that was told of last */
    int64_t newest_us;
    uint64_t sent, refused, dropped, unknown;
    size_t failed; /* points that a failure left neither sent nor kept */
    struct sdw_arena arena;
    struct sdw_buf key, body, packed, reply;
};

/* --- sending ------------------------------------------------------------------------------- */

/* Only these say that the points are at fault. VictoriaMetrics says of a path that it does not know
 * that the request is bad. */
static bool is_malformed(int status, struct sdw_str reply)
{
    static const char unknown_path[] = "unsupported path requested";
    return status == 422 || (status == 400 && !(reply.n && memmem(reply.p, reply.n, unknown_path,
                                                                  sizeof unknown_path - 1)));
}

/* What somebody has to do about an answer; the points are good. */
static const char *remedy(int status)
{
    static const struct {
        int status;
        const char *text;
    } remedies[] = {
        {400, "it takes no points at that path (--to, --engine)"},
        {401, "it wants another token (--token-file)"},
        {403, "it does not let that token write (--token-file)"},
        {404, "it takes no points there (--to, or a setting of the engine)"},
        {405, "it takes no points there (--to, --engine)"},
        {413, "less must be sent at a time (--batch)"},
        {415, "it takes another kind of points (--engine)"},
    };
    for (size_t i = 0; i < SDW_LEN(remedies); i++)
        if (remedies[i].status == status)
            return remedies[i].text;
    return NULL;
}

/* The token may have been replaced since. */
static void load_token_again(struct export *export)
{
    char *token = NULL;
    struct sdw_err err;
    if (!export->settings->token_file ||
        sdw_http_token_load(&token, export->settings->token_file, &err) < 0)
        return;
    sdw_http_token_free(export->token);
    export->token = token;
}

/* 0: the engine has it; SDW_EINPUT: it says that the points are bad; SDW_EAGAIN: not now; or a
 * failure. */
static int post(struct export *export, struct sdw_str body, struct sdw_err *err)
{
    struct sdw_http_request request = {.url = export->url.p,
                                       .bearer = export->token,
                                       .headers = sdw_wire_headers(export->settings->wire),
                                       .post = body,
                                       .timeout_us = INT64_C(1000000) * TIMEOUT_S,
                                       .stop_fd = -1};
    int status = sdw_http_ask(export->http, &request, &export->reply, err);
    export->status = status > 0 ? status : 0;
    if (status == SDW_ENO || status == SDW_EINPUT)
        return SDW_EAGAIN; /* whoever answered that was not the engine */
    if (status < 0)
        return status;
    if (status >= 200 && status < 300)
        return 0;
    struct sdw_str reply = sdw_buf_view(&export->reply);
    int line = (int)(reply.n ? strcspn(reply.p, "\r\n") : 0);
    bool malformed = is_malformed(status, reply);
    const char *todo = malformed ? NULL : remedy(status);
    if (status == 401 || status == 403)
        load_token_again(export);
    return sdw_err_set(err, malformed ? SDW_EINPUT : SDW_EAGAIN, "%s: status %d%s%.*s%s%s",
                       export->url.p, status, line ? ": " : "", line > 200 ? 200 : line,
                       reply.n ? reply.p : "", todo ? ": " : "", todo ? todo : "");
}

static int acknowledge(struct export *export, uint32_t points)
{
    export->sent += points;
    struct sdw_stored stored = {.ts = export->newest_us,
                                .store = sdw_buf_view(&export->url),
                                .points = (int64_t) export->sent,
                                .replaced = SDW_NO_INT,
                                .refused = (int64_t) export->refused,
                                .series = (int64_t) export->n_series};
    return sdw_rec_put(export->ctx, &sdw_stored_schema, &stored);
}

/* What became of a batch: 0 when it is dealt with, SDW_EAGAIN when it has to be tried again. */
static int conclude(struct export *export, int code, uint32_t points, const struct sdw_err *err)
{
    if (code == 0) {
        export->retry_after_ns = 0;
        return acknowledge(export, points);
    }
    if (code == SDW_EINPUT) {
        if (export->refused == 0)
            sdw_warn(export->ctx, "points are refused: %s", err->text);
        export->refused += points;
        return 0;
    }
    if (code != SDW_EAGAIN) {
        export->ctx->err = *err;
        return code;
    }
    if (export->retry_after_ns == 0 || export->told != export->status)
        sdw_warn(export->ctx, "%s: will be tried again", err->text);
    export->told = export->status;
    if (export->retry_after_ns == 0)
        export->retry_after_ns = second_ns * RETRY_LEAST_S;
    else if (export->retry_after_ns < second_ns * RETRY_MOST_S)
        export->retry_after_ns *= 2;
    export->retry_ns = sdw_mono_ns() + export->retry_after_ns;
    return code;
}

/* Send what waits, as long as the engine takes it. */
static int drain(struct export *export)
{
    int code = 0;
    while (code == 0 && export->spooling && sdw_spool_waiting(&export->spool) &&
           !sdw_stop_signal(export->ctx)) {
        struct sdw_file file;
        struct sdw_err err;
        uint32_t points;
        code = sdw_spool_oldest(&export->spool, &file, &points, &export->ctx->err);
        if (code < 0)
            return code;
        code = post(export, (struct sdw_str){(const char *)file.p, file.n}, &err);
        sdw_file_unmap(&file);
        code = conclude(export, code, points, &err);
        if (code == 0)
            sdw_spool_drop(&export->spool);
    }
    return code == SDW_EAGAIN ? 0 : code;
}

/* Without a spool: wait until it can be sent. */
static int insist(struct export *export, struct sdw_str body, uint32_t points)
{
    for (;;) {
        struct sdw_err err;
        int code = conclude(export, post(export, body, &err), points, &err);
        if (code != SDW_EAGAIN)
            return code;
        code = sdw_flush(export->ctx);
        int64_t left_ns = export->retry_ns - sdw_mono_ns();
        poll(&(struct pollfd){export->ctx->stop_fd, POLLIN, 0}, 1, (int)(left_ns / 1000000) + 1);
        if (code < 0)
            return code;
        if (sdw_stop_signal(export->ctx)) {
            export->dropped += points;
            return 0;
        }
    }
}

static int deliver(struct export *export, struct sdw_str body, uint32_t points)
{
    struct sdw_err err;
    uint64_t sent = export->sent;
    int code = SDW_EAGAIN;
    if (!export->spooling)
        code = insist(export, body, points);
    else if (sdw_spool_waiting(&export->spool) == 0)
        code = conclude(export, post(export, body, &err), points, &err);
    if (code == SDW_EAGAIN)
        code = sdw_spool_put(&export->spool, body, points, &export->dropped, &export->ctx->err);
    if (code < 0 && export->sent == sent)
        export->failed = points;
    return code;
}

/* --- batches ------------------------------------------------------------------------------- */

static int by_series(const void *a, const void *b)
{
    const struct sdw_point *x = a, *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    return (x->ts_us > y->ts_us) - (x->ts_us < y->ts_us);
}

/* Turn what came into a body: series by series, each in order of time. */
static int send_batch(struct export *export)
{
    size_t n = export->n;
    if (n == 0)
        return 0;
    qsort(export->point, n, sizeof *export->point, by_series);
    sdw_buf_clear(&export->body);
    for (size_t at = 0, end; at < n; at = end) {
        for (end = at + 1; end < n && export->point[end].series == export->point[at].series;)
            end++;
        const char *name = export->name[export->point[at].series - 1].p;
        const char *labels = name + strlen(name) + 1;
        struct sdw_wire_series series = {sdw_str_of(name), sdw_str_of(labels), export->point + at,
                                         end - at};
        sdw_wire_add(export->settings->wire, &series, &export->arena, &export->body);
    }
    sdw_wire_finish(export->settings->wire, sdw_buf_view(&export->body), &export->packed);
    export->n = 0;
    return deliver(export, sdw_buf_view(&export->packed), (uint32_t)n);
}

static uint32_t series_of(struct export *export, const struct sdw_metric *metric)
{
    struct sdw_buf *key = &export->key;
    sdw_buf_clear(key);
    sdw_buf_str(key, metric->series);
    sdw_buf_char(key, '\0');
    sdw_buf_str(key, metric->labels);
    void **place = sdw_map_at(&export->series, sdw_buf_view(key));
    if (!*place) {
        SDW_GROW(export->name, export->cap_series, export->n_series + 1);
        char *copy = sdw_xalloc(key->n + 1);
        memcpy(copy, key->p, key->n);
        export->name[export->n_series++] = (struct sdw_str){copy, key->n};
        *place = (void *)(uintptr_t) export->n_series;
    }
    return (uint32_t)(uintptr_t)*place;
}

static int take_value(struct export *export, struct sdw_str type, struct sdw_str line)
{
    struct sdw_metric metric;
    struct sdw_labels labels;
    struct sdw_err err = {0};
    sdw_arena_reset(&export->arena);
    int code = sdw_value_decode(type, line, &export->arena, &metric, &err);
    if (code == 0)
        code = sdw_labels_parse(metric.labels, &export->arena, &labels, &err);
    if (code < 0)
        return sdw_bad_line(export->ctx, &err);
    if (isnan(metric.value)) {
        export->unknown++;
        return 0;
    }
    if (export->n == 0)
        export->begun_ns = sdw_mono_ns();
    SDW_GROW(export->point, export->cap, export->n + 1);
    export->point[export->n++] =
        (struct sdw_point){series_of(export, &metric), metric.ts, metric.value};
    export->newest_us = metric.ts > export->newest_us ? metric.ts : export->newest_us;
    return (int64_t) export->n >= export->settings->batch ? send_batch(export) : 0;
}

static int take_line(struct export *export, struct sdw_str line)
{
    struct sdw_str type = sdw_scan_type(line);
    bool value = sdw_value_is(type);
    struct sdw_err err = {0};
    int code = 0;
    if (value)
        code = take_value(export, type, line);
    else if (sdw_scan_find(line, NULL, 0, NULL, &err) < 0)
        return sdw_bad_line(export->ctx, &err);
    if (code == 0 && (!value || export->settings->keep))
        code = sdw_put(export->ctx, line);
    return code;
}

/* --- the loop ------------------------------------------------------------------------------ */

/* Do what is due; *wait_ms: until something else is (-1: nothing is). */
static int do_due(struct export *export, int *wait_ms)
{
    int64_t now = sdw_mono_ns(), next = INT64_MAX;
    int code = 0;
    if (export->n) {
        int64_t due = export->begun_ns + export->settings->delay_us * 1000;
        if (now >= due)
            code = send_batch(export);
        else
            next = due;
    }
    if (code == 0 && export->spooling && sdw_spool_waiting(&export->spool)) {
        if (sdw_mono_ns() >= export->retry_ns)
            code = drain(export);
        if (sdw_spool_waiting(&export->spool))
            next = export->retry_ns < next ? export->retry_ns : next;
    }
    int64_t left = next == INT64_MAX ? -1 : (next - sdw_mono_ns()) / 1000000 + 1;
    *wait_ms = left > 60000 ? 60000 : next == INT64_MAX ? -1 : left < 0 ? 0 : (int)left;
    return code;
}

static int wait_for_input(struct export *export)
{
    int wait_ms;
    int code = do_due(export, &wait_ms);
    if (code == 0)
        code = sdw_flush(export->ctx);
    struct pollfd polled[2] = {{sdw_reader_fd(export->ctx->in), POLLIN, 0},
                               {export->ctx->stop_fd, POLLIN, 0}};
    if (code == 0)
        poll(polled, 2, wait_ms);
    return code;
}

static int read_all(struct export *export)
{
    struct sdw_str line;
    int code = 0;
    while (code == 0 && !sdw_stop_signal(export->ctx)) {
        struct sdw_err err = {0};
        int got = sdw_reader_poll(export->ctx->in, &line, &err);
        if (got == 0 || got == SDW_ESTOP)
            break;
        if (got == 1)
            code = take_line(export, line);
        else if (got == SDW_EAGAIN)
            code = wait_for_input(export);
        else if (got == SDW_EINPUT)
            code = sdw_bad_line(export->ctx, &err);
        else
            export->ctx->err = err, code = got;
    }
    return code;
}

static int put_loss(struct export *export, uint64_t records, const char *where, const char *reason)
{
    struct sdw_loss loss;
    if (records == 0)
        return 0;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = export->newest_us;
    loss.tool = sdw_str_of(export->ctx->tool->name);
    loss.where = sdw_str_of(where);
    loss.reason = sdw_str_of(reason);
    loss.records = (int64_t)records;
    return sdw_rec_put(export->ctx, &sdw_loss_schema, &loss);
}

static int put_losses(struct export *export)
{
    int code = put_loss(export, export->refused, "engine", "refused");
    return code < 0 ? code
                    : put_loss(export, export->dropped, "spool",
                               export->spooling ? "the spool was full" : "stopped while waiting");
}

/* Send what is left, within the time that is given for it. */
static int linger(struct export *export)
{
    int64_t end = sdw_mono_ns() + export->settings->linger_us * 1000;
    int code = send_batch(export);
    while (code == 0 && export->spooling && sdw_spool_waiting(&export->spool) &&
           !sdw_stop_signal(export->ctx)) {
        int64_t now = sdw_mono_ns();
        if (now<export->retry_ns &&export->retry_ns> end)
            break;
        if (now < export->retry_ns)
            poll(&(struct pollfd){export->ctx->stop_fd, POLLIN, 0}, 1,
                 (int)((export->retry_ns - now) / 1000000) + 1);
        else
            code = drain(export);
    }
    return code;
}

static int finish(struct export *export)
{
    char text[192];
    size_t waiting = export->spooling ? sdw_spool_waiting(&export->spool) : 0;
    int code = put_losses(export);
    snprintf(text, sizeof text,
             "{\"sent\":%llu,\"refused\":%llu,\"dropped\":%llu,\"unknown\":%llu,\"waiting\":%zu}",
             (unsigned long long)export->sent, (unsigned long long)export->refused,
             (unsigned long long)export->dropped, (unsigned long long)export->unknown, waiting);
    if (code == 0)
        code = sdw_rec_end(export->ctx, export->newest_us,
                           sdw_stop_signal(export->ctx) ? "signal" : "eof", text);
    if (code == 0 && waiting)
        code = sdw_err_set(&export->ctx->err, SDW_ENO,
                           "%zu batches wait in %s: the next run sends them", waiting,
                           export->settings->spool);
    if (code == 0 && export->spool.others)
        code = sdw_err_set(&export->ctx->err, SDW_ENO,
                           "%zu batches for another --engine wait in %s: only a run with that "
                           "sends them",
                           export->spool.others, export->settings->spool);
    return code;
}

/* --- setting up ---------------------------------------------------------------------------- */

/* A URL without a path gets the one that the engine takes points at. */
static int set_url(struct export *export)
{
    const char *url = export->settings->url;
    const char *host = url ? strstr(url, "://") : NULL;
    if (!host || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return sdw_err_set(&export->ctx->err, SDW_EUSAGE, "--to needs a URL, http:// or https://");
    const char *path = strchr(host + 3, '/');
    sdw_buf_add(&export->url, url, path && !path[1] ? (size_t)(path - url) : strlen(url));
    if (!path || !path[1])
        sdw_buf_text(&export->url, sdw_wire_path(export->settings->wire));
    sdw_buf_reserve(&export->url, 1);
    export->url.p[export->url.n] = '\0';
    return 0;
}

static int set_up(struct export *export)
{
    const struct sdw_export_settings *settings = export->settings;
    int code = set_url(export);
    if (code == 0)
        code = sdw_http_token_load(&export->token, settings->token_file, &export->ctx->err);
    if (code == 0)
        code = sdw_http_new(&export->http, &export->ctx->err);
    if (code == 0 && settings->spool) {
        export->spooling = true;
        code = sdw_spool_open(&export->spool, settings->spool, sdw_wire_names[settings->wire],
                              settings->spool_bytes, &export->ctx->err);
    }
    return code;
}

static void release(struct export *export)
{
    sdw_http_free(export->http);
    sdw_http_token_free(export->token);
    sdw_spool_close(&export->spool);
    sdw_map_release(&export->series);
    for (size_t i = 0; i < export->n_series; i++)
        free((char *)(uintptr_t) export->name[i].p);
    free(export->name);
    free(export->point);
    sdw_arena_release(&export->arena);
    struct sdw_buf *const bufs[] = {&export->url, &export->key, &export->body, &export->packed,
                                    &export->reply};
    for (size_t i = 0; i < SDW_LEN(bufs); i++)
        sdw_buf_release(bufs[i]);
}

int sdw_export_run(struct sdw_ctx *ctx, const struct sdw_export_settings *settings)
{
    struct export export = {.ctx = ctx, .settings = settings, .spool = {.dir = -1}};
    sdw_map_init(&export.series, (uint64_t)sdw_wall_us());
    int code = set_up(&export);
    if (code == 0) {
        sdw_read_records(ctx);
        code = read_all(&export);
    }
    if (code == 0)
        code = linger(&export);
    if (code == 0)
        code = finish(&export);
    else
        (void)put_losses(&export); /* the failure is what counts */
    export.failed += export.n;
    if (export.failed)
        sdw_warn(ctx, "%zu points are neither sent nor kept", export.failed);
    release(&export);
    return code;
}
