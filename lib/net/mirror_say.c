#include "core/clock.h"
#include "net/mirror_book.h"
#include "rec/mirror.h"

int sdw_mirror_say(struct sdw_mirror *mirror, const struct sdw_shadow *shadow, const char *state,
                   const char *reason)
{
    const struct sdw_sink *sink = &mirror->config.sink;
    const struct sdw_mirror_path *path = shadow->path;
    struct sdw_mirror_rec rec;
    sdw_rec_init(&sdw_mirror_schema, &rec);
    rec.ts = sdw_wall_us();
    rec.flow_id = sdw_str_of(shadow->flow_id);
    rec.flow = sdw_str_of(shadow->flow);
    rec.state = sdw_str_of(state);
    rec.sensitivity = sdw_str_of(sdw_sensitivities[shadow->sensitivity]);
    if (shadow->inside || shadow->outer)
        rec.part = sdw_str_of(sdw_shadow_inside(shadow) ? "inside" : "outer");
    if (path) {
        rec.path_id = sdw_str_of(path->route.id);
        rec.period_us = path->period_ns / 1000;
    }
    if (reason)
        rec.reason = sdw_str_of(reason);
    return sink->put(sink->arg, &sdw_mirror_schema, &rec);
}

int sdw_mirror_say_path(struct sdw_mirror *mirror, const struct sdw_shadow *shadow,
                        const char *reason, bool hops)
{
    const struct sdw_sink *sink = &mirror->config.sink;
    const struct sdw_route *route = &shadow->path->route;
    const struct sdw_carrier *carrier = shadow->path->carrier;
    char outer[SDW_MIRROR_FLOW];
    const char *flow = shadow->flow;
    if (mirror->inside) {
        sdw_mirror_tuple_write(&shadow->tuple, outer);
        flow = carrier ? NULL : outer;
    }
    struct sdw_path_about about = {.src = carrier ? &carrier->src : &shadow->tuple.src,
                                   .dst = carrier ? &carrier->dst : &shadow->tuple.dst,
                                   .protocol = carrier             ? carrier->protocol
                                               : shadow->tuple.tcp ? "tcp"
                                                                   : "udp",
                                   .reason = reason,
                                   .flow = flow,
                                   .tunnel = mirror->inside ? mirror->config.tunnel->name : NULL,
                                   .flow_id = shadow->flow_id,
                                   .flow_label = shadow->tuple.flow_label};
    int code = sdw_path_put(route, &about, sink, &mirror->scratch);
    return code == 0 && hops ? sdw_hops_put(route, sink) : code;
}
