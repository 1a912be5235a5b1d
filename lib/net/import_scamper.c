#include "net/import_value.h"

#include <math.h>

static void put_ping(struct sdw_metrics *metrics, const char *dst, const struct sdw_json *document)
{
    const struct sdw_json *responses = sdw_json_get(document, "responses");
    double sent = sdw_import_number(document, "ping_sent");
    double least = NAN, most = NAN, sum = 0, came = 0;
    for (size_t i = 0; responses && i < sdw_json_len(responses); i++) {
        double rtt = sdw_import_ms(sdw_import_number(sdw_json_at(responses, i), "rtt"));
        if (isnan(rtt))
            continue;
        least = isnan(least) ? rtt : fmin(least, rtt);
        most = isnan(most) ? rtt : fmax(most, rtt);
        sum += rtt;
        came++;
    }
    if (sent > 0 && came <= sent) /* duplicates would make it less than none lost */
        sdw_metrics_put(metrics, 1 - came / sent, "scamper/%s/loss_share", dst);
    sdw_metrics_put(metrics, least, "scamper/%s/rtt_min_us", dst);
    sdw_metrics_put(metrics, came > 0 ? sum / came : NAN, "scamper/%s/rtt_avg_us", dst);
    sdw_metrics_put(metrics, most, "scamper/%s/rtt_max_us", dst);
}

static void put_trace(struct sdw_metrics *metrics, const char *dst, const struct sdw_json *document)
{
    const struct sdw_json *hops = sdw_json_get(document, "hops");
    struct sdw_buf room = {0};
    for (size_t i = 0; hops && i < sdw_json_len(hops); i++) {
        const struct sdw_json *hop = sdw_json_at(hops, i);
        double ttl = sdw_import_number(hop, "probe_ttl");
        const char *const labels[][2] = {{"host", sdw_import_text(hop, "addr")}};
        metrics->labels = sdw_import_labels(&room, labels, 1);
        if (ttl >= 1 && ttl <= 255)
            sdw_metrics_put(metrics, sdw_import_ms(sdw_import_number(hop, "rtt")),
                            "scamper/%s/%u/rtt_us", dst, (unsigned)ttl);
    }
    sdw_buf_release(&room);
}

static int take(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err)
{
    const char *type = sdw_import_text(document, "type");
    const char *dst = sdw_import_text(document, "dst");
    const struct sdw_json *start = sdw_json_get(document, "start");
    if (!type)
        return sdw_err_set(err, SDW_EINPUT, "not a line of scamper: no type");
    bool ping = strcmp(type, "ping") == 0;
    if (!ping && strcmp(type, "trace") != 0)
        return 0; /* cycles, and measurements of other kinds */
    if (!dst)
        return sdw_err_set(err, SDW_EINPUT, "not a line of scamper: no dst");
    double seconds = sdw_import_number(start, "sec") + sdw_import_number(start, "usec") / 1e6;
    struct sdw_metrics metrics = {.ctx = ctx, .ts = sdw_import_time(seconds, ts)};
    if (ping)
        put_ping(&metrics, dst, document);
    else
        put_trace(&metrics, dst, document);
    return metrics.code < 0 ? metrics.code : metrics.n > 0;
}

const struct sdw_import_format sdw_import_scamper = {
    "scamper", "lines of scamper -O json and of sc_warts2json", take};
