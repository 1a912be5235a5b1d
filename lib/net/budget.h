/*
 * What injection may cost: a token bucket over all bytes sent, a total, and (when the budget is a
 * share) the live traffic of an interface as the measure. Times are monotonic ns, given by the
 * caller.
 */
#ifndef SDW_NET_BUDGET_H
#define SDW_NET_BUDGET_H

#include "core/base.h"
#include "core/err.h"

/* A share of live traffic may be saved up for so long: the worst span of that length then costs
 * twice the share. */
enum { SDW_BUDGET_SAVE_S = 10 };

/* A first look at a path may have so much at once; a share of live traffic lends it, as much for
 * each path as the share brings in while it may be saved up. */
enum { SDW_FIRST_LOOK_BYTES = 150000 };

struct sdw_budget {
    double bytes_per_s;  /* refill; the mean that is allowed */
    double burst_bytes;  /* what may be saved up */
    double tokens;       /* may be negative: what was sent has been sent */
    int64_t total_bytes; /* may be spent in all; 0: no limit */
    int64_t spent_bytes;
    int64_t promised_bytes; /* to what has begun and has not sent all of it */
    double share;           /* of live bytes; 0: bytes_per_s is fixed */
    double live_bytes_per_s;
    int64_t last_ns, counted_ns;
    uint64_t counted_bytes; /* the interface's counter then */
    int64_t counted_spent;
    unsigned paths;   /* that a first look is taken of */
    double lent;      /* for first looks */
    double credit;    /* what is left of that; spent before the tokens */
    const void *turn; /* who waits for tokens, and goes before all others; NULL: nobody */
};

/* A fixed mean rate in bit/s. */
struct sdw_budget sdw_budget_rate(double bps, int64_t total_bytes, int64_t now_ns);
/* A share (0..1) of live bytes; nothing may be sent until live traffic was counted. */
struct sdw_budget sdw_budget_share(double share, int64_t total_bytes, int64_t now_ns);

/* The interface has sent `bytes` so far, our own included; called about once a second. A counter
 * that went back (the interface was made anew) starts over. */
void sdw_budget_live(struct sdw_budget *budget, uint64_t bytes, int64_t now_ns);

void sdw_budget_spend(struct sdw_budget *budget, int64_t bytes, int64_t now_ns);
/* So many bytes more (negative: less) are promised to what is under way: nothing else may have them
 * until they are spent, or not needed after all. */
void sdw_budget_promise(struct sdw_budget *budget, int64_t bytes);
/* How long until `bytes` may be sent, beside what is promised: 0 now, INT64_MAX never (the total is
 * used up). */
int64_t sdw_budget_wait_ns(struct sdw_budget *budget, int64_t bytes, int64_t now_ns);

/* IP bytes that the interfaces (comma-separated) have sent (Ethernet headers taken off), from the
 * kernel's counters of this network namespace. SDW_EUSAGE when one of them does not exist. */
int sdw_live_bytes(const char *interfaces, uint64_t *bytes, struct sdw_err *err);
/* The same from the text of /proc/net/dev. */
bool sdw_live_bytes_of(struct sdw_str table, struct sdw_str interface, uint64_t *bytes);

#endif
