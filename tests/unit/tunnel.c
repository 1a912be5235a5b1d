/* What a shadow tunnel tells of its path, to readers that look at times of their own. */
#include "model/tunnel.h"
#include "unit/tap.h"

static struct sdw_tunnel_news slot(enum sdw_tunnel_source source, int64_t hop, double delay_us)
{
    return (struct sdw_tunnel_news){source, hop, delay_us, 10, 1, NAN};
}

static void learn(struct sdw_tunnel *tunnel, struct sdw_tunnel_news news)
{
    sdw_tunnel_learn(tunnel, &news);
}

static void readers_see_the_mean_since_they_looked(void)
{
    struct sdw_tunnel tunnel = {.available_bps = NAN};
    struct sdw_tunnel_view one = sdw_tunnel_unseen, other = sdw_tunnel_unseen;
    sdw_tunnel_look(&tunnel, &one);
    ok(isnan(one.delay_us) && isnan(one.loss_share) && isnan(one.available_bps),
       "of a path without news nothing is known");
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 3, 100));
    sdw_tunnel_look(&tunnel, &one);
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 3, 200));
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_QUIET, 3, 300, 30, 0, NAN});
    sdw_tunnel_look(&tunnel, &one);
    sdw_tunnel_look(&tunnel, &other);
    is_near(one.delay_us, 250, 1e-9, "a reader sees the mean of what came since it looked");
    is_near(other.delay_us, 200, 1e-9, "and another, that has not looked, that of all");
    is_near(one.loss_share, 0.025, 1e-9, "loss is by packets, not by slots");
    sdw_tunnel_look(&tunnel, &one);
    is_near(one.delay_us, 250, 1e-9, "where nothing new has come it is as it was");
}

static void what_was_measured_without_load_counts_first(void)
{
    struct sdw_tunnel tunnel = {.available_bps = NAN};
    struct sdw_tunnel_view view = sdw_tunnel_unseen;
    struct sdw_tunnel_news gradient = {SDW_TUNNEL_GRADIENT, 0, 7000, NAN, NAN, NAN};
    learn(&tunnel, gradient);
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 7000 && isnan(view.loss_share), "a gradient is better than nothing");
    learn(&tunnel, gradient);
    learn(&tunnel, slot(SDW_TUNNEL_LOADED, 3, 900));
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 900, "a slot under load better than a gradient");
    learn(&tunnel, slot(SDW_TUNNEL_LOADED, 3, 900));
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 3, 100));
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 100, "and one without load best");
}

static void only_the_furthest_hop_tells(void)
{
    struct sdw_tunnel tunnel = {.available_bps = NAN};
    struct sdw_tunnel_view view = sdw_tunnel_unseen;
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 4, 100));
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 2, 900));
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_QUIET, 4, NAN, 0, NAN, NAN});
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 100, "of a nearer hop, and of nothing sent, there is nothing to learn");
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_GRADIENT, 0, NAN, NAN, NAN, 5e6});
    sdw_tunnel_look(&tunnel, &view);
    ok(view.available_bps == 5e6, "the available capacity is the newest");
}

int main(void)
{
    readers_see_the_mean_since_they_looked();
    what_was_measured_without_load_counts_first();
    only_the_furthest_hop_tells();
    return tap_done();
}
