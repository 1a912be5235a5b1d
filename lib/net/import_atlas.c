#include "net/import_value.h"

#include <math.h>
#include <stdio.h>

/* Where results come from: series atlas/MEASUREMENT/PROBE/... */
struct origin {
    char name[64];
    struct sdw_metrics metrics;
};

static void put_ping(struct origin *origin, const struct sdw_json *document)
{
    static const struct {
        const char *key, *name;
    } times[] = {{"min", "rtt_min_us"}, {"avg", "rtt_avg_us"}, {"max", "rtt_max_us"}};
    double sent = sdw_import_number(document, "sent"), came = sdw_import_number(document, "rcvd");
    if (sent > 0 && came >= 0 && came <= sent)
        sdw_metrics_put(&origin->metrics, 1 - came / sent, "%s/loss_share", origin->name);
    for (size_t i = 0; i < SDW_LEN(times); i++) /* -1 when nothing came back */
        sdw_metrics_put(&origin->metrics, sdw_import_ms(sdw_import_number(document, times[i].key)),
                        "%s/%s", origin->name, times[i].name);
}

static void put_hop(struct origin *origin, const struct sdw_json *hop)
{
    const struct sdw_json *tries = sdw_json_get(hop, "result");
    double number = sdw_import_number(hop, "hop"), least = NAN;
    size_t n = tries ? sdw_json_len(tries) : 0, came = 0;
    const char *host = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct sdw_json *one = sdw_json_at(tries, i);
        double rtt = sdw_import_ms(sdw_import_number(one, "rtt"));
        if (isnan(rtt))
            continue;
        came++;
        least = isnan(least) ? rtt : fmin(least, rtt);
        host = host ? host : sdw_import_text(one, "from");
    }
    if (n == 0 || !(number >= 1 && number <= 255))
        return;
    struct sdw_buf room = {0};
    const char *const labels[][2] = {{"host", host}};
    origin->metrics.labels = sdw_import_labels(&room, labels, 1);
    sdw_metrics_put(&origin->metrics, 1 - (double)came / (double)n, "%s/%u/loss_share",
                    origin->name, (unsigned)number);
    sdw_metrics_put(&origin->metrics, least, "%s/%u/rtt_min_us", origin->name, (unsigned)number);
    sdw_buf_release(&room);
}

static int take(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err)
{
    const char *type = sdw_import_text(document, "type");
    const struct sdw_json *result = sdw_json_get(document, "result");
    double msm = sdw_import_number(document, "msm_id"), prb = sdw_import_number(document, "prb_id");
    if (!type || !(msm >= 0) || !(prb >= 0))
        return sdw_err_set(err, SDW_EINPUT,
                           "not a result of RIPE Atlas: no type, msm_id or prb_id");
    struct origin origin = {
        .metrics = {.ctx = ctx,
                    .ts = sdw_import_time(sdw_import_number(document, "timestamp"), ts)}};
    snprintf(origin.name, sizeof origin.name, "atlas/%.0f/%.0f", msm, prb);
    if (strcmp(type, "ping") == 0) {
        put_ping(&origin, document);
    } else if (strcmp(type, "traceroute") == 0 && result) {
        for (size_t i = 0; i < sdw_json_len(result); i++)
            put_hop(&origin, sdw_json_at(result, i));
    } else {
        sdw_metrics_put(&origin.metrics, sdw_import_ms(sdw_import_number(result, "rt")),
                        "%s/response_us", origin.name);
    }
    return origin.metrics.code < 0 ? origin.metrics.code : origin.metrics.n > 0;
}

const struct sdw_import_format sdw_import_atlas = {"atlas", "results of RIPE Atlas", take};
