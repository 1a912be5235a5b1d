#include "net/import_value.h"

#include <math.h>

static const struct {
    const char *key, *name;
} counters[] = {
    {"bytes", "bytes"}, {"packets", "packets"}, {"errors", "errors"}, {"dropped", "drops"}};

/* One interface: what it has counted since it was made, link/IF/... as a laboratory names it. */
static int take(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err)
{
    const char *name = sdw_import_text(document, "ifname");
    const struct sdw_json *stats = sdw_json_get(document, "stats64");
    struct sdw_metrics metrics = {.ctx = ctx, .ts = ts};
    if (!stats)
        stats = sdw_json_get(document, "stats");
    if (!name)
        return sdw_err_set(err, SDW_EINPUT, "not an interface of ip -j -s: no ifname");
    if (!stats)
        return sdw_err_set(err, SDW_EINPUT, "%s: no statistics (ip needs -s)", name);
    const struct sdw_json *tx = sdw_json_get(stats, "tx"), *rx = sdw_json_get(stats, "rx");
    for (size_t i = 0; i < SDW_LEN(counters); i++) {
        sdw_metrics_put(&metrics, sdw_import_number(tx, counters[i].key), "link/%s/%s", name,
                        counters[i].name);
        sdw_metrics_put(&metrics, sdw_import_number(rx, counters[i].key), "link/%s/rx_%s", name,
                        counters[i].name);
    }
    return metrics.code < 0 ? metrics.code : metrics.n > 0;
}

const struct sdw_import_format sdw_import_ip = {"ip", "interfaces of ip -j -s link or addr", take};
