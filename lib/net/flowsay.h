/* Filling records with what is known of a flow. */
#ifndef SDW_NET_FLOWSAY_H
#define SDW_NET_FLOWSAY_H

#include "net/addrmask.h"
#include "net/biflow.h"
#include "rec/flow.h"

/* A record and the texts that it points to. */
struct sdw_flowsay {
    struct sdw_flow_rec rec;
    char id[17], src[SDW_ADDRMASK_TEXT], dst[SDW_ADDRMASK_TEXT], protocol[SDW_PROTOCOL_TEXT];
    char around[64];
    char outer_src[SDW_ADDRMASK_TEXT], outer_dst[SDW_ADDRMASK_TEXT];
    char outer_protocol[SDW_PROTOCOL_TEXT];
};

/* Who talks to whom, and through what tunnel; all else is absent. */
void sdw_flowsay_who(struct sdw_flowsay *say, const struct sdw_biflow *flow,
                     const struct sdw_addrmask *mask, int64_t ts_ns);
/* What only its first packet tells: what it was in, and the flow label. */
void sdw_flowsay_first(struct sdw_flowsay *say, const struct sdw_biflow *flow,
                       const struct sdw_packet *packet);
/* How much so far, and the state of TCP. Rates are over span_ns where one is given (> 0). */
void sdw_flowsay_counts(struct sdw_flowsay *say, const struct sdw_biflow *flow, int64_t span_ns);

const char *sdw_flowsay_reason(enum sdw_biflow_reason reason);

#endif
