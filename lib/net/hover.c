#include "net/hover.h"

#include <math.h>

enum {
    BURST = 3,  /* packets back to back */
    BURSTS = 3, /* at a quarter, a half and three quarters of the bytes */
    PACKETS_LEAST = 12,
    GENTLE = 8, /* paced packets at the end */
    EXTRA = 8,  /* more of them when the queue is gone by then */
    FIRST_BYTES = 100000,
};

static const double first_bps = 1e6, first_growth = 1.05;
static const double bump_s = 0.0015, bump_most = 4;
static const double above = 1.1, gentle_above = 1.15, below = 0.5;
static const double settled = 0.6, stale = 1.5, retreat = 0.9;
static const double deaf_above = 2.5; /* without feedback: surely above, and felt */

static int64_t ns_of(double bits, double bps)
{
    return (int64_t)(bits / bps * 1e9);
}

struct sdw_hover sdw_hover(struct sdw_aim *aim, const struct sdw_hover_limits *limits)
{
    struct sdw_hover hover = {.aim = aim,
                              .limits = *limits,
                              .ip_bytes = sdw_aim_bytes(aim),
                              .first = aim->available_bps <= 0,
                              .queue_ns = -1};
    if (hover.first) {
        hover.rate_bps = fmin(first_bps, aim->max_bps / 100);
        hover.high_ns = 3000000;
        hover.low_ns = 1000000;
        hover.limits.bytes = FIRST_BYTES;
        return hover;
    }
    hover.available_bps = fmin(aim->available_bps, aim->max_bps);
    hover.capacity_bps = aim->capacity_bps > 0 ? aim->capacity_bps : 2 * hover.available_bps;
    hover.least_bps = hover.available_bps;
    hover.rate_bps = above * hover.available_bps;
    int64_t mtu_ns = ns_of(1500 * 8, hover.capacity_bps);
    hover.low_ns = mtu_ns > 1000000 ? mtu_ns : 1000000;
    hover.high_ns = mtu_ns * 5 / 2 > 3000000 ? mtu_ns * 5 / 2 : 3000000;
    hover.climb_ns = 5000000;
    if (hover.climb_ns < 2 * limits->round_ns)
        hover.climb_ns = 2 * limits->round_ns;
    if (hover.climb_ns < 2 * mtu_ns)
        hover.climb_ns = 2 * mtu_ns;
    unsigned planned = (unsigned)(hover.limits.bytes / hover.ip_bytes);
    if (planned < PACKETS_LEAST) {
        planned = PACKETS_LEAST;
        hover.limits.bytes = PACKETS_LEAST * (int64_t)hover.ip_bytes;
    }
    double bump_bps = fmin(hover.capacity_bps, bump_most * hover.available_bps);
    double bump_bytes = bump_s * fmin(bump_bps, aim->max_bps) / 8;
    hover.bump = (unsigned)ceil(bump_bytes / hover.ip_bytes);
    if (hover.bump > planned / 3)
        hover.bump = planned / 3;
    return hover;
}

void sdw_hover_answer(struct sdw_hover *hover, uint16_t ip_bytes, int64_t delay_ns)
{
    if (hover->limits.deaf) /* a router where it died: another way, and no queue to hover at */
        return;
    hover->queue_ns = sdw_aim_delay(hover->aim, ip_bytes, delay_ns);
    if (hover->queue_ns > hover->low_ns)
        hover->turned = true;
    if (hover->queue_ns > hover->limits.abort_ns ||
        (hover->first && hover->queue_ns > hover->high_ns))
        hover->ended = true;
}

/* The climb ended in a queue: what is available lies a little below the rate that the packet in the
 * queue was sent at. Only worth a thought when it is far above what was believed. A queue that
 * keeps growing says that less is. */
static void reconsider(struct sdw_hover *hover)
{
    double lag_ns = (double)(hover->queue_ns + hover->limits.round_ns);
    double met = settled * hover->rate_bps * exp(-lag_ns / (double)hover->climb_ns);
    if (hover->climbing && met > stale * hover->available_bps)
        hover->available_bps = met;
    else if (!hover->climbing && hover->queue_ns > hover->high_ns)
        hover->available_bps = fmax(hover->available_bps * retreat, hover->least_bps);
    hover->climbing = false;
}

/* The rate of the next gap, from the newest delay. */
static double next_rate(struct sdw_hover *hover, bool gentle)
{
    double rate;
    if (hover->first)
        return fmin(hover->rate_bps * first_growth, hover->aim->max_bps);
    if (hover->limits.deaf)
        return fmin(deaf_above * hover->available_bps, hover->aim->max_bps);
    if (hover->queue_ns >= 0 && hover->queue_ns < hover->low_ns) {
        hover->climbing = true;
        rate = fmax(hover->rate_bps, hover->available_bps) *
               exp((double)hover->gap_ns / (double)hover->climb_ns);
    } else {
        reconsider(hover);
        rate = (hover->queue_ns > hover->high_ns ? below : above) * hover->available_bps;
    }
    if (gentle && !hover->climbing)
        rate = fmin(rate, gentle_above * hover->available_bps);
    return fmin(rate, hover->aim->max_bps);
}

/* Whether the next packet follows its predecessor at once. */
static bool back_to_back(struct sdw_hover *hover, int64_t left)
{
    if (hover->packets < hover->bump)
        return true;
    if (hover->burst_left > 0) {
        hover->burst_left--;
        return true;
    }
    if (hover->first || hover->bursts == BURSTS || left <= GENTLE + BURST)
        return false;
    if (hover->spent * (BURSTS + 1) < hover->limits.bytes * (int64_t)(hover->bursts + 1))
        return false;
    hover->bursts++;
    hover->burst_left = BURST - 1;
    return false;
}

bool sdw_hover_next(struct sdw_hover *hover, int64_t now_ns, struct sdw_shot *shot)
{
    if (hover->packets == 0)
        hover->started_ns = now_ns;
    if (hover->ended || now_ns - hover->started_ns > hover->limits.length_ns)
        return false;
    int64_t left = (hover->limits.bytes - hover->spent) / hover->ip_bytes;
    if (hover->first && hover->rate_bps >= hover->aim->max_bps * 0.999)
        return false;
    bool gone = hover->queue_ns >= 0 && hover->queue_ns < hover->low_ns;
    bool top = hover->rate_bps >= hover->aim->max_bps * 0.999;
    if (!hover->first && gone && top && hover->spent * 2 >= hover->limits.bytes)
        return false; /* as fast as may be, and nothing came of it */
    if (left <= 0 && (hover->first || !gone || hover->spent >= hover->limits.most_bytes))
        return false;
    int64_t gap = 0;
    if (hover->packets > 0 && !back_to_back(hover, left)) {
        hover->rate_bps = next_rate(hover, left > 0 && left <= GENTLE);
        gap = ns_of(hover->ip_bytes * 8.0, hover->rate_bps);
        hover->gap_ns = gap;
        /* What went back to back is made up for: no train is faster than allowed in its mean. */
        int64_t soonest = hover->started_ns + ns_of((double)hover->spent * 8, hover->aim->max_bps);
        gap = now_ns + gap < soonest ? soonest - now_ns : gap;
    }
    hover->packets++;
    hover->spent += hover->ip_bytes;
    *shot = (struct sdw_shot){
        .at_ns = now_ns + gap, .ip_bytes = hover->ip_bytes, .ttl = hover->limits.ttl, .load = true};
    return true;
}
