/* The parts of the NetFlow decoder: what is kept of one exporter, and its records. */
#ifndef SDW_NET_NETFLOW_STREAM_H
#define SDW_NET_NETFLOW_STREAM_H

#include "core/map.h"
#include "net/netflow.h"

enum {
    SDW_NETFLOW_VARIABLE = 65535,     /* length of a field that carries its own */
    SDW_NETFLOW_SAMPLERS = 16,        /* samplers of one stream */
    SDW_NETFLOW_TEMPLATES = 1024,     /* templates of one stream */
    SDW_NETFLOW_FIELDS = 512,         /* fields of one template */
    SDW_NETFLOW_FIELDS_ALL = 1 << 20, /* fields of all templates */
};

struct sdw_netflow_field {
    uint32_t enterprise; /* 0: IANA's own */
    uint16_t id, length;
};

struct sdw_netflow_template {
    bool options;    /* its records tell of the exporter, not of flows */
    size_t shortest; /* of a record, in bytes; > 0 */
    size_t n;
    struct sdw_netflow_field field[];
};

struct sdw_netflow_sampler {
    uint64_t id;
    uint32_t rate;
};

/* One exporter, version and observation domain. */
struct sdw_netflow_stream {
    struct sdw_map templates; /* by id */
    uint32_t next_seq;
    bool seq_known;
    uint32_t sampling; /* of all its flows that name no sampler; 0: not told */
    struct sdw_netflow_sampler sampler[SDW_NETFLOW_SAMPLERS];
    size_t n_samplers;
    int64_t boot_us; /* told by IPFIX options or records (systemInitTime); 0: not told */
};

/* The moment of a datagram: what times in records are relative to. */
struct sdw_netflow_clock {
    int64_t export_us;  /* since the epoch */
    uint32_t uptime_ms; /* of the exporter then; v5 and v9 */
    bool has_uptime;
};

struct sdw_netflow {
    struct sdw_map streams; /* by exporter, version and domain */
    size_t fields;          /* of all templates */
    struct sdw_netflow_counts counts;
};

/* A cursor over bytes that someone else sent. */
struct sdw_netflow_bytes {
    const uint8_t *p;
    size_t left;
};

/* Read the templates of one set; options says of which kind, ipfix how they are written. Bad ones
 * are counted; 0, or SDW_EINPUT when the set is cut off. */
int sdw_netflow_templates(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream,
                          struct sdw_netflow_bytes set, bool options, bool ipfix,
                          struct sdw_err *err);
void sdw_netflow_stream_free(struct sdw_netflow_stream *stream);

/* Read the records of one set of data. Returns how many there were. */
size_t sdw_netflow_records(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream,
                           const struct sdw_netflow_template *template,
                           struct sdw_netflow_bytes set, const struct sdw_netflow_clock *clock,
                           sdw_export_each *each, void *arg);

/* Count, scale by the stream's sampling rate (or, if > 0, by the record's own) and hand over. */
void sdw_netflow_hand_over(struct sdw_netflow *netflow, const struct sdw_netflow_stream *stream,
                           struct sdw_export *flow, uint32_t sampling, int64_t export_us,
                           sdw_export_each *each, void *arg);

/* The time of an uptime in ms, relative to the datagram it came in. */
int64_t sdw_netflow_uptime_us(const struct sdw_netflow_clock *clock, uint32_t uptime_ms);

#endif
