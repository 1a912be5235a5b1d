#include "net/import_value.h"

#include <math.h>
#include <stdio.h>

/* One line of mtr's report: series mtr/DST/HOP/... */
static void put_hop(struct sdw_metrics *metrics, const char *dst, const char *src,
                    const struct sdw_json *hub, size_t i)
{
    static const struct {
        const char *key, *name;
    } times[] = {{"Avg", "rtt_avg_us"},
                 {"Best", "rtt_min_us"},
                 {"Wrst", "rtt_max_us"},
                 {"StDev", "rtt_stddev_us"}};
    struct sdw_buf room = {0};
    double count = sdw_import_number(hub, "count"), loss = sdw_import_number(hub, "Loss%");
    unsigned hop = count >= 1 && count <= 255 ? (unsigned)count : (unsigned)i + 1;
    const char *const labels[][2] = {{"src", src}, {"host", sdw_import_text(hub, "host")}};
    metrics->labels = sdw_import_labels(&room, labels, SDW_LEN(labels));
    if (loss >= 0 && loss <= 100)
        sdw_metrics_put(metrics, loss / 100, "mtr/%s/%u/loss_share", dst, hop);
    for (size_t k = 0; k < SDW_LEN(times) && !(loss >= 100); k++)
        sdw_metrics_put(metrics, sdw_import_ms(sdw_import_number(hub, times[k].key)),
                        "mtr/%s/%u/%s", dst, hop, times[k].name);
    sdw_buf_release(&room);
}

static int take(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err)
{
    const struct sdw_json *report = sdw_json_get(document, "report");
    const struct sdw_json *mtr = report ? sdw_json_get(report, "mtr") : NULL;
    const struct sdw_json *hubs = report ? sdw_json_get(report, "hubs") : NULL;
    const char *dst = sdw_import_text(mtr, "dst");
    struct sdw_metrics metrics = {.ctx = ctx, .ts = ts};
    if (!dst || !hubs || !sdw_json_is_array(hubs))
        return sdw_err_set(err, SDW_EINPUT, "not a report of mtr: no dst, or no hubs");
    for (size_t i = 0; i < sdw_json_len(hubs); i++)
        put_hop(&metrics, dst, sdw_import_text(mtr, "src"), sdw_json_at(hubs, i), i);
    return metrics.code < 0 ? metrics.code : 1;
}

const struct sdw_import_format sdw_import_mtr = {"mtr", "reports of mtr --json", take};
