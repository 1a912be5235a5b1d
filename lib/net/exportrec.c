#include "net/exportrec.h"
#include "core/map.h"
#include "net/address.h"
#include "net/biflow.h"
#include "rec/end.h"
#include "rec/flow.h"

#include <inttypes.h>
#include <stdio.h>

enum { ID_TEXT = 17 };

static void write_id(const char *exporter, const struct sdw_export *flow, char out[ID_TEXT])
{
    struct {
        uint8_t src[16], dst[16];
        int64_t first_us;
        uint16_t sport, dport;
        uint32_t protocol;
    } key = {.first_us = flow->first_us,
             .sport = flow->sport,
             .dport = flow->dport,
             .protocol = flow->protocol};
    memcpy(key.src, flow->src, sizeof key.src);
    memcpy(key.dst, flow->dst, sizeof key.dst);
    uint64_t by = sdw_hash(exporter, strlen(exporter), 0);
    snprintf(out, ID_TEXT, "%016" PRIx64, sdw_hash(&key, sizeof key, by));
}

static struct sdw_str address(const uint8_t bytes[16], uint8_t version, char out[SDW_ADDRESS_TEXT])
{
    struct sdw_address address = sdw_address_of(bytes, version == 4 ? 4 : 16, 0);
    return sdw_str_of(sdw_address_text(&address, out));
}

int sdw_export_put(struct sdw_ctx *ctx, int64_t ts, const char *exporter,
                   const struct sdw_export *flow)
{
    char id[ID_TEXT], src[SDW_ADDRESS_TEXT], dst[SDW_ADDRESS_TEXT], protocol[SDW_PROTOCOL_TEXT];
    struct sdw_flow_rec rec;
    sdw_rec_init(&sdw_flow_update_schema, &rec);
    write_id(exporter, flow, id);
    rec.ts = ts;
    rec.flow_id = sdw_str_of(id);
    rec.src = address(flow->src, flow->version, src);
    rec.dst = address(flow->dst, flow->version, dst);
    rec.protocol = sdw_str_of(sdw_biflow_protocol(flow->protocol, protocol));
    if (flow->sport || flow->dport) {
        rec.sport = flow->sport;
        rec.dport = flow->dport;
    }
    if (!flow->no_packets) {
        rec.packets_fwd = (int64_t)flow->packets;
        rec.packets_rev = (int64_t)flow->reverse_packets;
    }
    rec.bytes_fwd = (int64_t)flow->bytes;
    rec.bytes_rev = (int64_t)flow->reverse_bytes;
    if (flow->duration_us >= 0)
        rec.duration_us = flow->duration_us;
    if (flow->duration_us > 0) {
        double bytes = (double)flow->bytes + (double)flow->reverse_bytes;
        rec.average_bps = bytes * 8e6 / (double)flow->duration_us;
    }
    rec.exporter = sdw_str_of(exporter);
    rec.sampling = flow->sampling;
    return sdw_rec_put(ctx, &sdw_flow_update_schema, &rec);
}

static int put_loss(struct sdw_ctx *ctx, int64_t ts, const char *where, const char *reason,
                    uint64_t n)
{
    struct sdw_loss loss;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = ts;
    loss.tool = sdw_str_of(ctx->tool->name);
    loss.where = sdw_str_of(where);
    loss.reason = sdw_str_of(reason);
    loss.records = (int64_t)n;
    return sdw_rec_put(ctx, &sdw_loss_schema, &loss);
}

int sdw_export_put_losses(struct sdw_ctx *ctx, int64_t ts, struct sdw_export_losses *told,
                          uint64_t dropped, uint64_t lost)
{
    int code = 0;
    if (dropped > told->dropped) {
        code = put_loss(ctx, ts, "kernel", "datagrams came faster than they were read",
                        dropped - told->dropped);
        told->dropped = dropped;
    }
    if (code == 0 && lost > told->lost) {
        code = put_loss(ctx, ts, "network", "gaps in the sequence numbers of exporters",
                        lost - told->lost);
        told->lost = lost;
    }
    return code;
}
