/* The member `chirp` of a slot: a load train, packet by packet. */
#ifndef SDW_REC_TRAIN_H
#define SDW_REC_TRAIN_H

#include "rec/rec.h"

enum { SDW_PACKETS_MAX = 65536 };

/* sent_ns[n] from any origin, not decreasing; bytes[n] of IP, 1..65535; delay_ns[n] above a
 * constant base, INT64_MIN when the packet was lost. */
struct sdw_packets {
    size_t n;
    int64_t *sent_ns, *bytes, *delay_ns;
};

/* Decode {"sent_ns":[..],"bytes":[..],"delay_ns":[..]}; the arrays come from the arena. Returns 0,
 * or SDW_EINPUT naming the member: missing, not an array of integers, of different lengths, more
 * than SDW_PACKETS_MAX, times that go back, sizes out of range. */
int sdw_packets_decode(struct sdw_str json, struct sdw_arena *arena, struct sdw_packets *packets,
                       struct sdw_err *err);

#endif
