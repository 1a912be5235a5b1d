#include "net/aim.h"

#include <math.h>
#include <stdlib.h>

static const uint16_t sizes[SDW_AIM_SIZES] = {250, 400, 600, 800, 1000, 1200};
static const double packet_s = 0.0005;
static const double lowest_bps = 32e3;
static const double climb_most = 1.5;     /* from one train to the next */
static const double delivered_most = 1.3; /* of what arrived */

enum {
    NOISE_NS = 20000,  /* of delays, beyond which a queue is taken for real */
    QUEUE_NS = 100000, /* of delay: surely a queue */
    BURST_NS = 50000,  /* closer packets left back to back */
    RATES_LEAST = 3,
    RUN = 10,
    BUSY_LEAST_NS = 500000,
    BUSY_FULL_NS = 30000000 /* so much busy time counts fully */
};

struct sdw_aim sdw_aim(double max_bps)
{
    struct sdw_aim aim = {.max_bps = max_bps};
    for (size_t i = 0; i < SDW_AIM_SIZES; i++)
        aim.base_ns[i] = INT64_MAX;
    return aim;
}

static size_t size_index(uint16_t ip_bytes)
{
    size_t i = 0;
    while (i + 1 < SDW_AIM_SIZES && sizes[i] < ip_bytes)
        i++;
    return i;
}

uint16_t sdw_aim_bytes(struct sdw_aim *aim)
{
    double now = aim->available_bps;
    bool fits = aim->size_bps > 0 && now < aim->size_bps * 1.5 && now > aim->size_bps / 1.5;
    if (now > 0 && !fits) {
        double wanted = now * packet_s / 8;
        aim->size =
            wanted >= sizes[SDW_AIM_SIZES - 1] ? SDW_AIM_SIZES - 1 : size_index((uint16_t)wanted);
        aim->size_bps = now;
    }
    return sizes[aim->size];
}

int64_t sdw_aim_delay(struct sdw_aim *aim, uint16_t ip_bytes, int64_t delay_ns)
{
    int64_t *base = &aim->base_ns[size_index(ip_bytes)];
    if (delay_ns < *base)
        *base = delay_ns;
    return delay_ns - *base;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Sums over the gaps in which the link never paused. */
struct busy {
    double time_ns, bits, growth_ns;
};

static struct busy find_busy(struct sdw_aim *aim, const int64_t *sent_ns, const uint16_t *ip_bytes,
                             const int64_t *delay_ns, size_t n)
{
    struct busy busy = {0};
    for (size_t i = 0; i < n; i++)
        if (delay_ns[i] != INT64_MIN)
            (void)sdw_aim_delay(aim, ip_bytes[i], delay_ns[i]);
    for (size_t i = 0; i + 1 < n; i++) {
        if (delay_ns[i] == INT64_MIN || delay_ns[i + 1] == INT64_MIN)
            continue;
        int64_t gap = sent_ns[i + 1] - sent_ns[i];
        int64_t growth = delay_ns[i + 1] - delay_ns[i];
        double bits = ip_bytes[i + 1] * 8.0;
        /* With a queue the shaper's bucket is empty too, whose credit would look like capacity. */
        int64_t queue = sdw_aim_delay(aim, ip_bytes[i], delay_ns[i]);
        if (gap > BURST_NS && queue >= gap + NOISE_NS) {
            busy.time_ns += (double)gap;
            busy.bits += bits;
            busy.growth_ns += (double)growth;
        } else if (gap <= BURST_NS && queue >= QUEUE_NS && gap + growth > 0) {
            aim->rates[aim->n_rates++ % SDW_AIM_MEMORY] = bits * 1e9 / (double)(gap + growth);
        }
    }
    return busy;
}

/* Cross traffic between two packets makes them arrive slower, a host that stalls faster. */
static void learn_capacity(struct sdw_aim *aim)
{
    double sorted[SDW_AIM_MEMORY];
    size_t n = aim->n_rates < SDW_AIM_MEMORY ? aim->n_rates : SDW_AIM_MEMORY;
    if (n < RATES_LEAST)
        return;
    memcpy(sorted, aim->rates, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    aim->capacity_bps = sorted[n * 3 / 4];
}

/* Highest rate at which RUN packets in a row arrived; infinite when so many never did. No more can
 * be available for long. */
static double delivered_bps(const int64_t *sent_ns, const uint16_t *ip_bytes,
                            const int64_t *delay_ns, size_t n)
{
    double best = 0;
    for (size_t i = 0; i + RUN < n; i++) {
        double bits = 0;
        if (delay_ns[i] == INT64_MIN || delay_ns[i + RUN] == INT64_MIN)
            continue;
        for (size_t j = i + 1; j <= i + RUN; j++)
            bits += ip_bytes[j] * 8.0;
        double ns = (double)(sent_ns[i + RUN] - sent_ns[i] + delay_ns[i + RUN] - delay_ns[i]);
        best = ns > 0 ? fmax(best, bits * 1e9 / ns) : best;
    }
    return best > 0 ? best : INFINITY;
}

void sdw_aim_feed(struct sdw_aim *aim, const int64_t *sent_ns, const uint16_t *ip_bytes,
                  const int64_t *delay_ns, size_t n)
{
    struct busy busy = find_busy(aim, sent_ns, ip_bytes, delay_ns, n);
    learn_capacity(aim);
    double available = aim->available_bps, capacity = aim->capacity_bps;
    double most = fmin(available * climb_most,
                       delivered_most * delivered_bps(sent_ns, ip_bytes, delay_ns, n));
    aim->before_bps = available;
    if (busy.time_ns < BUSY_LEAST_NS) {
        available *= 1.3;
    } else if (capacity > 0) {
        double seen = (busy.bits - capacity * busy.growth_ns / 1e9) / (busy.time_ns / 1e9);
        seen = clamp(seen, 0.05 * capacity, capacity);
        available += clamp(busy.time_ns / BUSY_FULL_NS, 0.25, 0.7) * (seen - available);
        available = available < capacity ? available : capacity;
    }
    aim->available_bps =
        clamp(available < most ? available : most, lowest_bps, fmax(aim->max_bps, lowest_bps));
    if (aim->available_bps > aim->highest_bps)
        aim->highest_bps = aim->available_bps;
}

void sdw_aim_first(struct sdw_aim *aim, double sent_bps, const int64_t *sent_ns,
                   const uint16_t *ip_bytes, const int64_t *delay_ns, size_t n)
{
    double bps = fmin(sent_bps, delivered_bps(sent_ns, ip_bytes, delay_ns, n)) / 1.5;
    aim->available_bps = clamp(bps, lowest_bps, fmax(aim->max_bps, lowest_bps));
    aim->before_bps = aim->highest_bps = aim->available_bps;
}

bool sdw_aim_urgent(const struct sdw_aim *aim)
{
    return aim->available_bps < 0.4 * aim->highest_bps ||
           aim->available_bps < 0.85 * aim->before_bps;
}
