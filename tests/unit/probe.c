/* What shadow-probe decides without a network: plans, windows, budgets, guards, aim and hover. */
#include "core/rng.h"
#include "net/budget.h"
#include "net/hover.h"
#include "net/lockin.h"
#include "net/trigger.h"
#include "net/window.h"
#include "unit/tap.h"

#include <math.h>
#include <stdlib.h>

static const int64_t second = 1000000000, ms = 1000000;

static struct sdw_rungs all_of(unsigned hops)
{
    struct sdw_rungs rungs = {.hops = hops};
    for (unsigned hop = 1; hop <= hops; hop++)
        rungs.wanted[hop] = true;
    return rungs;
}

static void plans(void)
{
    struct sdw_plan plan = {0};
    struct sdw_rungs rungs = all_of(4);
    rungs.wanted[2] = false;
    sdw_plan_ladder(&plan, 5, &rungs);
    ok(plan.n == 3 && plan.shots[0].ttl == 1 && plan.shots[1].ttl == 3 &&
           plan.shots[2].ttl == SDW_TTL_FAR && plan.shots[2].hop == 4,
       "a ladder asks the wanted hops in rising order, the last with the far end's TTL");
    sdw_plan_clear(&plan);
    sdw_plan_train(&plan, 0, 10, 500, &rungs);
    ok(plan.n == 16 && plan.shots[3].load && plan.shots[13].hop == 4 && plan.shots[15].hop == 1,
       "a recursive train has its load between a rising and a falling ladder");
    sdw_plan_clear(&plan);
    sdw_plan_constant(&plan, 0, second, 8e6, 1000, SDW_TTL_FAR);
    ok(plan.n == 1000 && plan.shots[999].at_ns == 999 * ms, "a constant rate is evenly spaced");
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 1);
    sdw_plan_clear(&plan);
    sdw_plan_poisson(&plan, 0, 10 * second, 8e6, 1000, SDW_TTL_FAR, &rng);
    is_near((double)plan.n, 10000, 400, "a Poisson process has the rate asked for");
    sdw_plan_ladder(&plan, 3 * second, &rungs);
    sdw_plan_sort(&plan);
    bool ordered = true;
    for (size_t i = 1; i < plan.n; i++)
        ordered = ordered && plan.shots[i].at_ns >= plan.shots[i - 1].at_ns;
    ok(ordered, "sorted shots are in the order of their times");
    sdw_plan_release(&plan);
}

/* Whether each pair has one on and one off slot. */
static bool balanced(enum sdw_window_kind kind, unsigned pairs, uint64_t seed, unsigned *limited)
{
    struct sdw_window window;
    struct sdw_rng rng;
    struct sdw_ticket ticket;
    int sum[SDW_PAIRS_MAX] = {0}, seen[SDW_PAIRS_MAX] = {0};
    sdw_rng_seed(&rng, seed);
    sdw_window_begin(&window, kind, pairs, 3, &rng);
    *limited = 0;
    while (sdw_window_next(&window, &ticket)) {
        sum[ticket.pair] += ticket.on ? 1 : -1;
        seen[ticket.pair]++;
        *limited += ticket.limited;
    }
    bool good = true;
    for (unsigned i = 0; i < pairs; i++)
        good = good && seen[i] == 2 && sum[i] == 0;
    return good;
}

static void windows(void)
{
    unsigned limited;
    ok(balanced(SDW_WINDOW_PLAIN, 30, 1, &limited) && limited == 60,
       "each pair of a window has one on and one off slot");
    ok(balanced(SDW_WINDOW_LIMITED, 30, 2, &limited) && limited == 20,
       "a third of the slots ask the routers that limit ICMP, and they are pairs of their own");
    ok(balanced(SDW_WINDOW_SCOPED, 30, 3, &limited), "scoped pairs are balanced too");
    struct sdw_window window;
    struct sdw_rng rng;
    struct sdw_ticket ticket;
    sdw_rng_seed(&rng, 4);
    sdw_window_begin(&window, SDW_WINDOW_SCOPED, 6, 3, &rng);
    unsigned hops[6];
    for (int i = 0; i < 12 && sdw_window_next(&window, &ticket); i++)
        hops[ticket.pair] = ticket.load_hop;
    ok(hops[0] == 1 && hops[1] == 2 && hops[2] == 0 && hops[3] == 1,
       "scoped load dies at one hop after the other, at last at the far end");
    sdw_window_begin(&window, SDW_WINDOW_PLAIN, 10, 3, &rng);
    unsigned slots = 0;
    while (sdw_window_next(&window, &ticket)) {
        slots++;
        sdw_window_extend(&window);
    }
    ok(slots == 22, "void slots make a window a little longer, not endless");
    int first[2] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        sdw_rng_seed(&rng, seed);
        sdw_window_begin(&window, SDW_WINDOW_PLAIN, 4, 3, &rng);
        (void)sdw_window_next(&window, &ticket);
        first[ticket.on]++;
    }
    ok(first[0] > 70 && first[1] > 70, "which slot of a pair comes first is drawn by lot");
}

static void budgets(void)
{
    struct sdw_budget budget = sdw_budget_rate(8e6, 0, 0);
    ok(sdw_budget_wait_ns(&budget, 1000000, 0) == 0, "two seconds' worth may be sent at once");
    sdw_budget_spend(&budget, 2000000, 0);
    is_near((double)sdw_budget_wait_ns(&budget, 500000, 0) / 1e9, 0.5, 0.01,
            "then it waits for the bytes to come in");
    int64_t sent = 0, now = 0;
    while (now < 100 * second) {
        int64_t wait = sdw_budget_wait_ns(&budget, 30000, now);
        now += wait > ms ? wait : ms;
        if (wait == 0) {
            sdw_budget_spend(&budget, 30000, now);
            sent += 30000;
        }
    }
    ok(sent <= 100 * 1000000, "the mean rate is kept over a long time");
    budget = sdw_budget_rate(8e6, 100000, 0);
    sdw_budget_promise(&budget, 90000);
    ok(sdw_budget_wait_ns(&budget, 20000, 0) == INT64_MAX, "what is promised counts to the total");
    sdw_budget_promise(&budget, -90000);
    budget.total_bytes = 0;
    size_t begun = 0;
    for (; begun < 5000 && sdw_budget_wait_ns(&budget, 1000, 0) == 0; begun++)
        sdw_budget_promise(&budget, 1000);
    ok(begun == 2000, "what begins at one time has together no more than one would have");
    budget = sdw_budget_rate(8e6, 100000, 0);
    sdw_budget_spend(&budget, 90000, 0);
    ok(sdw_budget_wait_ns(&budget, 20000, second) == INT64_MAX, "a total is a total");

    budget = sdw_budget_share(0.01, 0, 0);
    ok(sdw_budget_wait_ns(&budget, 10000, 0) > 0, "no share before live traffic was counted");
    uint64_t live = 5000;
    sent = 0;
    for (now = 0; now < 60 * second; now += 100 * ms) {
        live += 100000;
        if (now % second == 0)
            sdw_budget_live(&budget, live, now);
        if (sdw_budget_wait_ns(&budget, 12000, now) == 0) {
            sdw_budget_spend(&budget, 12000, now);
            sent += 12000;
            live += 12000;
        }
    }
    is_near((double)sent / 60e6, 0.0087, 0.0009,
            "a share is a share of the live bytes, not our own");

    budget = sdw_budget_share(0.01, 0, 0);
    budget.paths = 2;
    ok(budget.credit == 0, "nothing is lent for a first look before live traffic was counted");
    sdw_budget_live(&budget, 0, second);
    sdw_budget_live(&budget, 100000, 2 * second);
    is_near(budget.credit, 2 * 0.85 * 10000, 1, "each path is lent ten seconds of the share");
    double lent = budget.credit;
    sdw_budget_spend(&budget, 5000, 2 * second);
    is_near(budget.credit, lent - 5000, 1, "what is lent is spent first");
    sdw_budget_live(&budget, 205000, 3 * second);
    is_near(budget.credit, lent - 5000, 1, "and is not lent again");
    sdw_budget_live(&budget, 1000000000, 4 * second);
    is_near(budget.lent, 2 * SDW_FIRST_LOOK_BYTES, 1, "rising live traffic lends more, to a limit");
    sdw_budget_live(&budget, 10, 61 * second);
    ok(budget.live_bytes_per_s > 0, "a counter that starts over does not turn the budget around");
}

static void counters(void)
{
    static const char table[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo:    1000      10    0    0    0     0          0         0     2000      10    0\n"
        "to-r1: 77 1 0 0 0 0 0 0 123456 9 0 0 0 0 0 0\n"
        "cut: 77 1 0";
    uint64_t bytes = 0;
    ok(sdw_live_bytes_of(sdw_str_of(table), sdw_str_of("to-r1"), &bytes) &&
           bytes == 123456 - 9 * 14,
       "the IP bytes that an interface has sent are read");
    ok(sdw_live_bytes_of(sdw_str_of(table), sdw_str_of("lo"), &bytes) && bytes == 2000 - 140,
       "also where the columns are padded");
    ok(!sdw_live_bytes_of(sdw_str_of(table), sdw_str_of("r1"), &bytes) &&
           !sdw_live_bytes_of(sdw_str_of(table), sdw_str_of("cut"), &bytes),
       "an interface that is not there, or cut off, has none");
}

static void guard(void)
{
    struct sdw_trigger trigger = {.abort_ns = 20 * ms};
    enum sdw_stop stop = SDW_STOP_NONE;
    for (int i = 0; i < 100; i++)
        stop = sdw_trigger_feed(&trigger, i % 25 == 0 ? 30 * ms : ms);
    ok(stop == SDW_STOP_NONE, "a few late packets in a hundred do not stop the load");
    for (int i = 0; i < 5 && stop == SDW_STOP_NONE; i++)
        stop = sdw_trigger_feed(&trigger, 30 * ms);
    ok(stop == SDW_STOP_ABORT, "a 95th percentile above the guard does");
}

/* A link of `capacity` bit/s with cross traffic as a fluid; round trip without queue. */
struct link {
    double capacity_bps, cross_bps;
    int64_t round_ns;
    double backlog_bits;
    int64_t at_ns;
};

static int64_t through(struct link *link, int64_t now_ns, uint16_t ip_bytes)
{
    double passed = (link->capacity_bps - link->cross_bps) * (double)(now_ns - link->at_ns) / 1e9;
    link->backlog_bits = fmax(0, link->backlog_bits - passed) + ip_bytes * 8.0;
    link->at_ns = now_ns;
    return (int64_t)(link->backlog_bits / link->capacity_bps * 1e9) + 7 * ms;
}

/* Send one train over the link; returns the largest delay above an empty link. */
static int64_t send_train(struct sdw_aim *aim, struct link *link, int64_t bytes, int64_t *now_ns)
{
    static int64_t sent[2000], delay[2000];
    static uint16_t size[2000];
    struct sdw_hover_limits limits = {.bytes = bytes,
                                      .most_bytes = 2 * bytes,
                                      .length_ns = 150 * ms,
                                      .abort_ns = 20 * ms,
                                      .round_ns = link->round_ns,
                                      .ttl = SDW_TTL_FAR};
    struct sdw_hover hover = sdw_hover(aim, &limits);
    struct sdw_shot shot;
    size_t n = 0, told = 0;
    int64_t worst = 0;
    while (n < 2000 && sdw_hover_next(&hover, *now_ns, &shot)) {
        *now_ns = shot.at_ns;
        while (told < n && sent[told] + link->round_ns + delay[told] - 7 * ms <= *now_ns) {
            sdw_hover_answer(&hover, size[told], delay[told]);
            told++;
        }
        sent[n] = *now_ns;
        size[n] = shot.ip_bytes;
        delay[n] = through(link, *now_ns, shot.ip_bytes);
        worst = delay[n] > worst ? delay[n] : worst;
        n++;
    }
    if (hover.first)
        sdw_aim_first(aim, hover.rate_bps, sent, size, delay, n);
    else
        sdw_aim_feed(aim, sent, size, delay, n);
    return worst - 7 * ms;
}

static void follows(double capacity, double cross, int64_t round_ns, int64_t bytes,
                    const char *what)
{
    struct sdw_aim aim = sdw_aim(100e6);
    struct link link = {.capacity_bps = capacity, .cross_bps = cross, .round_ns = round_ns};
    int64_t now = 0, worst = 0;
    for (int i = 0; i < 30; i++) {
        int64_t delay = send_train(&aim, &link, bytes, &now);
        worst = i > 4 && delay > worst ? delay : worst;
        now += 200 * ms;
    }
    is_near(aim.available_bps / (capacity - cross), 1, 0.1, "%s", what);
    ok(worst < 12 * ms, "and the queue it keeps there is small (%lld us)", (long long)worst / 1000);
}

static void hovers(void)
{
    follows(20e6, 10e6, ms / 2, 50000, "trains find what a link has left");
    follows(5e6, 1e6, ms / 2, 50000, "also on a slow link");
    follows(50e6, 35e6, ms / 2, 50000, "and on a fast one");
    follows(20e6, 10e6, 20 * ms, 50000, "and with late feedback");
    follows(20e6, 8e6, ms / 2, 9600, "and with few bytes");

    struct sdw_aim aim = sdw_aim(100e6);
    struct link link = {.capacity_bps = 1e12, .round_ns = ms / 2};
    int64_t now = 0;
    for (int i = 0; i < 40; i++) {
        (void)send_train(&aim, &link, 50000, &now);
        now += 200 * ms;
    }
    is_near(aim.available_bps, 100e6, 1, "without any bottleneck it goes up to the highest rate");

    aim = sdw_aim(100e6);
    link = (struct link){.capacity_bps = 20e6, .cross_bps = 5e6, .round_ns = ms / 2};
    for (int i = 0; i < 20; i++, now += 200 * ms)
        (void)send_train(&aim, &link, 50000, &now);
    link.cross_bps = 16e6;
    bool urgent = false;
    for (int i = 0; i < 3; i++, now += 200 * ms) {
        (void)send_train(&aim, &link, 50000, &now);
        urgent = urgent || sdw_aim_urgent(&aim);
    }
    ok(urgent, "a sudden fall is urgent");
}

static void trains_end(void)
{
    struct sdw_aim aim = sdw_aim(100e6);
    aim.available_bps = 10e6;
    aim.capacity_bps = 20e6;
    struct sdw_hover_limits limits = {
        .bytes = 50000, .most_bytes = 50000, .length_ns = 150 * ms, .abort_ns = 20 * ms, .ttl = 3};
    struct sdw_hover hover = sdw_hover(&aim, &limits);
    struct sdw_shot shot;
    ok(sdw_hover_next(&hover, 0, &shot) && shot.ttl == 3 && shot.load,
       "the packets of a train carry its TTL");
    sdw_hover_answer(&hover, shot.ip_bytes, ms);
    sdw_hover_answer(&hover, shot.ip_bytes, 22 * ms);
    ok(!sdw_hover_next(&hover, ms, &shot), "a train ends at once when delay hurts");
    hover = sdw_hover(&aim, &limits);
    int64_t now = 0, bytes = 0;
    while (sdw_hover_next(&hover, now, &shot)) {
        now = shot.at_ns;
        bytes += shot.ip_bytes;
    }
    ok(bytes <= 51200 && bytes > 48000 && now < 60 * ms,
       "without feedback it ends when its bytes are spent");
    aim.max_bps = 2e6;
    hover = sdw_hover(&aim, &limits);
    double fastest = 0;
    for (now = bytes = 0; sdw_hover_next(&hover, now, &shot); bytes += shot.ip_bytes) {
        now = shot.at_ns;
        if (now > 0)
            fastest = fmax(fastest, (double)bytes * 8e9 / (double)now);
    }
    ok(fastest > 1e6 && fastest <= 2e6 * 1.3, "its mean stays below the highest rate allowed");
}

/* Load that dies at a router is answered by it, should it answer at all. */
static void deaf_trains(void)
{
    struct sdw_aim aim = sdw_aim(100e6);
    aim.available_bps = 10e6;
    aim.capacity_bps = 20e6;
    struct sdw_hover_limits limits = {.bytes = 20000,
                                      .most_bytes = 50000,
                                      .length_ns = 150 * ms,
                                      .abort_ns = 20 * ms,
                                      .ttl = 3,
                                      .deaf = true};
    struct sdw_hover hover = sdw_hover(&aim, &limits);
    struct sdw_shot shot;
    int64_t now = 0, bytes = 0;
    while (sdw_hover_next(&hover, now, &shot)) {
        now = shot.at_ns;
        bytes += shot.ip_bytes;
        sdw_hover_answer(&hover, shot.ip_bytes, ms / 20);
    }
    ok(bytes >= 20000 && bytes < 22000, "a deaf train spends its bytes and no more");
    ok((double)bytes * 8e9 / (double)now > 2 * aim.available_bps,
       "and is well above what is available");
    bool untouched = true;
    for (size_t i = 0; i < SDW_AIM_SIZES; i++)
        untouched = untouched && aim.base_ns[i] == INT64_MAX;
    ok(untouched, "a router's answers do not become the base of the far end's");
}

int main(void)
{
    deaf_trains();
    plans();
    windows();
    budgets();
    counters();
    guard();
    hovers();
    trains_end();
    return tap_done();
}
