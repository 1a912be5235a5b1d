#include "model/tunnel.h"

#include <math.h>

const struct sdw_tunnel_view sdw_tunnel_unseen = {
    .delay_us = NAN, .loss_share = NAN, .available_bps = NAN};

static const double silent_us = 600e6; /* a hop that was silent for so long is gone */

static bool is_furthest(struct sdw_tunnel *tunnel, const struct sdw_tunnel_news *news)
{
    if (news->hop >= tunnel->hop)
        return true;
    if (tunnel->nearer_us == 0)
        tunnel->nearer_us = news->ts;
    return (double)news->ts - (double)tunnel->nearer_us >= silent_us;
}

void sdw_tunnel_learn(struct sdw_tunnel *tunnel, const struct sdw_tunnel_news *news)
{
    struct sdw_tunnel_sum *sum = &tunnel->sum[news->source];
    if (isfinite(news->available_bps))
        tunnel->available_bps = news->available_bps;
    if (news->source != SDW_TUNNEL_GRADIENT) {
        if (!is_furthest(tunnel, news))
            return;
        tunnel->hop = news->hop;
        tunnel->nearer_us = 0;
    }
    if (isfinite(news->delay_us)) {
        sum->delays++;
        sum->delay_us += fmax(0, news->delay_us);
    }
    if (news->sent > 0 && news->lost >= 0) {
        sum->sent += news->sent;
        sum->lost += fmin(news->lost, news->sent);
    }
}

/* The mean of what came since `before` was seen; what it was where nothing has come. */
static double mean_since(double sum, double n, double sum_before, double n_before, double mean)
{
    return n > n_before ? fmax(0, sum - sum_before) / (n - n_before) : mean;
}

void sdw_tunnel_look(const struct sdw_tunnel *tunnel, struct sdw_tunnel_view *view)
{
    /* The best source comes last. */
    for (int i = SDW_TUNNEL_SOURCES - 1; i >= 0; i--) {
        const struct sdw_tunnel_sum *now = &tunnel->sum[i], *seen = &view->seen[i];
        view->delay_us =
            mean_since(now->delay_us, now->delays, seen->delay_us, seen->delays, view->delay_us);
        view->loss_share =
            mean_since(now->lost, now->sent, seen->lost, seen->sent, view->loss_share);
    }
    view->available_bps = tunnel->available_bps;
    memcpy(view->seen, tunnel->sum, sizeof view->seen);
}
