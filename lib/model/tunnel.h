/*
 * What the shadow tunnel along a path tells of it: delay above its base, loss, and the capacity
 * that is available. Sums that only grow, so that whoever looks takes the mean since it looked
 * last, however often that is.
 *
 * Measurements without load count first; where there are none those under load, and where slots
 * are not seen at all, what shadow-gradient says that the load added, over all hops. Slots count
 * at the furthest hop that has answered, until only nearer ones have for ten minutes: the path has
 * become shorter.
 */
#ifndef SDW_MODEL_TUNNEL_H
#define SDW_MODEL_TUNNEL_H

#include "core/base.h"

enum sdw_tunnel_source {
    SDW_TUNNEL_QUIET,
    SDW_TUNNEL_LOADED,
    SDW_TUNNEL_GRADIENT,
    SDW_TUNNEL_SOURCES
};

/* One measurement. NAN where it says nothing. */
struct sdw_tunnel_news {
    enum sdw_tunnel_source source;
    int64_t hop, ts; /* of a slot */
    double delay_us; /* above the path's base */
    double sent, lost;
    double available_bps;
};

struct sdw_tunnel_sum {
    double delays, delay_us, sent, lost;
};

/* Bytes without pointers; all zero but for the available capacity, NAN, is a path of which nothing
 * was heard. */
struct sdw_tunnel {
    int64_t hop;       /* the furthest */
    int64_t nearer_us; /* since when only nearer ones answer; 0: they do not */
    double available_bps;
    struct sdw_tunnel_sum sum[SDW_TUNNEL_SOURCES];
};

void sdw_tunnel_learn(struct sdw_tunnel *tunnel, const struct sdw_tunnel_news *news);

/* What one reader saw of a path: the means since it looked before, or as they were then where
 * nothing new has come. NAN: not known yet. */
struct sdw_tunnel_view {
    struct sdw_tunnel_sum seen[SDW_TUNNEL_SOURCES];
    double delay_us, loss_share, available_bps;
};

extern const struct sdw_tunnel_view sdw_tunnel_unseen;

void sdw_tunnel_look(const struct sdw_tunnel *tunnel, struct sdw_tunnel_view *view);

#endif
