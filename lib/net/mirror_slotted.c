#include "net/mirror_book.h"

#include "net/pace.h"

#define SECOND_NS INT64_C(1000000000)

enum {
    SILENT_MOST = 5,     /* slots without any answer, after which the path is gone */
    SILENT_LIMITED = 15, /* the same where all routers asked limit their answers */
    STRANGERS_MOST = 2,  /* flows that went the path and do no more, after which none does */
};

static const int64_t hold_first_ns = 10 * SECOND_NS, hold_most_ns = 640 * SECOND_NS;

static const char *why_void(const struct sdw_run *run, bool same_path)
{
    if (!same_path)
        return "path change";
    if (run->stall_ns > SDW_STALL_NS || run->train_stall_ns > SDW_TRAIN_STALL_NS)
        return "host stalled";
    return run->load_late * 10 > run->load_sent ? "late" : NULL;
}

/* What the train found, and whether the next has to wait: it met a long queue, or half of it was
 * not answered. */
static const char *learn_train(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                               struct sdw_mirror_flight *f, int64_t now_ns)
{
    const struct sdw_run *run = &f->flight.run;
    struct sdw_run_load load = sdw_run_load(&f->flight.plan, run, 0);
    bool abort = run->stop == SDW_STOP_ABORT || f->flight.train.queue_ns > SDW_MIRROR_ABORT_NS;
    bool silent = run->load_answered * 2 < run->load_sent;
    if (run->load_answered)
        sdw_aim_feed(&path->aim, load.sent_ns, load.ip_bytes, load.delay_ns, load.n);
    sdw_run_load_release(&load);
    mirror->counts.aborts += abort;
    if (!abort && !silent) {
        path->hold_for_ns = 0;
        return f->flight.train.turned ? "trigger" : NULL;
    }
    path->hold_for_ns = path->hold_for_ns ? path->hold_for_ns * 2 : hold_first_ns;
    if (path->hold_for_ns > hold_most_ns)
        path->hold_for_ns = hold_most_ns;
    path->hold_ns = now_ns + path->hold_for_ns;
    return abort ? "abort" : "silent";
}

/* Markers that were answered; tells the routers. *limited: how many of those asked limit answers.
 */
static unsigned count_answers(struct sdw_mirror_path *path, const struct sdw_mirror_flight *f,
                              unsigned *limited)
{
    unsigned answered = 0;
    for (size_t i = 0; i < f->flight.plan.n; i++) {
        const struct sdw_shot *shot = &f->flight.plan.shots[i];
        const struct sdw_shot_fate *fate = &f->flight.run.fates[i];
        struct sdw_router *router = shot->load ? NULL : path->router[shot->hop];
        answered += fate->kind >= 0;
        if (!router || !fate->sent_ns)
            continue;
        sdw_router_learn(router, fate->kind >= 0);
        *limited += router->limited;
    }
    return answered;
}

static unsigned asked_hops(const struct sdw_rungs *rungs)
{
    unsigned n = 0;
    for (unsigned hop = 1; hop <= rungs->hops; hop++)
        n += rungs->wanted[hop];
    return n;
}

int sdw_mirror_share(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                     const struct sdw_shadow *carrier)
{
    int code = 0;
    struct sdw_slot_about about = path->last.about;
    about.shared = about.mute = true;
    about.rungs = &path->last.rungs;
    for (struct sdw_shadow *s = path->unserved ? path->shadows.first : NULL; s && code == 0;
         s = s->after) {
        if (s->served)
            continue;
        s->served = true;
        path->unserved--;
        about.flow_id = s->flow_id;
        if (s != carrier)
            code = sdw_slot_put(&about, &path->route, &path->last.plan, &path->last.run,
                                &mirror->config.sink, &mirror->scratch);
    }
    return code;
}

/* Keep the slot for flows that come. */
static void keep(struct sdw_mirror_path *path, struct sdw_mirror_flight *f,
                 const struct sdw_slot_about *about)
{
    struct sdw_plan plan = path->last.plan;
    struct sdw_run run = path->last.run;
    path->last.known = true;
    path->last.begun_ns = f->flight.start_ns;
    path->last.about = *about;
    path->last.rungs = f->rungs;
    path->last.plan = f->flight.plan;
    path->last.run = f->flight.run;
    f->flight.plan = plan;
    f->flight.run = run;
}

/* The carrier has gone the path, and is the last to go again. */
static void verify(struct sdw_mirror_path *path, struct sdw_shadow *carrier)
{
    path->unverified -= !carrier->verified;
    carrier->verified = true;
    sdw_shadow_unlist(&path->shadows, carrier);
    sdw_shadow_last(&path->shadows, carrier);
}

/* The path is gone, or flows that went it go another way: they are traced anew, one of each
 * destination first. */
static void leave(struct sdw_mirror *mirror, struct sdw_shadow *shadow)
{
    sdw_mirror_goal(mirror, &shadow->tuple, true)->path = NULL;
    sdw_mirror_detach(mirror, shadow);
}

/* A flow that was only thought to go the path goes another: its destination has more than one, and
 * the others to it that have not been seen to go this one are traced too. */
static void branch(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                   const struct sdw_mirror_tuple *tuple)
{
    struct sdw_shadow *next;
    sdw_mirror_goal(mirror, tuple, true)->several = true;
    for (struct sdw_shadow *s = path->shadows.first; s; s = next) {
        next = s->after;
        if (!s->verified && sdw_mirror_same_goal(&s->tuple, tuple))
            sdw_mirror_detach(mirror, s);
    }
}

/* After a slot that did not come back as it should; gone: nothing has for long. */
static void stray(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                  struct sdw_mirror_flight *f, struct sdw_shadow *carrier, bool gone)
{
    if (gone || path->strangers >= STRANGERS_MOST) {
        while (path->shadows.first)
            leave(mirror, path->shadows.first);
        path->silent = path->strangers = 0;
    } else if (carrier && carrier->verified) {
        leave(mirror, carrier);
    } else if (carrier) {
        branch(mirror, path, &f->tuple);
    }
}

static int put_slot(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                    struct sdw_mirror_flight *f, const char *voided, const char *ended)
{
    struct sdw_slot_about about = {
        .window = path->windows,
        .slot = f->ticket.slot,
        .pair = f->ticket.pair,
        .schedule = "chirp",
        .on = f->ticket.on,
        .voided = voided != NULL,
        .target_bps = f->target_bps,
        .chirp_base_ns = path->chirp_base_ns,
        .reason = voided ? voided : ended,
        .flow_id = f->flow_id,
        .rungs = &f->rungs,
    };
    mirror->counts.slots++;
    mirror->counts.void_slots += about.voided;
    int code = sdw_slot_put(&about, &path->route, &f->flight.plan, &f->flight.run,
                            &mirror->config.sink, &mirror->scratch);
    if (code < 0 || voided)
        return code;
    keep(path, f, &about);
    return sdw_mirror_share(mirror, path, f->shadow);
}

int sdw_mirror_slotted(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    struct sdw_mirror_path *path = f->path;
    const struct sdw_run *run = &f->flight.run;
    struct sdw_shadow *carrier = f->shadow && f->shadow->path == path ? f->shadow : NULL;
    const char *ended = NULL;
    path->flights--;
    if (f->flight.with_train)
        mirror->train = false;
    bool same = sdw_route_learn(&path->route, &f->flight.plan, run);
    unsigned limited = 0, answered = count_answers(path, f, &limited);
    unsigned silent_most = limited == asked_hops(&f->rungs) ? SILENT_LIMITED : SILENT_MOST;
    path->silent = answered ? 0 : path->silent + 1;
    if (same || (carrier && carrier->verified))
        path->strangers = same ? 0 : path->strangers + 1;
    if (f->flight.with_train && same)
        ended = learn_train(mirror, path, f, now_ns);
    int code = put_slot(mirror, path, f, why_void(run, same), ended);
    if (carrier && answered && same)
        verify(path, carrier);
    if (!same || path->silent >= silent_most)
        stray(mirror, path, f, carrier, path->silent >= silent_most);
    sdw_mirror_hasten(path, now_ns);
    mirror->launch_ns = 0;
    return code;
}
