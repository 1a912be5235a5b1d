#include "net/mirror_book.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/clock.h"
#include "core/mem.h"

#define SECOND_NS INT64_C(1000000000)

enum { LATE_MOST = 10, IN_TIME_LEAST = 3 };

static const uint64_t id_key = 0x6d6972726f722121;
static const double first_bps = 5e6; /* what a first train takes to be there */

/* From one slot of a path to the next, by the sensitivity of its applications. */
static const int64_t periods_ns[SDW_MIRROR_CLASSES] = {10 * SECOND_NS, 5 * SECOND_NS,
                                                       2 * SECOND_NS};
static const int64_t fresh_ns = 2 * SECOND_NS; /* a slot tells a flow that comes later, too */
static const int64_t forget_ns = 600 * SECOND_NS, pace_gap_ns = 10 * SECOND_NS;

void sdw_shadow_unlist(struct sdw_shadow_list *list, struct sdw_shadow *shadow)
{
    *(shadow->before ? &shadow->before->after : &list->first) = shadow->after;
    *(shadow->after ? &shadow->after->before : &list->last) = shadow->before;
    shadow->before = shadow->after = NULL;
    list->n--;
}

void sdw_shadow_first(struct sdw_shadow_list *list, struct sdw_shadow *shadow)
{
    shadow->before = NULL;
    shadow->after = list->first;
    *(list->first ? &list->first->before : &list->last) = shadow;
    list->first = shadow;
    list->n++;
}

void sdw_shadow_last(struct sdw_shadow_list *list, struct sdw_shadow *shadow)
{
    shadow->after = NULL;
    shadow->before = list->last;
    *(list->last ? &list->last->after : &list->first) = shadow;
    list->last = shadow;
    list->n++;
}

void sdw_mirror_forget_goals(struct sdw_mirror *mirror)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&mirror->goals, &cursor, &key, &value))
        free(value);
    sdw_map_release(&mirror->goals);
    sdw_map_init(&mirror->goals, sdw_rng_secret());
}

bool sdw_mirror_same_goal(const struct sdw_mirror_tuple *a, const struct sdw_mirror_tuple *b)
{
    return a->common == b->common && sdw_address_same_host(&a->dst, &b->dst);
}

struct sdw_mirror_goal *sdw_mirror_goal(struct sdw_mirror *mirror,
                                        const struct sdw_mirror_tuple *tuple, bool make)
{
    size_t n;
    uint8_t name[16 + 1] = {0};
    const uint8_t *bytes = sdw_address_bytes(&tuple->dst, &n);
    if (n)
        memcpy(name, bytes, n);
    name[n] = tuple->common;
    struct sdw_str key = {(const char *)name, n + 1};
    if (!make)
        return sdw_map_get(&mirror->goals, key);
    if (mirror->goals.n >= SDW_MIRROR_GOALS)
        sdw_mirror_forget_goals(mirror);
    void **place = sdw_map_at(&mirror->goals, key);
    if (!*place)
        *place = sdw_xalloc(sizeof(struct sdw_mirror_goal));
    return *place;
}

/* The pace of a path is that of its most sensitive flow. */
static void rank_path(struct sdw_mirror_path *path)
{
    path->sensitivity = SDW_SENSITIVITY_HIGH;
    while (path->sensitivity > SDW_SENSITIVITY_LOW && path->ranks[path->sensitivity] == 0)
        path->sensitivity--;
    path->period_ns = periods_ns[path->sensitivity];
}

void sdw_mirror_hasten(struct sdw_mirror_path *path, int64_t now_ns)
{
    const int64_t waiting_ns = SECOND_NS / 5;
    int64_t due_ns = path->unserved     ? now_ns
                     : path->unverified ? now_ns + waiting_ns
                                        : path->due_ns;
    if (path->slot_ns && due_ns < path->slot_ns + waiting_ns) /* not again at once, void or not */
        due_ns = path->slot_ns + waiting_ns;
    if (due_ns < path->due_ns)
        path->due_ns = due_ns;
}

int sdw_mirror_attach(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                      struct sdw_mirror_path *path, bool verified)
{
    bool moved = shadow->moved;
    int64_t now_ns = sdw_mono_ns();
    shadow->path = path;
    shadow->served = false;
    shadow->verified = verified;
    shadow->moved = false;
    shadow->failed = 0;
    sdw_shadow_first(&path->shadows, shadow);
    path->unserved++;
    path->unverified += !verified;
    path->ranks[shadow->sensitivity]++;
    rank_path(path);
    if (path->shadows.n == 1 && path->regular_ns < now_ns - path->period_ns)
        path->regular_ns = now_ns - path->period_ns;
    path->due_ns = path->regular_ns + path->period_ns;
    mirror->launch_ns = 0;
    int code = sdw_mirror_say(mirror, shadow, moved ? "moved" : "opened", NULL);
    if (code == 0)
        code = sdw_mirror_say_path(mirror, shadow, moved ? "change" : "new", false);
    if (code == 0 && path->last.known && now_ns - path->last.begun_ns < fresh_ns)
        code = sdw_mirror_share(mirror, path, NULL);
    sdw_mirror_hasten(path, now_ns);
    return code;
}

static void leave_path(struct sdw_shadow *shadow)
{
    struct sdw_mirror_path *path = shadow->path;
    path->unserved -= !shadow->served;
    path->unverified -= !shadow->verified;
    sdw_shadow_unlist(&path->shadows, shadow);
    path->ranks[shadow->sensitivity]--;
    rank_path(path);
    shadow->path = NULL;
    if (path->shadows.n == 0)
        path->emptied_ns = sdw_mono_ns();
}

void sdw_mirror_detach(struct sdw_mirror *mirror, struct sdw_shadow *shadow)
{
    leave_path(shadow);
    shadow->moved = true;
    shadow->trace_ns = 0;
    sdw_shadow_last(&mirror->traces[shadow->sensitivity], shadow);
    mirror->launch_ns = 0;
}

int sdw_mirror_put_off(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t until_ns)
{
    shadow->trace_ns = until_ns;
    const char *reason = sdw_shadow_inside(shadow) ? "the far end of the tunnel does not answer"
                                                   : "no router of its path answers";
    return shadow->failed++ ? 0 : sdw_mirror_say(mirror, shadow, "suspended", reason);
}

int sdw_mirror_place(struct sdw_mirror *mirror, struct sdw_shadow *shadow)
{
    const struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &shadow->tuple, false);
    if (goal && goal->path && !goal->several)
        return sdw_mirror_attach(mirror, shadow, goal->path, shadow->tuple.common);
    sdw_shadow_last(&mirror->traces[shadow->sensitivity], shadow);
    if (goal && goal->trace_ns > sdw_mono_ns())
        return sdw_mirror_put_off(mirror, shadow, goal->trace_ns);
    mirror->launch_ns = 0;
    return 0;
}

int sdw_mirror_place_others(struct sdw_mirror *mirror, const struct sdw_shadow *found)
{
    struct sdw_shadow *next;
    int code = 0;
    for (size_t i = 0; i < SDW_MIRROR_CLASSES; i++)
        for (struct sdw_shadow *s = mirror->traces[i].first; s && code == 0; s = next) {
            next = s->after;
            if (s->tracing || !sdw_mirror_same_goal(&s->tuple, &found->tuple))
                continue;
            sdw_shadow_unlist(&mirror->traces[i], s);
            code = sdw_mirror_attach(mirror, s, found->path, s->tuple.common);
        }
    return code;
}

void sdw_mirror_rank(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                     enum sdw_sensitivity sensitivity)
{
    enum sdw_sensitivity before = shadow->sensitivity;
    if (before == sensitivity)
        return;
    if (shadow->inside)
        sdw_mirror_rank(mirror, shadow->inside, sensitivity);
    shadow->sensitivity = sensitivity;
    if (shadow->path) {
        shadow->path->ranks[before]--;
        shadow->path->ranks[sensitivity]++;
        rank_path(shadow->path);
    } else {
        sdw_shadow_unlist(&mirror->traces[before], shadow);
        sdw_shadow_last(&mirror->traces[sensitivity], shadow);
    }
    mirror->launch_ns = 0;
}

/* Close one shadow. */
static int drop_one(struct sdw_mirror *mirror, struct sdw_shadow *shadow, const char *reason)
{
    int code = sdw_mirror_say(mirror, shadow, "closed", reason);
    for (size_t i = 0; i < SDW_MIRROR_FLIGHTS; i++)
        if (mirror->flights[i].serial && mirror->flights[i].shadow == shadow)
            mirror->flights[i].shadow = NULL;
    if (shadow->path)
        leave_path(shadow);
    else
        sdw_shadow_unlist(&mirror->traces[shadow->sensitivity], shadow);
    free(shadow);
    return code;
}

int sdw_mirror_drop(struct sdw_mirror *mirror, struct sdw_shadow *shadow, const char *reason)
{
    struct sdw_shadow *first = shadow->outer ? shadow->outer : shadow;
    sdw_map_remove(&mirror->shadows, sdw_str_of(first->flow_id));
    mirror->counts.shadows--;
    int code = first->inside ? drop_one(mirror, first->inside, reason) : 0;
    int dropped = drop_one(mirror, first, reason);
    return code < 0 ? code : dropped;
}

/* Its id names the hops alone: flows of any kind share it. Inside a tunnel it names that too, and
 * how the far end answers. */
static void name(struct sdw_route *route, const struct sdw_mirror_tunnel *tunnel)
{
    uint8_t key[16 * (SDW_HOPS_MAX + 1) + SDW_MIRROR_FLOW] = {0};
    size_t used = 0, n;
    if (route->reached) {
        key[used++] = (uint8_t)route->far_end;
        n = strnlen(tunnel->name, SDW_MIRROR_FLOW - 1);
        memcpy(key + used, tunnel->name, n);
        used += n;
    }
    for (unsigned hop = 1; hop <= route->hops; hop++, used += 16) {
        const uint8_t *bytes = sdw_address_bytes(&route->hop[hop].addr, &n);
        if (n)
            memcpy(key + used, bytes, n);
    }
    (void)snprintf(route->id, sizeof route->id, "%016llx",
                   (unsigned long long)sdw_hash(key, used, id_key));
}

/* What the trace knows and the path does not: routers that were silent until now. */
static void fill_in(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                    const struct sdw_route *route)
{
    for (unsigned hop = 1; hop <= route->hops; hop++) {
        struct sdw_route_hop *own = &path->route.hop[hop];
        const struct sdw_route_hop *seen = &route->hop[hop];
        if (seen->base_ns < own->base_ns)
            own->base_ns = seen->base_ns;
        if (path->router[hop] || route->reached || sdw_address_family(&seen->addr) == AF_UNSPEC)
            continue;
        own->addr = seen->addr;
        path->router[hop] = sdw_routers_find(&mirror->routers, &seen->addr);
    }
}

struct sdw_mirror_path *sdw_mirror_path_known(struct sdw_mirror *mirror,
                                              const struct sdw_route *route)
{
    for (size_t i = 0; i < mirror->n_paths; i++) {
        struct sdw_mirror_path *path = mirror->paths[i];
        if (!sdw_route_same(&path->route, route) || path->route.far_end != route->far_end)
            continue;
        fill_in(mirror, path, route);
        return path;
    }
    return NULL;
}

struct sdw_mirror_path *sdw_mirror_path_new(struct sdw_mirror *mirror,
                                            const struct sdw_route *route)
{
    if (mirror->n_paths >= SDW_MIRROR_PATHS)
        return NULL;
    struct sdw_mirror_path *path = sdw_xalloc(sizeof *path);
    path->route = *route;
    path->aim = sdw_aim(mirror->config.max_bps);
    path->aim.available_bps = path->aim.highest_bps =
        first_bps < mirror->config.max_bps ? first_bps : mirror->config.max_bps;
    name(&path->route, mirror->config.tunnel);
    fill_in(mirror, path, route);
    SDW_GROW(mirror->paths, mirror->cap_paths, mirror->n_paths + 1);
    mirror->paths[mirror->n_paths++] = path;
    mirror->counts.paths++;
    return path;
}

void sdw_mirror_path_free(struct sdw_mirror_path *path)
{
    sdw_plan_release(&path->last.plan);
    sdw_run_release(&path->last.run);
    free(path);
}

/* Forget the path at place i, and that destinations are reached by it. */
static void forget(struct sdw_mirror *mirror, size_t i)
{
    struct sdw_mirror_path *path = mirror->paths[i];
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&mirror->goals, &cursor, &key, &value)) {
        struct sdw_mirror_goal *goal = value;
        if (goal->path == path)
            *goal = (struct sdw_mirror_goal){0};
    }
    sdw_mirror_path_free(path);
    mirror->paths[i] = mirror->paths[--mirror->n_paths];
}

/* Tell the shadows of a path that its slots come later than they should, or in time again. */
static int tell_pace(struct sdw_mirror *mirror, struct sdw_mirror_path *path, int64_t now_ns)
{
    static const char *const states[] = {"resumed", "lowered", "suspended"};
    int64_t late_ns = now_ns - path->regular_ns - path->period_ns;
    enum sdw_mirror_pace pace = late_ns > LATE_MOST * path->period_ns ? SDW_PACE_SUSPENDED
                                : late_ns > path->period_ns           ? SDW_PACE_LOWERED
                                                                      : SDW_PACE_KEPT;
    bool better = pace < path->pace;
    if (pace == path->pace || now_ns - path->paced_ns < pace_gap_ns ||
        (better && path->in_time < IN_TIME_LEAST))
        return 0;
    int code = 0;
    path->pace = pace;
    path->paced_ns = now_ns;
    for (const struct sdw_shadow *s = path->shadows.first; s && code == 0; s = s->after)
        code = sdw_mirror_say(mirror, s, states[pace], pace == SDW_PACE_KEPT ? NULL : "budget");
    return code;
}

/* The next in a list that is a flow's first shadow: the other goes with it. */
static struct sdw_shadow *first_of_flow(struct sdw_shadow *shadow)
{
    while (shadow && shadow->outer)
        shadow = shadow->after;
    return shadow;
}

static int drop_idle(struct sdw_mirror *mirror, struct sdw_shadow_list *list, int64_t now_ns)
{
    int code = 0;
    struct sdw_shadow *next;
    for (struct sdw_shadow *s = first_of_flow(list->first); s && code == 0; s = next) {
        next = first_of_flow(s->after);
        if (now_ns - s->heard_ns > mirror->config.idle_ns)
            code = sdw_mirror_drop(mirror, s, "idle");
    }
    return code;
}

int sdw_mirror_care(struct sdw_mirror *mirror, int64_t now_ns)
{
    int code = 0;
    for (size_t i = 0; i < SDW_MIRROR_CLASSES && code == 0; i++)
        code = drop_idle(mirror, &mirror->traces[i], now_ns);
    for (size_t i = mirror->n_paths; i-- > 0 && code == 0;) {
        struct sdw_mirror_path *path = mirror->paths[i];
        code = drop_idle(mirror, &path->shadows, now_ns);
        if (path->shadows.n)
            code = code < 0 ? code : tell_pace(mirror, path, now_ns);
        else if (!path->flights && now_ns - path->emptied_ns > forget_ns)
            forget(mirror, i);
    }
    return code;
}
