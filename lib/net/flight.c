#include "net/flight.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/pace.h"

void sdw_flight_release(struct sdw_flight *flight)
{
    sdw_plan_release(&flight->plan);
    sdw_plan_release(&flight->tail);
    sdw_run_release(&flight->run);
    *flight = (struct sdw_flight){0};
}

static void add_fates(struct sdw_flight *flight)
{
    struct sdw_run *run = &flight->run;
    while (run->n < flight->plan.n) {
        SDW_GROW(run->fates, run->cap, run->n + 1);
        run->fates[run->n++] = (struct sdw_shot_fate){.kind = -1};
    }
}

/* Put the train's next packet into the plan, or after its end what follows it. */
static void extend_train(struct sdw_flight *flight)
{
    struct sdw_shot shot;
    int64_t now_ns = flight->sent_ns - flight->start_ns;
    if (flight->run.stop == SDW_STOP_NONE && flight->plan.n < flight->most_load &&
        sdw_hover_next(&flight->train, now_ns, &shot)) {
        sdw_plan_add(&flight->plan, &shot);
    } else {
        flight->in_train = false;
        for (size_t i = 0; i < flight->tail.n; i++) {
            shot = flight->tail.shots[i];
            shot.at_ns += now_ns;
            sdw_plan_add(&flight->plan, &shot);
        }
        flight->plan.ladders = flight->tail.ladders;
    }
    add_fates(flight);
}

void sdw_flight_begin(struct sdw_flight *flight, const struct sdw_run_rules *rules,
                      const struct sdw_hover *train, unsigned most_load, int64_t now_ns)
{
    flight->rules = *rules;
    flight->start_ns = flight->sent_ns = now_ns + SDW_SPIN_NS;
    flight->run = (struct sdw_run){
        .fates = flight->run.fates, .cap = flight->run.cap, .started_us = sdw_wall_us()};
    flight->next = flight->waiting = 0;
    flight->with_train = flight->in_train = train != NULL;
    if (train) {
        struct sdw_plan empty = flight->tail;
        flight->tail = flight->plan;
        flight->plan = empty;
        sdw_plan_clear(&flight->plan);
        flight->train = *train;
        flight->most_load = most_load;
        extend_train(flight);
    }
    add_fates(flight);
}

int64_t sdw_flight_due(const struct sdw_flight *flight)
{
    if (flight->next < flight->plan.n)
        return flight->start_ns + flight->plan.shots[flight->next].at_ns;
    return flight->waiting ? flight->sent_ns + flight->rules.settle_ns : 0;
}

const struct sdw_shot *sdw_flight_shot(struct sdw_flight *flight, int64_t now_ns, size_t *number)
{
    while (flight->next < flight->plan.n) {
        const struct sdw_shot *shot = &flight->plan.shots[flight->next];
        if (flight->start_ns + shot->at_ns > now_ns)
            return NULL;
        *number = flight->next++;
        if (!shot->load || flight->run.stop == SDW_STOP_NONE)
            return shot;
        extend_train(flight); /* the load has to stop: what follows it comes now */
    }
    return NULL;
}

void sdw_flight_sent(struct sdw_flight *flight, size_t number, int64_t wall_ns, int64_t bytes,
                     int64_t now_ns)
{
    struct sdw_run *run = &flight->run;
    const struct sdw_shot *shot = &flight->plan.shots[number];
    int64_t late_ns = now_ns - flight->start_ns - shot->at_ns;
    bool alone = number == 0 || flight->plan.shots[number - 1].at_ns < shot->at_ns;
    if (bytes > 0) {
        run->fates[number].sent_ns = wall_ns;
        run->bytes += bytes;
        run->load_sent += shot->load;
        run->late += alone && late_ns > SDW_LATE_NS;
        run->load_late += alone && shot->load && late_ns > flight->rules.late_ns;
        flight->waiting++;
    }
    flight->sent_ns = now_ns;
    run->duration_ns = now_ns - flight->start_ns;
    if (flight->in_train && flight->next == flight->plan.n)
        extend_train(flight);
}

void sdw_flight_add(struct sdw_flight *flight, const struct sdw_shot *shot, int64_t now_ns)
{
    struct sdw_shot own = *shot;
    own.at_ns = now_ns - flight->start_ns;
    sdw_plan_add(&flight->plan, &own);
    add_fates(flight);
}

/* Delay of a load packet above its base, which the guard is told of. */
static void guard(struct sdw_flight *flight, const struct sdw_shot_fate *fate)
{
    int64_t delay = sdw_fate_load_delay_ns(fate, &flight->rules);
    if (delay < 0)
        return;
    enum sdw_stop stop = sdw_trigger_feed(&flight->rules.trigger, delay);
    if (stop != SDW_STOP_NONE)
        flight->run.stop = stop;
}

void sdw_flight_answer(struct sdw_flight *flight, size_t number, const struct sdw_answer *answer)
{
    struct sdw_shot_fate *fate = &flight->run.fates[number];
    const struct sdw_shot *shot = &flight->plan.shots[number];
    if (!fate->sent_ns || fate->received_ns) /* duplicated on its way: the first one counts */
        return;
    fate->received_ns = answer->received_ns;
    fate->far_received_ns = answer->far_received_ns;
    fate->far_sent_ns = answer->far_sent_ns;
    fate->far_ttl = answer->far_ttl;
    fate->kind = (int)answer->kind;
    fate->icmp_type = answer->icmp_type;
    fate->icmp_code = answer->icmp_code;
    fate->from = answer->from;
    flight->waiting--;
    if (!shot->load)
        return;
    flight->run.load_answered++;
    int64_t one_way = sdw_fate_one_way_ns(fate);
    if (flight->with_train)
        sdw_hover_answer(&flight->train, shot->ip_bytes,
                         one_way != INT64_MIN ? one_way : sdw_fate_round_ns(fate));
    guard(flight, fate);
}

void sdw_flight_stall(struct sdw_flight *flight, int64_t stall_ns)
{
    int64_t *longest = flight->in_train ? &flight->run.train_stall_ns : &flight->run.stall_ns;
    if (stall_ns > *longest)
        *longest = stall_ns;
}

bool sdw_flight_done(const struct sdw_flight *flight, int64_t now_ns)
{
    if (flight->next < flight->plan.n)
        return false;
    return flight->waiting == 0 || now_ns >= flight->sent_ns + flight->rules.settle_ns;
}
