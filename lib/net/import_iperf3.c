#include "net/import_value.h"
#include "rec/steering.h"

#include <math.h>

/* What all values of one test have in common. */
struct test {
    const char *peer; /* NULL: not known */
    double start_s;   /* since the epoch; NAN: not told */
    int64_t ts;       /* for tests that do not tell */
};

/* The sums of one interval, or of all: series iperf3/PEER/... */
static void put_sums(struct sdw_metrics *metrics, const struct test *test,
                     const struct sdw_json *sums, const char *prefix)
{
    double loss = sdw_import_number(sums, "lost_percent");
    double bps = sdw_import_number(sums, "bits_per_second");
    double packets = sdw_import_number(sums, "packets");
    metrics->ts = sdw_import_time(test->start_s + sdw_import_number(sums, "end"), test->ts);
    if (bps >= 0)
        sdw_metrics_put(metrics, bps, "iperf3/%s/%sbps", test->peer, prefix);
    sdw_metrics_put(metrics, sdw_import_number(sums, "retransmits"), "iperf3/%s/%sretransmits",
                    test->peer, prefix);
    sdw_metrics_put(metrics, sdw_import_ms(sdw_import_number(sums, "jitter_ms")),
                    "iperf3/%s/%sjitter_us", test->peer, prefix);
    /* Of no packets the share is 0 or nan by version: it is not known. */
    if (loss >= 0 && loss <= 100 && !(packets <= 0))
        sdw_metrics_put(metrics, loss / 100, "iperf3/%s/%sloss_share", test->peer, prefix);
}

static void put_interval(struct sdw_metrics *metrics, const struct test *test,
                         const struct sdw_json *interval)
{
    const struct sdw_json *streams = sdw_json_get(interval, "streams");
    const struct sdw_json *sums = sdw_json_get(interval, "sum");
    double rtt_us = 0, streams_with = 0;
    const struct sdw_json *omitted = sums ? sdw_json_get(sums, "omitted") : NULL;
    struct sdw_buf text = {0};
    if (omitted)
        sdw_json_write(omitted, &text);
    bool skip = !sums || (text.p && strcmp(text.p, "true") == 0); /* the warm-up, --omit */
    sdw_buf_release(&text);
    if (skip)
        return;
    put_sums(metrics, test, sums, "");
    for (size_t i = 0; streams && i < sdw_json_len(streams); i++) {
        double rtt = sdw_import_number(sdw_json_at(streams, i), "rtt");
        rtt_us += rtt > 0 ? rtt : 0;
        streams_with += rtt > 0;
    }
    if (streams_with > 0)
        sdw_metrics_put(metrics, rtt_us / streams_with, "iperf3/%s/rtt_mean_us", test->peer);
}

/* A test that failed says why. */
static int put_failure(struct sdw_ctx *ctx, const struct test *test, const char *why)
{
    struct sdw_event event;
    sdw_rec_init(&sdw_event_schema, &event);
    event.ts = sdw_import_time(test->start_s, test->ts);
    event.kind = sdw_str_of("degradation");
    event.failure = sdw_str_of("dead");
    event.severity = 3;
    if (test->peer)
        event.flow = sdw_str_of(test->peer);
    event.reason = sdw_str_of(why);
    return sdw_rec_put(ctx, &sdw_event_schema, &event);
}

static const char *peer_of(const struct sdw_json *start)
{
    static const char *const keys[] = {"connecting_to", "accepted_connection"};
    for (size_t i = 0; i < SDW_LEN(keys); i++) {
        const char *host = sdw_import_text(sdw_json_get(start, keys[i]), "host");
        if (host)
            return host;
    }
    return NULL; /* a test that never began */
}

static int take(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err)
{
    const struct sdw_json *start = sdw_json_get(document, "start");
    const struct sdw_json *intervals = sdw_json_get(document, "intervals");
    const struct sdw_json *end = sdw_json_get(document, "end");
    const char *failure = sdw_import_text(document, "error");
    struct sdw_metrics metrics = {.ctx = ctx};
    if (!start || (!intervals && !end && !failure))
        return sdw_err_set(err, SDW_EINPUT, "not a test of iperf3: no start, or nothing behind it");
    struct test test = {
        .peer = peer_of(start),
        .start_s = sdw_import_number(sdw_json_get(start, "timestamp"), "timesecs"),
        .ts = ts,
    };
    for (size_t i = 0; test.peer && intervals && i < sdw_json_len(intervals); i++)
        put_interval(&metrics, &test, sdw_json_at(intervals, i));
    const struct sdw_json *sums = end ? sdw_json_get(end, "sum_received") : NULL;
    if (end && !sums)
        sums = sdw_json_get(end, "sum"); /* UDP */
    if (sums && test.peer)
        put_sums(&metrics, &test, sums, "mean_");
    if (metrics.code == 0 && failure)
        metrics.code = put_failure(ctx, &test, failure);
    return metrics.code < 0 ? metrics.code : metrics.n > 0 || failure;
}

const struct sdw_import_format sdw_import_iperf3 = {"iperf3", "tests of iperf3 --json", take};
