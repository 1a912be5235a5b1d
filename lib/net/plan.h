/*
 * The packets of one slot and their times: what each schedule comes down to. Pure: rates, sizes
 * and seeds in, a list of shots out; net/run.h sends it.
 *
 * A slot measures with ladders: one small marker to every hop (TTL 1, 2, ... and the far end) back
 * to back, so that what two neighbouring markers differ in is the delay of the link between them.
 * An on slot carries load as well; an off slot is the same ladders at the same times without it.
 */
#ifndef SDW_NET_PLAN_H
#define SDW_NET_PLAN_H

#include "core/base.h"
#include "core/rng.h"

enum {
    SDW_TTL_FAR = 255,        /* TTL of what is meant for the far end (RFC 8762, section 4.1) */
    SDW_HOPS_MAX = 64,        /* longest path */
    SDW_LOAD_BYTES_MIN = 250, /* IP bytes of a load packet */
    SDW_LOAD_BYTES_MAX = 1200,
};

struct sdw_shot {
    int64_t at_ns;     /* from the start of the slot; never before the shot in front */
    uint16_t ip_bytes; /* 0: as small as the carrier can */
    uint8_t ttl;
    uint8_t hop; /* the hop it measures or dies at: 1..hops */
    bool load;
    uint16_t ladder; /* markers of one ladder share it; for load 0 */
};

/* Zero-initialise, release once; clear keeps the memory. */
struct sdw_plan {
    struct sdw_shot *shots;
    size_t n, cap;
    uint16_t ladders;
    size_t lead; /* of the shots, those that go before a train */
};

void sdw_plan_clear(struct sdw_plan *plan);
void sdw_plan_release(struct sdw_plan *plan);
void sdw_plan_add(struct sdw_plan *plan, const struct sdw_shot *shot);

/* Which hops a ladder asks: hop k when wanted[k] (1..hops; the far end is hop `hops`). */
struct sdw_rungs {
    unsigned hops;
    bool wanted[SDW_HOPS_MAX + 1];
};

/* Size of load packets at a constant rate: about 0.8 ms each. */
uint16_t sdw_load_bytes(double bps);

/* Append one ladder at at_ns: ascending TTLs back to back. */
void sdw_plan_ladder(struct sdw_plan *plan, int64_t at_ns, const struct sdw_rungs *rungs);
/* Append load of one constant rate over [from_ns, to_ns), packets evenly spaced. */
void sdw_plan_constant(struct sdw_plan *plan, int64_t from_ns, int64_t to_ns, double bps,
                       uint16_t ip_bytes, uint8_t load_ttl);
/* The same rate as a Poisson process (RFC 2330, section 11.1.1). */
void sdw_plan_poisson(struct sdw_plan *plan, int64_t from_ns, int64_t to_ns, double bps,
                      uint16_t ip_bytes, uint8_t load_ttl, struct sdw_rng *rng);
/* A recursive train (Hu et al., Locating Internet Bottlenecks, SIGCOMM 2004): a ladder, `packets`
 * load packets back to back, and the ladder again from the far end down to hop 1. With packets 0
 * the two ladders alone. */
void sdw_plan_train(struct sdw_plan *plan, int64_t at_ns, unsigned packets, uint16_t ip_bytes,
                    const struct sdw_rungs *rungs);

/* Order the shots by time; shots of one time keep the order they were added in. */
void sdw_plan_sort(struct sdw_plan *plan);

#endif
