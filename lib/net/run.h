/*
 * One slot: sends the shots of a plan through a carrier, each in its time, takes the answers in
 * between, stops the load when it must, and keeps what became of every packet.
 */
#ifndef SDW_NET_RUN_H
#define SDW_NET_RUN_H

#include "core/base.h"
#include "core/err.h"
#include "net/carrier.h"
#include "net/hover.h"
#include "net/plan.h"
#include "net/trigger.h"

/* What became of one shot. */
struct sdw_shot_fate {
    int64_t sent_ns;         /* wall clock; 0: not sent */
    int64_t received_ns;     /* wall clock; 0: no answer */
    int64_t far_received_ns; /* STAMP T2, T3; 0: unknown */
    int64_t far_sent_ns;
    int kind; /* enum sdw_answer_kind, or -1 */
    uint8_t far_ttl, icmp_type, icmp_code;
    struct sdw_address from;
};

enum { SDW_RUN_STALLS = 32 };

/* Wall clock from which to which the host kept us from running. */
struct sdw_run_stall {
    int64_t from_ns, to_ns;
};

struct sdw_run_rules {
    struct sdw_trigger trigger;
    int64_t base_one_way_ns; /* of load packets: least T2 - T1; INT64_MAX when unknown */
    int64_t base_round_ns;   /* least round trip; INT64_MAX when unknown */
    int64_t settle_ns;       /* wait at most so long for the answers after the last packet */
    int64_t silence_ns;      /* stop the load when nothing came back for so long; 0: never */
    int64_t late_ns;         /* load is never late below this; above, beyond half its gap */
    uint8_t dscp;
};

struct sdw_run {
    struct sdw_shot_fate *fates; /* fates[plan->n] */
    size_t n, cap;
    enum sdw_stop stop;
    int64_t started_us;     /* wall clock of the slot's start */
    int64_t duration_ns;    /* from the start to the last packet sent */
    int64_t stall_ns;       /* longest time that the host kept us from running */
    int64_t train_stall_ns; /* the same, while a train was being sent */
    struct sdw_run_stall stalls[SDW_RUN_STALLS]; /* those outside trains, the first ones */
    size_t n_stalls;    /* of more than SDW_STALL_NS; may be more than are kept */
    unsigned late;      /* packets late by more than SDW_LATE_NS */
    unsigned load_late; /* load packets later than the rules allow */
    unsigned load_sent, load_answered;
    int64_t bytes; /* IP bytes sent */
    uint32_t first_id;
    unsigned stray; /* answers to packets of earlier slots */
};

/* Zero-initialise the run, release once. With a train (NULL: none) its packets are sent right after
 * the plan's first `lead` shots and put behind them; the times of the others then count from the
 * train's last packet. next_id counts packets over the carrier's life. */
int sdw_run(struct sdw_run *run, struct sdw_plan *plan, struct sdw_hover *train,
            const struct sdw_run_rules *rules, struct sdw_carrier *carrier, uint32_t *next_id,
            struct sdw_err *err);
void sdw_run_release(struct sdw_run *run);

/* Forget that the ladders were sent whose packets met a stall of the host on their way, or the load
 * that was made up for after it: what they say of the path is not true. Those between the stalls
 * stay. */
void sdw_run_forget_stalled(struct sdw_run *run, const struct sdw_plan *plan);

/* Round-trip time of a shot without the time the far end held it; -1 when there was no answer. */
int64_t sdw_fate_round_ns(const struct sdw_shot_fate *fate);
/* Delay of a load packet above the base that the rules know, one way where both are known; -1 when
 * none is. */
int64_t sdw_fate_load_delay_ns(const struct sdw_shot_fate *fate, const struct sdw_run_rules *rules);
/* T2 - T1, which includes the difference of the two clocks; INT64_MIN when unknown. */
int64_t sdw_fate_one_way_ns(const struct sdw_shot_fate *fate);

#endif
