/* What a shadow tunnel tells of its path, to readers that look at times of their own. */
#include "model/tunnel.h"
#include "unit/tap.h"

static const int64_t minute = 60000000;

static struct sdw_tunnel_news slot(enum sdw_tunnel_source source, int64_t hop, double delay_us)
{
    return (struct sdw_tunnel_news){source, hop, 0, delay_us, 10, 1, NAN};
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
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_QUIET, 3, 0, 300, 30, 0, NAN});
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
    struct sdw_tunnel_news gradient = {SDW_TUNNEL_GRADIENT, 0, 0, 7000, NAN, NAN, NAN};
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
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_QUIET, 4, 0, NAN, 0, NAN, NAN});
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 100, "of a nearer hop, and of nothing sent, there is nothing to learn");
    learn(&tunnel, (struct sdw_tunnel_news){SDW_TUNNEL_GRADIENT, 0, 0, NAN, NAN, NAN, 5e6});
    sdw_tunnel_look(&tunnel, &view);
    ok(view.available_bps == 5e6, "the available capacity is the newest");
}

static void a_path_that_got_shorter_tells_again(void)
{
    struct sdw_tunnel tunnel = {.available_bps = NAN};
    struct sdw_tunnel_view view = sdw_tunnel_unseen;
    learn(&tunnel, slot(SDW_TUNNEL_QUIET, 4, 100));
    struct sdw_tunnel_news shorter = slot(SDW_TUNNEL_QUIET, 3, 300);
    shorter.ts = minute;
    learn(&tunnel, shorter);
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 100, "a hop that is not the furthest tells nothing");
    shorter.ts = 30 * minute;
    learn(&tunnel, shorter);
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 300, "until it alone has answered for ten minutes");
    shorter.ts = 31 * minute;
    shorter.delay_us = 500;
    learn(&tunnel, shorter);
    sdw_tunnel_look(&tunnel, &view);
    ok(view.delay_us == 500, "and stays it");
}

static void a_path_that_is_seldom_measured_keeps_its_length(void)
{
    struct sdw_tunnel tunnel = {.available_bps = NAN};
    struct sdw_tunnel_view view = sdw_tunnel_unseen;
    for (int i = 1; i < 5; i++)
        for (int hop = 1; hop < 5; hop++) {
            struct sdw_tunnel_news news = slot(SDW_TUNNEL_QUIET, hop, 100 * hop);
            news.ts = i * 60 * minute + hop;
            learn(&tunnel, news);
            sdw_tunnel_look(&tunnel, &view);
            ok(i == 1 || view.delay_us == 400, "hop %d of four does not stand for the last", hop);
        }
}

int main(void)
{
    readers_see_the_mean_since_they_looked();
    what_was_measured_without_load_counts_first();
    only_the_furthest_hop_tells();
    a_path_that_got_shorter_tells_again();
    a_path_that_is_seldom_measured_keeps_its_length();
    return tap_done();
}
