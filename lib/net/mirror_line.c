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

/* The tuple of a flow's packets, in the direction that leaves here; why there is none to mirror, or
 * NULL. */
static const char *read_tuple(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec,
                              struct sdw_mirror_tuple *tuple)
{
    struct sdw_err why = {0};
    const char *reason = sdw_mirror_tuple_read(rec, tuple);
    if (reason)
        return reason;
    struct sdw_address src = tuple->src;
    if (sdw_mirror_wire_egress(mirror->wire, tuple, &why) < 0)
        return "no route from here";
    if (!sdw_address_same_host(&src, &tuple->src)) /* it was turned: the label is the other's */
        tuple->flow_label = -1;
    return NULL;
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

static int open_shadow(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec)
{
    struct sdw_shadow fresh = {.heard_ns = sdw_mono_ns(), .sensitivity = SDW_SENSITIVITY_MEDIUM};
    copy(fresh.flow_id, sizeof fresh.flow_id, rec->flow_id);
    copy(fresh.app, sizeof fresh.app, rec->app);
    copy(fresh.category, sizeof fresh.category, rec->category);
    const char *reason = read_tuple(mirror, rec, &fresh.tuple);
    mirror->counts.flows++;
    if (sdw_address_family(&fresh.tuple.dst) != AF_UNSPEC)
        sdw_mirror_tuple_write(&fresh.tuple, fresh.flow);
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
    return sdw_mirror_place(mirror, shadow);
}

/* What only flow.new tells of a flow, for one that its application makes wanted later: the flow
 * label, and whether it is tunnelled. One number: 0 for what is as usual. */
static uintptr_t details_of(const struct sdw_flow_rec *rec)
{
    uintptr_t label = rec->flow_label == SDW_NO_INT ? 0 : (uintptr_t)rec->flow_label + 1;
    return label << 1 | sdw_mirror_tunnelled(rec);
}

static void keep_details(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec)
{
    uintptr_t details = details_of(rec);
    if (details && mirror->details.n < SDW_MIRROR_SHADOWS)
        *sdw_map_at(&mirror->details, rec->flow_id) = (void *)details;
}

static void recall_details(struct sdw_mirror *mirror, struct sdw_flow_rec *rec)
{
    uintptr_t details = (uintptr_t)sdw_map_remove(&mirror->details, rec->flow_id);
    rec->flow_label = details >> 1 ? (int64_t)(details >> 1) - 1 : SDW_NO_INT;
    rec->vni = details & 1;
}

static int on_new(struct sdw_mirror *mirror, const struct sdw_flow_rec *rec, bool wanted)
{
    struct sdw_shadow *shadow = sdw_map_get(&mirror->shadows, rec->flow_id);
    if (!shadow && !wanted)
        keep_details(mirror, rec);
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
        recall_details(mirror, &whole);
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
    (void)sdw_map_remove(&mirror->details, rec->flow_id);
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
