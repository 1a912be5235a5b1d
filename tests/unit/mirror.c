/* What shadow-probe --mirror decides without a network: how many packets may expire at a router,
 * and what becomes of a ladder or a train among others. */
#include "net/flight.h"
#include "net/router.h"
#include "unit/tap.h"

static const int64_t second = 1000000000, ms = 1000000;

static void gates(void)
{
    struct sdw_gate gate;
    int64_t sent[400], now = 0;
    size_t n = 0, most = 0;
    sdw_gate_init(&gate, 50);
    ok(sdw_gate_allows(&gate, 50, 0) && !sdw_gate_allows(&gate, 51, 0),
       "a fresh gate lets as many through as it ever does, and no more");
    for (; n < 400; now += ms / 3)
        if (sdw_gate_allows(&gate, 1, now)) {
            sdw_gate_take(&gate, 1, now);
            sent[n++] = now;
        }
    for (size_t i = 0, first = 0; i < n; i++) {
        while (sent[i] - sent[first] > second)
            first++;
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    ok((int64_t)most == 50, "however often it is asked, 50 pass in the busiest second");
    now += 2 * second;
    sdw_gate_take(&gate, 21, now);
    ok(sdw_gate_allows(&gate, 29, now) && !sdw_gate_allows(&gate, 30, now),
       "many that pass at once are many");
    ok(sdw_gate_used(&gate, now) == 21 && sdw_gate_used(&gate, now + 2 * second) == 0,
       "it tells how many did lately");
    sdw_gate_release(&gate);
}

static void routers(void)
{
    struct sdw_routers routers;
    struct sdw_address a = {0}, b = {0}, none = {0};
    ok(sdw_address_parse("192.0.2.1", 5, &a) && sdw_address_parse("2001:db8::1", 0, &b),
       "addresses");
    sdw_routers_init(&routers, 50, 1);
    struct sdw_router *router = sdw_routers_find(&routers, &a);
    ok(router && sdw_routers_find(&routers, &a) == router &&
           sdw_routers_find(&routers, &b) != router && !sdw_routers_find(&routers, &none),
       "a router is known by its address, and one that is silent is none");
    ok(sdw_router_open(NULL, 0, 0), "a silent hop may be asked");
    router->asked_ns = 0;
    ok(sdw_router_open(router, 0, ms), "a router that answers may be asked again at once");
    ok(sdw_router_open(router, 49, ms) && !sdw_router_open(router, 50, ms),
       "but not beside as many packets as it may get, which may be on their way");
    for (int i = 0; i < 10; i++)
        sdw_router_learn(router, i % 5 == 0);
    ok(router->limited && !sdw_router_open(router, 0, second) &&
           sdw_router_open(router, 0, 2 * second),
       "one that answers few questions is asked about once a second");
    for (int i = 0; i < 100; i++)
        sdw_router_learn(router, true);
    ok(router->limited, "and that it answers them then does not lift the limit");
    sdw_routers_release(&routers);
}

static const struct sdw_run_rules rules = {.base_round_ns = INT64_MAX,
                                           .base_one_way_ns = INT64_MAX,
                                           .settle_ns = 60000000,
                                           .late_ns = 100000};

/* Send what is due at now; returns how many. */
static int send_due(struct sdw_flight *flight, int64_t now)
{
    size_t number;
    int n = 0;
    while (sdw_flight_shot(flight, now, &number)) {
        sdw_flight_sent(flight, number, 1 + now, 40, now);
        n++;
    }
    return n;
}

static void ladders(void)
{
    struct sdw_flight flight = {0};
    struct sdw_rungs rungs = {.hops = 3, .wanted = {false, true, true, true}};
    struct sdw_answer answer = {.kind = SDW_ANSWER_EXPIRED};
    sdw_plan_ladder(&flight.plan, 0, &rungs);
    sdw_flight_begin(&flight, &rules, NULL, 0, 0);
    int64_t due = sdw_flight_due(&flight);
    ok(send_due(&flight, due - 1) == 0, "nothing is sent before its time");
    ok(send_due(&flight, due) == 3, "a ladder is sent at once");
    ok(!sdw_flight_done(&flight, flight.sent_ns + ms), "it waits for answers");
    answer.received_ns = due + 5 * ms;
    sdw_flight_answer(&flight, 0, &answer);
    sdw_flight_answer(&flight, 0, &(struct sdw_answer){.received_ns = due + 9 * ms});
    ok(flight.run.fates[0].received_ns == due + 5 * ms, "the first of two answers counts");
    sdw_flight_answer(&flight, 1, &answer);
    ok(!sdw_flight_done(&flight, flight.sent_ns + ms) &&
           sdw_flight_done(&flight, flight.sent_ns + 60 * ms),
       "one that is missing is waited for so long and no longer");
    sdw_flight_answer(&flight, 2, &answer);
    ok(sdw_flight_done(&flight, flight.sent_ns + ms), "with all of them it is over at once");
    sdw_flight_add(&flight, &(struct sdw_shot){.ttl = 4, .hop = 4}, due + ms);
    ok(!sdw_flight_done(&flight, due + 90 * ms) && send_due(&flight, due + ms) == 1,
       "a shot that is added goes out at once");
    sdw_flight_release(&flight);
}

/* A train over a path of this delay; returns load packets sent. With another clock at the far end
 * (0: it tells no time) the way there has all of the delay. */
static unsigned train(int64_t delay_ns, int64_t far_clock_ns, struct sdw_flight *flight)
{
    struct sdw_aim aim = sdw_aim(100e6);
    struct sdw_rungs rungs = {.hops = 2, .wanted = {false, true, true}};
    struct sdw_hover_limits limits = {.bytes = 100000,
                                      .most_bytes = 100000,
                                      .length_ns = 150 * ms,
                                      .abort_ns = 20 * ms,
                                      .ttl = 2};
    struct sdw_run_rules own = rules;
    own.base_round_ns = 0;
    own.base_one_way_ns = far_clock_ns ? far_clock_ns : INT64_MAX;
    own.trigger.abort_ns = 20 * ms;
    aim.available_bps = 5e6;
    struct sdw_hover hover = sdw_hover(&aim, &limits);
    sdw_plan_ladder(&flight->plan, 0, &rungs);
    sdw_flight_begin(flight, &own, &hover, 20, 0);
    int64_t now = 0;
    while (flight->next < flight->plan.n) {
        size_t number;
        now = sdw_flight_due(flight) > now ? sdw_flight_due(flight) : now;
        if (!sdw_flight_shot(flight, now, &number))
            continue;
        sdw_flight_sent(flight, number, 1 + now, 400, now);
        int64_t there_ns = 1 + now + delay_ns;
        struct sdw_answer answer = {.kind = SDW_ANSWER_EXPIRED, .received_ns = there_ns};
        if (far_clock_ns) { /* and the way back takes long */
            answer.far_received_ns = answer.far_sent_ns = there_ns + far_clock_ns;
            answer.received_ns += 40 * ms;
        }
        sdw_flight_answer(flight, number, &answer);
    }
    return flight->run.load_sent;
}

static void trains(void)
{
    struct sdw_flight calm = {0}, full = {0}, there = {0}, full_there = {0};
    ok(train(ms, 0, &calm) == 20, "a train has no more packets than may expire");
    ok(calm.plan.n == 22 && calm.plan.shots[20].hop == 1 && calm.plan.shots[21].hop == 2,
       "its ladder comes behind it");
    ok(train(30 * ms, 0, &full) < 8 && full.run.stop == SDW_STOP_ABORT,
       "where it would hurt it stops after a few packets");
    ok(!full.plan.shots[full.plan.n - 1].load && full.run.fates[full.plan.n - 1].sent_ns,
       "and its ladder is sent all the same");
    ok(train(ms, -7 * second, &there) == 20 && there.run.stop == SDW_STOP_NONE,
       "where the far end tells its time only the way there counts, whatever its clock says");
    ok(train(30 * ms, -7 * second, &full_there) < 8 && full_there.run.stop == SDW_STOP_ABORT,
       "and stops the load");
    sdw_flight_release(&calm);
    sdw_flight_release(&full);
    sdw_flight_release(&there);
    sdw_flight_release(&full_there);
}

int main(void)
{
    gates();
    routers();
    ladders();
    trains();
    return tap_done();
}
