/*
 * sFlow version 5 (sflow.org, "sFlow Version 5", 2004): datagrams of agents to sampled packets and
 * interface counters.
 *
 * Any bytes may be given: nothing is read beyond them, and every length they claim is held against
 * what is there. What is kept is bounded.
 */
#ifndef SDW_NET_SFLOW_H
#define SDW_NET_SFLOW_H

#include "core/base.h"
#include "core/err.h"
#include "net/export.h"

/* Counters of one interface of an agent (generic interface counters). 32-bit ones wrap. */
struct sdw_sflow_link {
    uint8_t agent[16]; /* address of the agent: 4 or 16 bytes */
    uint8_t agent_n;
    uint32_t index;     /* ifIndex */
    uint32_t uptime_ms; /* of the agent, when it counted */
    uint64_t speed_bps;
    bool up;                     /* ifOperStatus */
    uint64_t rx_bytes, tx_bytes; /* 64 bits wide */
    uint32_t rx_packets, tx_packets, rx_discards, tx_discards, rx_errors, tx_errors;
};

struct sdw_sflow_counts {
    uint64_t datagrams;
    uint64_t bad;      /* of them: cut off, lying about lengths, or no sFlow v5 */
    uint64_t samples;  /* packets sampled */
    uint64_t flows;    /* of them: IP, handed over */
    uint64_t other;    /* of them: no IP, or cut off before the end of its IP header */
    uint64_t absurd;   /* of them: a sampling rate or a length that cannot be */
    uint64_t counters; /* counters of interfaces handed over */
    uint64_t unknown;  /* samples of formats that are not read */
    uint64_t refused;  /* agents there was no room for: their losses are not counted */
    uint64_t lost;     /* datagrams, by sequence number */
    uint64_t restarts;
};

/* Where things go. A flow is one packet, times its sampling rate; it has no times. */
struct sdw_sflow_sink {
    sdw_export_each *flow;
    void (*link)(const struct sdw_sflow_link *link, void *arg);
    void *arg;
};

struct sdw_sflow;

/* hash_key: for a table of outside keys, random. */
struct sdw_sflow *sdw_sflow_new(uint64_t hash_key);
void sdw_sflow_free(struct sdw_sflow *sflow); /* NULL is fine */

/* Take one datagram. SDW_EINPUT, with the reason, when a part of it was bad: what came before was
 * handed over. */
int sdw_sflow_take(struct sdw_sflow *sflow, struct sdw_str datagram,
                   const struct sdw_sflow_sink *sink, struct sdw_err *err);

struct sdw_sflow_counts sdw_sflow_counts(const struct sdw_sflow *sflow);

#endif
