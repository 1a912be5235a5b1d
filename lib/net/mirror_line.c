#include "net/mirror_book.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "io/scan.h"
#include "rec/app.h"
#include "rec/flow.h"

static void copy(char *out, size_t size, struct sdw_str text)
{
    if (text.p)
        (void)snprintf(out, size, "%.*s", (int)text.n, text.p);
}

/* Turn the tuple of a flow into the direction that leaves here. Why it cannot be mirrored, or NULL.
 */
static const char *find_way(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec,
                            struct sdw_mirror_tuple *tuple)
{
    struct sdw_err why = {0};
    if (sdw_mirror_tunnelled(rec))
        return "inside a tunnel";
    struct sdw_address src = tuple->src;
    if (sdw_mirror_wire_egress(mirror->wire, tuple, &why) < 0)
        return "no route from here";
    if (!sdw_address_same_host(&src, &tuple->src)) /* it was turned: the label is the other's */
        tuple->flow_label = -1;
    return NULL;
}

/* The same through the tunnel: the tuple of the flow's outer packets, or else the tunnel's. */
static const char *find_outer(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec,
                              struct sdw_shadow *shadow)
{
    struct sdw_err why = {0};
    struct sdw_mirror_tuple ends = sdw_mirror_inside_ends(mirror->inside), flow = shadow->tuple;
    const struct sdw_mirror_tuple *outer = sdw_mirror_inside_outer(mirror->inside);
    if (sdw_address_same_host(&flow.src, &ends.src) ||
        sdw_address_same_host(&flow.dst, &ends.src) ||
        (sdw_address_same(&flow.src, &outer->src) && sdw_address_same(&flow.dst, &outer->dst)))
        return "it is the tunnel's own";
    const char *reason = sdw_mirror_tuple_outer(rec, outer, &shadow->tuple);
    if (reason)
        return reason;
    return sdw_mirror_wire_egress(mirror->wire, &shadow->tuple, &why) < 0 ? "no route from here"
                                                                          : NULL;
}

/* How sensitive the application is: as an app record said, or else by its category. */
static enum sdw_sensitivity find_sensitivity(const struct sdw_mirror *mirror,
                                             const struct sdw_shadow *shadow)
{
    const void *told = sdw_map_get(&mirror->sensitivities, sdw_str_of(shadow->app));
    if (told)
        return (enum sdw_sensitivity)((uintptr_t)told - 1);
    return sdw_appmap_sensitivity(mirror->appmap, shadow->app, shadow->category);
}

static int refuse(struct sdw_mirror *mirror, const struct sdw_shadow *shadow, const char *reason)
{
    mirror->counts.refused++;
    return sdw_mirror_say(mirror, shadow, "refused", reason);
}

/* Its second shadow, inside the tunnel. */
static int open_inside(struct sdw_mirror *mirror, struct sdw_shadow *shadow)
{
    struct sdw_shadow *second = sdw_xalloc(sizeof *second);
    *second = *shadow;
    second->tuple = sdw_mirror_inside_ends(mirror->inside);
    second->outer = shadow;
    shadow->inside = second;
    return sdw_mirror_place(mirror, second);
}

static int open_shadow(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec)
{
    struct sdw_shadow fresh = {.heard_ns = sdw_mono_ns(), .sensitivity = SDW_SENSITIVITY_MEDIUM};
    copy(fresh.flow_id, sizeof fresh.flow_id, rec->flow_id);
    copy(fresh.app, sizeof fresh.app, rec->app);
    copy(fresh.category, sizeof fresh.category, rec->category);
    const char *reason = sdw_mirror_tuple_read(rec, &fresh.tuple);
    mirror->counts.flows++;
    if (!reason && !mirror->inside)
        reason = find_way(mirror, rec, &fresh.tuple);
    if (sdw_address_family(&fresh.tuple.dst) != AF_UNSPEC)
        sdw_mirror_tuple_write(&fresh.tuple, fresh.flow);
    if (!reason && mirror->inside)
        reason = find_outer(mirror, rec, &fresh);
    if (!reason && mirror->shadows.n >= SDW_MIRROR_SHADOWS)
        reason = "too many shadows";
    if (reason)
        return refuse(mirror, &fresh, reason);
    fresh.sensitivity = find_sensitivity(mirror, &fresh);
    struct sdw_shadow *shadow = sdw_xalloc(sizeof *shadow);
    *shadow = fresh;
    *sdw_map_at(&mirror->shadows, rec->flow_id) = shadow;
    if (++mirror->counts.shadows > mirror->counts.most_shadows)
        mirror->counts.most_shadows = mirror->counts.shadows;
    int code = mirror->inside ? open_inside(mirror, shadow) : 0;
    return code < 0 ? code : sdw_mirror_place(mirror, shadow);
}

/* What only flow.new tells of a flow, for one that its application makes wanted later. */
static void keep_label(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec)
{
    if (rec->flow_label != SDW_NO_INT && mirror->labels.n < SDW_MIRROR_SHADOWS)
        *sdw_map_at(&mirror->labels, rec->flow_id) = (void *)((uintptr_t)rec->flow_label + 1);
}

static void recall_label(struct sdw_mirror *mirror, struct sdw_flow_rec *rec)
{
    uintptr_t kept = (uintptr_t)sdw_map_remove(&mirror->labels, rec->flow_id);
    rec->flow_label = kept ? (int64_t)kept - 1 : SDW_NO_INT;
}

static int on_new(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted)
{
    struct sdw_shadow *shadow = sdw_map_get(&mirror->shadows, rec->flow_id);
    if (!shadow && !wanted)
        keep_label(mirror, rec);
    if (!shadow)
        return wanted ? open_shadow(mirror, rec) : 0;
    mirror->counts.repeated++;
    shadow->heard_ns = sdw_mono_ns();
    return 0;
}

static int on_app(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted)
{
    struct sdw_shadow *shadow = sdw_map_get(&mirror->shadows, rec->flow_id);
    struct sdw_flow_rec whole = *rec;
    if (!shadow && wanted)
        recall_label(mirror, &whole);
    if (!shadow)
        return wanted ? open_shadow(mirror, &whole) : 0;
    shadow->heard_ns = sdw_mono_ns();
    copy(shadow->app, sizeof shadow->app, rec->app);
    copy(shadow->category, sizeof shadow->category, rec->category);
    sdw_mirror_rank(mirror, shadow, find_sensitivity(mirror, shadow));
    return 0;
}

static int on_update(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted)
{
    struct sdw_shadow *shadow = sdw_map_get(&mirror->shadows, rec->flow_id);
    (void)wanted;
    if (shadow)
        shadow->heard_ns = sdw_mono_ns();
    return 0;
}

static int on_end(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted)
{
    struct sdw_shadow *shadow = sdw_map_get(&mirror->shadows, rec->flow_id);
    (void)wanted;
    (void)sdw_map_remove(&mirror->labels, rec->flow_id);
    mirror->counts.unknown += shadow == NULL;
    return shadow ? sdw_mirror_drop(mirror, shadow, "flow ended") : 0;
}

static const struct {
    const struct sdw_schema *schema;
    int (*take)(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted);
} takers[] = {{&sdw_flow_new_schema, on_new},
              {&sdw_flow_app_schema, on_app},
              {&sdw_flow_update_schema, on_update},
              {&sdw_flow_end_schema, on_end}};

/* An app record: what it says of an application holds for all of its flows. */
static int on_application(struct sdw_mirror *mirror, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_app app;
    int code = sdw_rec_decode(&sdw_app_schema, line, &mirror->arena, &app, err);
    if (code < 0 || !app.sensitivity.p || app.app.n == 0 || app.app.n >= SDW_MIRROR_APP)
        return code;
    uintptr_t told = 0;
    while (!sdw_str_is(app.sensitivity, sdw_sensitivities[told]))
        told++;
    if (sdw_map_get(&mirror->sensitivities, app.app) == (void *)(told + 1) ||
        mirror->sensitivities.n >= SDW_MIRROR_APPS)
        return 0;
    *sdw_map_at(&mirror->sensitivities, app.app) = (void *)(told + 1);
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&mirror->shadows, &cursor, &key, &value)) {
        struct sdw_shadow *shadow = value;
        if (sdw_str_is(app.app, shadow->app))
            sdw_mirror_rank(mirror, shadow, (enum sdw_sensitivity)told);
    }
    return 0;
}

int sdw_mirror_line(struct sdw_mirror *mirror, struct sdw_str line, bool wanted,
                    struct sdw_err *err)
{
    struct sdw_str type = sdw_scan_type(line);
    sdw_arena_reset(&mirror->arena);
    if (sdw_str_is(type, sdw_app_schema.type))
        return on_application(mirror, line, err);
    for (size_t i = 0; i < SDW_LEN(takers); i++) {
        struct sdw_flow_rec rec = sdw_flow_rec_none;
        if (!sdw_str_is(type, takers[i].schema->type))
            continue;
        int code = sdw_rec_decode(takers[i].schema, line, &mirror->arena, &rec, err);
        if (code == 0 && (rec.flow_id.n == 0 || rec.flow_id.n >= SDW_MIRROR_ID)) {
            sdw_err_set(err, SDW_EINPUT, "an id of 1 to %d bytes is expected", SDW_MIRROR_ID - 1);
            (void)snprintf(err->field, sizeof err->field, "flow_id");
            return SDW_EINPUT;
        }
        return code < 0 ? code : takers[i].take(mirror, &rec, wanted);
    }
    return 0;
}

int sdw_mirror_close(struct sdw_mirror *mirror, const char *reason)
{
    int code = 0;
    for (size_t i = 0; i < SDW_MIRROR_CLASSES && code == 0; i++)
        while (mirror->traces[i].first && code == 0)
            code = sdw_mirror_drop(mirror, mirror->traces[i].first, reason);
    for (size_t i = 0; i < mirror->n_paths && code == 0; i++)
        while (mirror->paths[i]->shadows.first && code == 0)
            code = sdw_mirror_drop(mirror, mirror->paths[i]->shadows.first, reason);
    return code;
}

size_t sdw_mirror_awaited(const struct sdw_mirror *mirror)
{
    size_t n = 0;
    for (size_t i = 0; i < SDW_MIRROR_CLASSES; i++)
        for (const struct sdw_shadow *s = mirror->traces[i].first; s; s = s->after)
            n += s->failed == 0;
    for (size_t i = 0; i < mirror->n_paths; i++)
        for (const struct sdw_shadow *s = mirror->paths[i]->shadows.first; s; s = s->after)
            n += !s->served;
    return n;
}
