#include "model/chirp.h"

#include <math.h>

static bool arrived(const struct sdw_train *train, size_t i)
{
    return train->delay_ns[i] != SDW_TRAIN_LOST;
}

static double seconds(int64_t ns)
{
    return (double)ns * 1e-9;
}

bool sdw_train_floor(const struct sdw_train *train, int64_t *floor_ns)
{
    bool any = false;
    for (size_t i = 0; i < train->n; i++) {
        if (!arrived(train, i) || (any && train->delay_ns[i] >= *floor_ns))
            continue;
        *floor_ns = train->delay_ns[i];
        any = true;
    }
    return any;
}

/* Rate of packets first+1..last: the first one only opens the span. */
static double rate_between(const struct sdw_train *train, size_t first, size_t last)
{
    double bytes = 0, span = seconds(train->sent_ns[last] - train->sent_ns[first]);
    for (size_t i = first + 1; i <= last; i++)
        bytes += (double)train->bytes[i];
    return span > 0 ? bytes * 8 / span : NAN;
}

/* The last packet after which the delay never fell back to nothing began the final rise. */
static double turn_rate(const struct sdw_train *train, int64_t base_ns, double rise_s)
{
    size_t last_low = train->n, above = 0;
    for (size_t i = 0; i < train->n; i++) {
        if (!arrived(train, i))
            continue;
        if (seconds(train->delay_ns[i] - base_ns) < rise_s) {
            last_low = i;
            above = 0;
        } else {
            above++;
        }
    }
    if (above < 2 || last_low >= train->n || last_low == 0)
        return NAN;
    size_t from = last_low >= 2 ? last_low - 2 : 0, to = last_low + 1;
    return rate_between(train, from, to < train->n ? to : train->n - 1);
}

static double sustained_rate(const struct sdw_train *train, int64_t base_ns, double rise_s)
{
    size_t length = train->n / 2;
    double best = NAN;
    if (length < 4)
        return best;
    /* A train may open with a burst that a token bucket swallows: it proves nothing. */
    for (size_t first = train->n / 3, last = first + length; last < train->n; first++, last++) {
        if (!arrived(train, last) || seconds(train->delay_ns[last] - base_ns) >= rise_s)
            continue;
        double rate = rate_between(train, first, last);
        if (isnan(best) || rate > best)
            best = rate;
    }
    return best;
}

void sdw_chirp_read(const struct sdw_train *train, int64_t base_ns, double rise_s,
                    struct sdw_chirp *chirp)
{
    *chirp = (struct sdw_chirp){.sent = train->n,
                                .mean_bps = NAN,
                                .last_delay_s = NAN,
                                .peak_delay_s = NAN,
                                .turn_bps = NAN,
                                .sustain_bps = NAN};
    for (size_t i = 0; i < train->n; i++) {
        if (!arrived(train, i)) {
            chirp->lost++;
            continue;
        }
        chirp->last_delay_s = seconds(train->delay_ns[i] - base_ns);
        if (!(chirp->last_delay_s <= chirp->peak_delay_s))
            chirp->peak_delay_s = chirp->last_delay_s;
    }
    if (train->n < 2)
        return;
    chirp->span_s = seconds(train->sent_ns[train->n - 1] - train->sent_ns[0]);
    chirp->mean_bps = rate_between(train, 0, train->n - 1);
    chirp->turn_bps = turn_rate(train, base_ns, rise_s);
    chirp->sustain_bps = sustained_rate(train, base_ns, rise_s);
}

size_t sdw_chirp_gaps(const struct sdw_train *train, int64_t base_ns, double margin_s,
                      struct sdw_gap *gaps, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < train->n; i++) {
        if (!arrived(train, i) || !arrived(train, i + 1) || train->bytes[i] != train->bytes[i + 1])
            continue;
        double gap = seconds(train->sent_ns[i + 1] - train->sent_ns[i]);
        if (gap < 0 || seconds(train->delay_ns[i] - base_ns) < gap + margin_s)
            continue;
        if (n < max)
            gaps[n] =
                (struct sdw_gap){.bits = (double)train->bytes[i + 1] * 8,
                                 .growth_s = seconds(train->delay_ns[i + 1] - train->delay_ns[i]),
                                 .gap_s = gap};
        n++;
    }
    return n;
}
