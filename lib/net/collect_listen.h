/* A source that listens to exporters: what all their protocols have in common. */
#ifndef SDW_NET_COLLECT_LISTEN_H
#define SDW_NET_COLLECT_LISTEN_H

#include "net/collect.h"
#include "net/exportrec.h"
#include "net/listener.h"

struct sdw_listening {
    const struct sdw_listening_protocol *protocol;
    void *state; /* the protocol's */
    struct sdw_listener *listener;
    struct sdw_export_losses told;
    bool complained;         /* about a bad datagram in this interval */
    uint64_t bytes, packets; /* of flows; the protocol counts them */
    struct sdw_ctx *ctx;     /* of the datagram in hand, and of what came of it */
    int64_t ts;
    char exporter[SDW_ADDRESS_TEXT];
    int code; /* negative: a record could not be written; then no more are */
};

/* A protocol of exporters. Its state is made with a secret key for what it keeps by sender. */
struct sdw_listening_protocol {
    void *(*new)(uint64_t key);
    /* Take a datagram: SDW_EINPUT for a bad one. */
    int (*take)(struct sdw_listening *listening, const struct sdw_incoming *datagram,
                struct sdw_err *err);
    void (*tell)(struct sdw_listening *listening); /* an interval is over; NULL: nothing to tell */
    uint64_t (*lost)(const void *state); /* what exporters sent and did not come here, so far */
    uint64_t (*bad)(const void *state);
    void (*count)(const struct sdw_listening *listening, struct sdw_jsonw *counts);
    void (*free)(void *state);
};

/* Add what comes to the listener, which is now the source's (and is freed with it, also when this
 * fails), as a source. */
int sdw_collect_listen(struct sdw_collect *collect, const struct sdw_listening_protocol *protocol,
                       struct sdw_listener *listener, struct sdw_err *err);

#endif
