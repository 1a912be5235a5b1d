/*
 * Transfers: what an application moves at a time. A transfer is payload in one direction of a flow
 * without a pause of SDW_TRANSFER_PAUSE_US; on TCP, payload in the other direction ends it too (a
 * question, its answer). On other protocols it does not: their acknowledgements are payload.
 */
#ifndef SDW_NET_TRANSFER_H
#define SDW_NET_TRANSFER_H

#include "core/base.h"

enum { SDW_TRANSFER_PAUSE_US = 500000 };

struct sdw_transfer {
    uint64_t bytes; /* payload on the wire; 0: none under way */
    int64_t first_us, last_us;
};

/* What is kept of a flow; zeroed at its start. */
struct sdw_transfers {
    struct sdw_transfer way[2]; /* by direction */
};

/* A packet with payload of a flow. Returns how many transfers it ended (0..2), in ended[]. */
size_t sdw_transfers_packet(struct sdw_transfers *flow, unsigned direction, bool tcp,
                            uint32_t payload_bytes, int64_t us, struct sdw_transfer ended[2]);
/* The end of the flow: the same of what was under way. */
size_t sdw_transfers_end(struct sdw_transfers *flow, struct sdw_transfer ended[2]);

#endif
