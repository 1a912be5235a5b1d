#include "net/mirror.h"

#include <stdlib.h>

#include "core/rng.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/mirror_book.h"

#define SECOND_NS INT64_C(1000000000)

enum { LOOK_NS = 5000000, ANSWERS = 256 };

struct sdw_mirror *sdw_mirror_new(const struct sdw_mirror_config *config, struct sdw_err *err)
{
    struct sdw_mirror_wire *wire = sdw_mirror_wire_new(config->mark, err);
    if (!wire)
        return NULL;
    struct sdw_mirror *mirror = sdw_xalloc(sizeof *mirror);
    mirror->config = *config;
    mirror->wire = wire;
    if (config->tunnel)
        mirror->inside =
            sdw_mirror_inside_new(config->tunnel, sdw_mirror_wire_fd(mirror->wire), err);
    mirror->appmap = sdw_appmap_new();
    sdw_map_init(&mirror->shadows, sdw_rng_secret());
    sdw_map_init(&mirror->goals, sdw_rng_secret());
    sdw_map_init(&mirror->sensitivities, sdw_rng_secret());
    sdw_map_init(&mirror->labels, sdw_rng_secret());
    sdw_routers_init(&mirror->routers, (size_t)config->ttl_rate, sdw_rng_secret());
    sdw_gate_init(&mirror->ladders, (size_t)config->ttl_rate);
    sdw_gate_init(&mirror->traced, (size_t)config->ttl_rate);
    sdw_rng_seed(&mirror->rng, config->seed);
    mirror->care_ns = sdw_mono_ns() + SECOND_NS;
    if (!config->tunnel || mirror->inside)
        return mirror;
    sdw_mirror_free(mirror);
    return NULL;
}

static void free_shadows(struct sdw_mirror *mirror)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&mirror->shadows, &cursor, &key, &value)) {
        struct sdw_shadow *shadow = value;
        free(shadow->inside);
        free(shadow);
    }
    sdw_map_release(&mirror->shadows);
}

void sdw_mirror_free(struct sdw_mirror *mirror)
{
    if (!mirror)
        return;
    free_shadows(mirror);
    sdw_mirror_forget_goals(mirror);
    sdw_map_release(&mirror->goals);
    sdw_map_release(&mirror->sensitivities);
    sdw_map_release(&mirror->labels);
    for (size_t i = 0; i < SDW_MIRROR_FLIGHTS; i++) {
        sdw_craft_free(mirror->flights[i].craft);
        sdw_flight_release(&mirror->flights[i].flight);
    }
    for (size_t i = 0; i < mirror->n_paths; i++)
        sdw_mirror_path_free(mirror->paths[i]);
    free(mirror->paths);
    sdw_routers_release(&mirror->routers);
    sdw_gate_release(&mirror->ladders);
    sdw_gate_release(&mirror->traced);
    sdw_appmap_free(mirror->appmap);
    sdw_mirror_inside_free(mirror->inside);
    sdw_mirror_wire_free(mirror->wire);
    sdw_buf_release(&mirror->scratch);
    sdw_arena_release(&mirror->arena);
    free(mirror);
}

int sdw_mirror_fd(const struct sdw_mirror *mirror)
{
    return mirror->inside ? sdw_mirror_inside_fd(mirror->inside) : sdw_mirror_wire_fd(mirror->wire);
}

const struct sdw_mirror_counts *sdw_mirror_counts(const struct sdw_mirror *mirror)
{
    return &mirror->counts;
}

struct sdw_mirror_flight *sdw_mirror_flight(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                                            int64_t bytes, struct sdw_err *err)
{
    size_t i = 0;
    while (i < SDW_MIRROR_FLIGHTS && mirror->flights[i].serial)
        i++;
    err->code = 0;
    if (i == SDW_MIRROR_FLIGHTS)
        return NULL;
    struct sdw_mirror_flight *f = &mirror->flights[i];
    bool inside = sdw_shadow_inside(shadow);
    f->carrier = inside ? sdw_mirror_inside_carrier(mirror->inside) : NULL;
    f->craft = inside ? NULL
                      : sdw_craft_new(&shadow->tuple.src, &shadow->tuple.dst,
                                      shadow->tuple.tcp ? IPPROTO_TCP : IPPROTO_UDP, err);
    if (!inside && !f->craft)
        return NULL;
    if (!inside)
        sdw_mirror_wire_follow(mirror->wire, &shadow->tuple);
    mirror->serial += mirror->serial + 1 ? 1 : 2;
    f->serial = mirror->serial;
    f->shadow = shadow;
    f->tuple = shadow->tuple;
    memcpy(f->flow_id, shadow->flow_id, sizeof f->flow_id);
    f->promised_bytes = bytes;
    sdw_budget_promise(mirror->config.budget, bytes);
    mirror->n_flights++;
    return f;
}

/* The flight that the packet belongs to; NULL when it is over. */
static struct sdw_mirror_flight *flight_of(struct sdw_mirror *mirror,
                                           const struct sdw_mirror_claim *claim)
{
    struct sdw_mirror_flight *f = &mirror->flights[claim->flight % SDW_MIRROR_FLIGHTS];
    return f->serial == claim->serial && claim->shot < f->flight.run.n ? f : NULL;
}

static int receive_inside(struct sdw_mirror *mirror, struct sdw_err *err)
{
    struct sdw_answer answer;
    struct sdw_mirror_claim claim;
    int more = 0;
    for (int n = 0;
         n < ANSWERS && (more = sdw_mirror_inside_next(mirror->inside, &answer, &claim, err)) > 0;
         n++) {
        struct sdw_mirror_flight *f = flight_of(mirror, &claim);
        if (f)
            sdw_flight_answer(&f->flight, claim.shot, &answer);
    }
    return more < 0 ? more : 0;
}

static int receive(struct sdw_mirror *mirror, struct sdw_err *err)
{
    struct sdw_answer answer;
    struct sdw_mirror_claim claim;
    struct sdw_address src, dst;
    int more = 0;
    for (int n = 0; n < ANSWERS && (more = sdw_mirror_wire_next(mirror->wire, &answer, &claim, &src,
                                                                &dst, err)) > 0;
         n++) {
        struct sdw_mirror_flight *f = flight_of(mirror, &claim);
        if (!f || !sdw_address_same(&src, &f->tuple.src) || !sdw_address_same(&dst, &f->tuple.dst))
            continue;
        sdw_flight_answer(&f->flight, claim.shot, &answer);
        if (!f->path)
            sdw_mirror_trace_answer(mirror, f, claim.shot, sdw_mono_ns());
    }
    if (more < 0)
        return more;
    return mirror->inside ? receive_inside(mirror, err) : 0;
}

/* All that is sent is spent as it goes out, and counted. */
static void spend(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t bytes,
                  int64_t now_ns)
{
    f->promised_bytes -= bytes;
    sdw_budget_promise(mirror->config.budget, -bytes);
    sdw_budget_spend(mirror->config.budget, bytes, now_ns);
    mirror->counts.bytes += bytes;
    mirror->counts.packets++;
}

/* Send what is due of a flight. A packet that the kernel does not take is not sent: what is silent
 * for long is found out as such. */
static void send_due(struct sdw_mirror *mirror, struct sdw_mirror_flight *f)
{
    const struct sdw_shot *shot;
    size_t number;
    while ((shot = sdw_flight_shot(&f->flight, sdw_mono_ns(), &number))) {
        struct sdw_err why = {0};
        struct sdw_mirror_claim claim = {.serial = f->serial,
                                         .flight = (uint16_t)(f - mirror->flights),
                                         .shot = (uint16_t)number};
        int64_t sent_ns = 0;
        uint8_t dscp = mirror->config.dscp;
        int bytes = f->carrier ? sdw_mirror_inside_send(mirror->inside, f->carrier, shot, dscp,
                                                        &claim, &sent_ns, &why)
                               : sdw_mirror_wire_send(mirror->wire, &f->tuple, f->craft, shot, dscp,
                                                      &claim, &sent_ns, &why);
        int64_t now_ns = sdw_mono_ns();
        if (bytes > 0)
            spend(mirror, f, bytes, now_ns);
        sdw_flight_sent(&f->flight, number, sent_ns, bytes > 0 ? bytes : 0, now_ns);
    }
}

static int finish(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    int code =
        f->path ? sdw_mirror_slotted(mirror, f, now_ns) : sdw_mirror_traced(mirror, f, now_ns);
    if (code == 1) /* it goes on */
        return 0;
    sdw_craft_free(f->craft);
    f->craft = NULL;
    f->carrier = NULL;
    f->serial = 0;
    sdw_budget_promise(mirror->config.budget, -f->promised_bytes); /* what it did not need */
    mirror->n_flights--;
    return code;
}

static int fly(struct sdw_mirror *mirror)
{
    int code = 0;
    for (size_t i = 0; i < SDW_MIRROR_FLIGHTS && code == 0; i++) {
        struct sdw_mirror_flight *f = &mirror->flights[i];
        if (!f->serial)
            continue;
        send_due(mirror, f);
        int64_t now_ns = sdw_mono_ns();
        if (sdw_flight_done(&f->flight, now_ns))
            code = finish(mirror, f, now_ns);
    }
    return code;
}

static void sooner(int64_t *due_ns, int64_t at_ns)
{
    if (at_ns < *due_ns)
        *due_ns = at_ns;
}

/* Begin one trace of a shadow of this class. 1 when one has begun. */
static int launch_trace(struct sdw_mirror *mirror, size_t class, int64_t now_ns,
                        struct sdw_err *err)
{
    for (struct sdw_shadow *s = mirror->traces[class].first; s; s = s->after) {
        const struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &s->tuple, false);
        if (s->tracing || (goal && goal->traces && !goal->several)) /* that may tell for it too */
            continue;
        sooner(&mirror->launch_ns, s->trace_ns);
        if (s->trace_ns > now_ns)
            continue;
        int code = sdw_mirror_trace(mirror, s, now_ns, err);
        mirror->trace_waits = mirror->trace_waits || code == 0;
        return code;
    }
    return 0;
}

/* Begin the slot of this class that is due first. 1 when one has begun. */
static int launch_slot(struct sdw_mirror *mirror, size_t class, int64_t now_ns, struct sdw_err *err)
{
    int64_t refused_ns = INT64_MIN; /* paths due up to then were asked and may not */
    for (;;) {
        struct sdw_mirror_path *first = NULL;
        for (size_t i = 0; i < mirror->n_paths; i++) {
            struct sdw_mirror_path *path = mirror->paths[i];
            if (path->shadows.n == 0 || path->flights || path->sensitivity != class)
                continue;
            sooner(&mirror->launch_ns, path->due_ns);
            if (path->due_ns <= now_ns && path->due_ns > refused_ns &&
                (!first || path->due_ns < first->due_ns))
                first = path;
        }
        if (!first)
            return 0;
        refused_ns = first->due_ns;
        int code = sdw_mirror_slot(mirror, first, now_ns, err);
        if (code != 0)
            return code;
    }
}

/* The most sensitive first; of each class a trace and a slot in turn. */
static int launch(struct sdw_mirror *mirror, struct sdw_err *err)
{
    int64_t now_ns = sdw_mono_ns();
    mirror->launch_ns = now_ns + SECOND_NS;
    mirror->trace_waits = false;
    for (size_t class = SDW_MIRROR_CLASSES; class -- > 0;) {
        int traced, slotted;
        do {
            traced = launch_trace(mirror, class, now_ns, err);
            slotted = traced < 0 ? 0 : launch_slot(mirror, class, now_ns, err);
        } while (traced > 0 || slotted > 0);
        if (traced < 0 || slotted < 0)
            return traced < 0 ? traced : slotted;
    }
    if (mirror->launch_ns < now_ns + LOOK_NS)
        mirror->launch_ns = now_ns + LOOK_NS;
    return 0;
}

int64_t sdw_mirror_due(const struct sdw_mirror *mirror)
{
    int64_t due_ns = mirror->launch_ns < mirror->care_ns ? mirror->launch_ns : mirror->care_ns;
    for (size_t i = 0; mirror->n_flights && i < SDW_MIRROR_FLIGHTS; i++)
        if (mirror->flights[i].serial)
            sooner(&due_ns, sdw_flight_due(&mirror->flights[i].flight));
    return due_ns;
}

int sdw_mirror_step(struct sdw_mirror *mirror, struct sdw_err *err)
{
    int64_t now_ns = sdw_mono_ns();
    int code = receive(mirror, err);
    if (code == 0 && now_ns >= mirror->launch_ns)
        code = launch(mirror, err);
    if (code == 0)
        code = fly(mirror);
    if (code == 0 && now_ns >= mirror->care_ns) {
        mirror->care_ns = now_ns + SECOND_NS;
        mirror->counts.drops = (int64_t)sdw_mirror_wire_drops(mirror->wire);
        if (mirror->inside)
            mirror->counts.drops += (int64_t)sdw_mirror_inside_drops(mirror->inside);
        code = sdw_mirror_care(mirror, now_ns);
    }
    return code;
}

void sdw_mirror_stall(struct sdw_mirror *mirror, int64_t stall_ns)
{
    for (size_t i = 0; i < SDW_MIRROR_FLIGHTS; i++)
        if (mirror->flights[i].serial)
            sdw_flight_stall(&mirror->flights[i].flight, stall_ns);
}
