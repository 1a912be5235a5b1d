#include "net/run.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/pace.h"

enum { BATCH = 64, SEND_TRIES = 20 };

/* What one slot's sending needs to hand around. */
struct job {
    struct sdw_run *run;
    struct sdw_plan *plan;
    struct sdw_hover *train;
    const struct sdw_run_rules *rules;
    struct sdw_trigger trigger;
    struct sdw_carrier *carrier;
    int64_t start_ns; /* monotonic */
    int64_t heard_ns; /* monotonic time of the last answer, or of the first load packet */
    int64_t awake_ns; /* when the loop was last seen running */
    bool in_train;
    size_t waiting; /* packets sent and not answered */
    struct sdw_err *err;
};

int64_t sdw_fate_round_ns(const struct sdw_shot_fate *fate)
{
    if (!fate->sent_ns || !fate->received_ns)
        return -1;
    int64_t held =
        fate->far_sent_ns && fate->far_received_ns ? fate->far_sent_ns - fate->far_received_ns : 0;
    int64_t round = fate->received_ns - fate->sent_ns;
    return held > 0 && held < round ? round - held : round;
}

int64_t sdw_fate_one_way_ns(const struct sdw_shot_fate *fate)
{
    return fate->sent_ns && fate->far_received_ns ? fate->far_received_ns - fate->sent_ns
                                                  : INT64_MIN;
}

int64_t sdw_fate_load_delay_ns(const struct sdw_shot_fate *fate, const struct sdw_run_rules *rules)
{
    int64_t one_way = sdw_fate_one_way_ns(fate);
    if (one_way != INT64_MIN && rules->base_one_way_ns != INT64_MAX)
        return one_way - rules->base_one_way_ns;
    int64_t round = sdw_fate_round_ns(fate);
    if (round >= 0 && rules->base_round_ns != INT64_MAX)
        return round - rules->base_round_ns;
    return -1;
}

static void note_stall(struct job *job, int64_t stall_ns)
{
    int64_t *longest = job->in_train ? &job->run->train_stall_ns : &job->run->stall_ns;
    if (stall_ns > *longest)
        *longest = stall_ns;
    if (stall_ns <= SDW_STALL_NS || job->in_train)
        return;
    int64_t now = sdw_wall_ns();
    if (job->run->n_stalls++ < SDW_RUN_STALLS)
        job->run->stalls[job->run->n_stalls - 1] = (struct sdw_run_stall){now - stall_ns, now};
}

static void take(struct job *job, const struct sdw_answer *answer)
{
    struct sdw_run *run = job->run;
    size_t i = (size_t)(answer->id - run->first_id);
    if (answer->id < run->first_id || i >= run->n || !run->fates[i].sent_ns) {
        run->stray++;
        return;
    }
    struct sdw_shot_fate *fate = &run->fates[i];
    if (fate->received_ns) /* duplicated on its way: the first one counts */
        return;
    fate->received_ns = answer->received_ns;
    fate->far_received_ns = answer->far_received_ns;
    fate->far_sent_ns = answer->far_sent_ns;
    fate->kind = (int)answer->kind;
    fate->far_ttl = answer->far_ttl;
    fate->icmp_type = answer->icmp_type;
    fate->icmp_code = answer->icmp_code;
    fate->from = answer->from;
    job->waiting--;
    job->heard_ns = sdw_mono_ns();
    int64_t lag = sdw_wall_ns() - answer->received_ns; /* the kernel had it, we did not run */
    note_stall(job, lag);
    if (!job->plan->shots[i].load)
        return;
    run->load_answered++;
    int64_t one_way = sdw_fate_one_way_ns(fate);
    if (job->train)
        sdw_hover_answer(job->train, job->plan->shots[i].ip_bytes,
                         one_way != INT64_MIN ? one_way : sdw_fate_round_ns(fate));
    int64_t delay = sdw_fate_load_delay_ns(fate, job->rules);
    if (delay < 0)
        return;
    enum sdw_stop stop = sdw_trigger_feed(&job->trigger, delay);
    if (stop != SDW_STOP_NONE)
        run->stop = stop;
}

static int drain(struct job *job)
{
    struct sdw_answer answers[BATCH];
    int n;
    do {
        n = job->carrier->ops->receive(job->carrier, answers, BATCH, job->err);
        for (int i = 0; i < n; i++)
            take(job, &answers[i]);
    } while (n == BATCH);
    return n < 0 ? n : 0;
}

/* Sleep until the monotonic time or an answer, whichever is first. */
static void nap(const struct job *job, int64_t until_ns)
{
    struct pollfd fds[3];
    nfds_t n = 0;
    for (size_t i = 0; i < SDW_LEN(job->carrier->fds); i++)
        if (job->carrier->fds[i] >= 0)
            fds[n++] = (struct pollfd){.fd = job->carrier->fds[i], .events = POLLIN};
    int64_t left = until_ns - sdw_mono_ns();
    if (left <= 0)
        return;
    struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    (void)ppoll(fds, n, &wait, NULL);
}

/* Note how long the host kept us away beyond what we asked for. */
static void awake(struct job *job, int64_t expected_ns)
{
    int64_t now = sdw_mono_ns();
    int64_t since = job->awake_ns > expected_ns ? job->awake_ns : expected_ns;
    note_stall(job, now - since);
    job->awake_ns = now;
}

/* Take answers until it is time to send. */
static int wait_for(struct job *job, int64_t at_ns)
{
    for (;;) {
        int code = drain(job);
        if (code < 0)
            return code;
        awake(job, 0);
        if (job->awake_ns >= at_ns - SDW_SPIN_NS)
            break;
        nap(job, at_ns - SDW_SPIN_NS);
        /* An early return is an answer; a late one means the host was away. */
        int64_t now = sdw_mono_ns();
        awake(job, now < at_ns - SDW_SPIN_NS ? now : at_ns - SDW_SPIN_NS);
    }
    while (sdw_mono_ns() < at_ns)
        ;
    awake(job, at_ns);
    return 0;
}

static int send_shot(struct job *job, size_t i)
{
    const struct sdw_shot *shot = &job->plan->shots[i];
    struct sdw_shot_fate *fate = &job->run->fates[i];
    struct sdw_probe_packet packet = {.id = job->run->first_id + (uint32_t)i,
                                      .ttl = shot->ttl,
                                      .dscp = job->rules->dscp,
                                      .ip_bytes = shot->ip_bytes,
                                      .short_reply = shot->load};
    int sent = SDW_EAGAIN;
    for (int tries = 0; sent == SDW_EAGAIN && tries < SEND_TRIES; tries++)
        sent = job->carrier->ops->send(job->carrier, &packet, &fate->sent_ns, job->err);
    if (sent < 0) {
        fate->sent_ns = 0;
        return sent == SDW_EAGAIN ? 0 : sent;
    }
    job->run->bytes += sent;
    job->waiting++;
    if (shot->load && job->run->load_sent++ == 0)
        job->heard_ns = sdw_mono_ns();
    return 0;
}

/* Whether the far end has said nothing for too long while it is being loaded. */
static bool silent(const struct job *job)
{
    if (!job->rules->silence_ns || !job->run->load_sent || !job->waiting)
        return false;
    int64_t round = job->rules->base_round_ns == INT64_MAX ? 0 : job->rules->base_round_ns;
    return sdw_mono_ns() - job->heard_ns > job->rules->silence_ns + round;
}

/* A packet later than half its gap is not sent at the rate it should be. */
static int64_t late_beyond(const struct job *job, size_t i)
{
    const struct sdw_shot *shots = job->plan->shots;
    int64_t half = i > 0 ? (shots[i].at_ns - shots[i - 1].at_ns) / 2 : 0;
    return half < job->rules->late_ns ? job->rules->late_ns : half;
}

/* Wait for the time of shot i, and send it unless the load has to stop. */
static int send_in_time(struct job *job, size_t i)
{
    struct sdw_run *run = job->run;
    const struct sdw_shot *shot = &job->plan->shots[i];
    int64_t due = job->start_ns + shot->at_ns;
    int code = wait_for(job, due);
    if (code < 0)
        return code;
    if (run->stop == SDW_STOP_NONE && silent(job))
        run->stop = SDW_STOP_SILENT;
    /* The ladders keep their times: sent at once they would all meet the queue of this moment. */
    if (run->stop != SDW_STOP_NONE && shot->load)
        return 0;
    int64_t late_ns = sdw_mono_ns() - due;
    code = send_shot(job, i);
    if (code < 0)
        return code;
    bool alone = i == 0 || job->plan->shots[i - 1].at_ns < shot->at_ns;
    run->late += alone && late_ns > SDW_LATE_NS;
    run->load_late += alone && shot->load && late_ns > late_beyond(job, i);
    run->duration_ns = sdw_mono_ns() - job->start_ns;
    return 0;
}

static struct sdw_shot_fate *add_fate(struct sdw_run *run)
{
    SDW_GROW(run->fates, run->cap, run->n + 1);
    run->fates[run->n] = (struct sdw_shot_fate){.kind = -1};
    return &run->fates[run->n++];
}

/* Send the train as it goes, after the shots that lead; the plan then has it behind them. */
static int send_train(struct job *job)
{
    struct sdw_plan tail = *job->plan;
    *job->plan = (struct sdw_plan){.ladders = tail.ladders, .lead = tail.lead};
    int64_t now_ns = 0;
    struct sdw_shot shot;
    int code = 0;
    for (size_t i = 0; i < tail.lead && code == 0; i++) {
        sdw_plan_add(job->plan, &tail.shots[i]);
        (void)add_fate(job->run);
        code = send_in_time(job, i);
        now_ns = sdw_mono_ns() - job->start_ns;
    }
    job->in_train = true;
    while (code == 0 && job->run->stop == SDW_STOP_NONE &&
           sdw_hover_next(job->train, now_ns, &shot)) {
        sdw_plan_add(job->plan, &shot);
        (void)add_fate(job->run);
        code = send_in_time(job, job->plan->n - 1);
        now_ns = sdw_mono_ns() - job->start_ns;
    }
    job->in_train = false;
    for (size_t i = tail.lead; i < tail.n; i++) {
        shot = tail.shots[i];
        shot.at_ns += now_ns;
        sdw_plan_add(job->plan, &shot);
    }
    sdw_plan_release(&tail);
    return code;
}

static int send_all(struct job *job)
{
    int code = job->train ? send_train(job) : 0;
    size_t first = job->run->n;
    while (job->run->n < job->plan->n)
        (void)add_fate(job->run);
    for (size_t i = first; i < job->plan->n && code == 0; i++)
        code = send_in_time(job, i);
    return code;
}

static int settle(struct job *job)
{
    int64_t until = sdw_mono_ns() + job->rules->settle_ns;
    for (;;) {
        int code = drain(job);
        if (code < 0 || job->waiting == 0 || sdw_mono_ns() >= until)
            return code;
        nap(job, until);
    }
}

int sdw_run(struct sdw_run *run, struct sdw_plan *plan, struct sdw_hover *train,
            const struct sdw_run_rules *rules, struct sdw_carrier *carrier, uint32_t *next_id,
            struct sdw_err *err)
{
    *run = (struct sdw_run){.fates = run->fates, .cap = run->cap, .first_id = *next_id};
    struct job job = {.run = run,
                      .plan = plan,
                      .train = train,
                      .rules = rules,
                      .trigger = rules->trigger,
                      .carrier = carrier,
                      .err = err};
    run->started_us = sdw_wall_us();
    job.start_ns = sdw_mono_ns() + SDW_SPIN_NS;
    job.awake_ns = job.start_ns - SDW_SPIN_NS;
    int code = send_all(&job);
    *next_id += (uint32_t)run->n;
    return code < 0 ? code : settle(&job);
}

/* What was late is sent at once, and takes about as long to leave the queues as it was late. */
static bool stalled(const struct sdw_run *run, const struct sdw_shot_fate *fate)
{
    size_t n = run->n_stalls < SDW_RUN_STALLS ? run->n_stalls : SDW_RUN_STALLS;
    for (size_t i = 0; i < n; i++) {
        const struct sdw_run_stall *stall = &run->stalls[i];
        if (fate->received_ns && fate->received_ns > stall->from_ns &&
            fate->sent_ns < stall->to_ns + (stall->to_ns - stall->from_ns))
            return true;
    }
    return false;
}

void sdw_run_forget_stalled(struct sdw_run *run, const struct sdw_plan *plan)
{
    for (size_t i = 0; i < run->n; i++) {
        if (plan->shots[i].load || !run->fates[i].sent_ns || !stalled(run, &run->fates[i]))
            continue;
        for (size_t j = 0; j < run->n; j++)
            if (!plan->shots[j].load && plan->shots[j].ladder == plan->shots[i].ladder)
                run->fates[j].sent_ns = 0;
    }
}

void sdw_run_release(struct sdw_run *run)
{
    free(run->fates);
    *run = (struct sdw_run){0};
}
