/* Exported flows as records: flow.update, and the losses on the way. */
#ifndef SDW_NET_EXPORTREC_H
#define SDW_NET_EXPORTREC_H

#include "io/tool.h"
#include "net/export.h"

/* Emit it. ts: when the exporter's datagram came; exporter: its address, as text. Its counts are
 * those of this flow record alone: flow_id is of the exporter, the 5-tuple and its start. */
int sdw_export_put(struct sdw_ctx *ctx, int64_t ts, const char *exporter,
                   const struct sdw_export *flow);

/* What is told of losses: how many the kernel, and the way here, had lost when last told. */
struct sdw_export_losses {
    uint64_t dropped, lost;
};
/* Emit a loss record for each number that has grown. what is lost on the way: "records" (of flows)
 * or "packets". */
int sdw_export_put_losses(struct sdw_ctx *ctx, int64_t ts, struct sdw_export_losses *told,
                          uint64_t dropped, uint64_t lost);

#endif
