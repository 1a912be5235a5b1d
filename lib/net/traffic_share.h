/* What the processes of one traffic run share: memory that each counter has one writer of. */
#ifndef SDW_NET_TRAFFIC_SHARE_H
#define SDW_NET_TRAFFIC_SHARE_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "core/histogram.h"
#include "net/traffic.h"

/* A packet or message starts with this, in the byte order of the one machine it stays on. */
struct sdw_traffic_header {
    uint32_t magic;
    uint32_t flow;
    uint64_t seq;
    int64_t sent_ns; /* wall clock */
};
enum { SDW_TRAFFIC_MAGIC = 0x5dac0de1 };

struct sdw_traffic_flow {
    /* the sender's */
    _Atomic int64_t sent, late, skipped, retransmitted, sent_bytes;
    /* the receiver's; highest: sequence number seen, plus one */
    _Atomic int64_t received, reordered, duplicated, received_bytes, highest;
    _Atomic int64_t delay_max_us; /* since the reader last set it to 0 */
    _Atomic uint32_t delay[SDW_HISTOGRAM_BUCKETS];
};

struct sdw_traffic_share {
    _Atomic int64_t start_ns;         /* monotonic; set once the receiver is ready */
    _Atomic int ready, stop, stopped; /* receiver ready; senders stop; receiver stop */
    _Atomic int64_t socket_drops;     /* by the receiver's socket */
    struct sdw_err err;               /* of the process that failed */
    struct sdw_traffic_flow flow[SDW_TRAFFIC_FLOWS_MAX];
};

/* One end as a socket address. */
struct sdw_traffic_ends {
    struct sockaddr_storage source, destination;
    socklen_t length;
};

static inline void sdw_traffic_set_port(struct sockaddr_storage *address, int64_t port)
{
    in_port_t value = htons((uint16_t)port);
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = value;
    else
        ((struct sockaddr_in6 *)address)->sin6_port = value;
}

/* Count one arrival at the receiver. */
void sdw_traffic_arrived(struct sdw_traffic_flow *flow, int64_t delay_ns, int64_t bytes);

/* The processes' whole lives: 0 or what they put into share->err. */
int sdw_traffic_send_udp(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                         struct sdw_traffic_share *share, struct sdw_err *err);
int sdw_traffic_receive_udp(const struct sdw_traffic_plan *plan,
                            const struct sdw_traffic_ends *ends, struct sdw_traffic_share *share,
                            struct sdw_err *err);
int sdw_traffic_send_tcp(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                         struct sdw_traffic_share *share, struct sdw_err *err);
int sdw_traffic_receive_tcp(const struct sdw_traffic_plan *plan,
                            const struct sdw_traffic_ends *ends, struct sdw_traffic_share *share,
                            struct sdw_err *err);

/* Wait for the due time and tell what a stall did. Returns false when it is time to stop. The
 * pace of every flow that fell behind by more than 2 ms has been moved to the present, its
 * packets counted as skipped (one of them, to be sent now, as late). */
bool sdw_traffic_wait(struct sdw_pace *paces, size_t n, size_t *due,
                      const struct sdw_traffic_plan *plan, struct sdw_traffic_share *share);

#endif
