/*
 * What one train of probe packets says of the tight link of its path.
 *
 * The link is a FIFO of rate C (behind a token bucket or not) that shares C with cross traffic X.
 * Let W(i) be the delay of packet i above the least delay of its size. While the link works
 * without a pause between packet i and i+1, which is certain when W(i) >= the gap between them,
 *
 *     W(i+1) - W(i) = (bytes of i+1 + cross bytes in the gap) / C - gap
 *
 * so the cross traffic of just that gap can be read off. Whether a gap is read depends on what
 * was seen *before* it only: such a choice does not bias the sum over many gaps, whatever made
 * the queue long, and whenever the train was stopped (optional stopping). The rest of the train
 * is not used for the rate; trigger rates and excursions, as pathChirp has them, are biased by
 * the bucket's credit and by bursts.
 *
 * Values; nothing allocated but by sdw_train_copy. Pure.
 */
#ifndef SDW_MODEL_CHIRP_H
#define SDW_MODEL_CHIRP_H

#include "core/base.h"

#define SDW_TRAIN_LOST INT64_MIN /* delay of a packet that did not arrive */

/* A train, packet by packet: sent_ns[n] from any origin, not decreasing; bytes[n] of IP;
 * delay_ns[n] above any constant base, SDW_TRAIN_LOST when lost. Borrowed by the readers. */
struct sdw_train {
    size_t n;
    int64_t *sent_ns, *bytes, *delay_ns;
};

/* One gap in which the link never paused. */
struct sdw_gap {
    double bits;     /* of the packet that ends it, IP */
    double growth_s; /* of the delay: W(i+1) - W(i) */
    double gap_s;    /* between the two sends */
};

/* What the whole train shows. Rates are IP-layer bit/s, NAN when not shown. */
struct sdw_chirp {
    size_t sent, lost;
    double span_s;       /* from the first to the last send */
    double mean_bps;     /* over it */
    double last_delay_s; /* W of the last packet that arrived; NAN: none did */
    double peak_delay_s;
    double turn_bps;    /* sending rate where the last rise of the delay began */
    double sustain_bps; /* highest rate of half of the train that left no queue behind it */
};

/* Least delay over packets that arrived; false when all were lost. */
bool sdw_train_floor(const struct sdw_train *train, int64_t *floor_ns);

/* base_ns: the delay of an unloaded path. rise_s: a queue shorter than this is noise. */
void sdw_chirp_read(const struct sdw_train *train, int64_t base_ns, double rise_s,
                    struct sdw_chirp *chirp);

/* The gaps without a pause: writes up to max of them, returns how many there are. margin_s is
 * added to what counts as certain, against noise of the stamps. */
size_t sdw_chirp_gaps(const struct sdw_train *train, int64_t base_ns, double margin_s,
                      struct sdw_gap *gaps, size_t max);

#endif
