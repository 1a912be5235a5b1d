/* The plan: the units that may be steered, made from the kernel's own routes and then edited. */
#ifndef SDW_STEER_PLAN_H
#define SDW_STEER_PLAN_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/map.h"
#include "steer/routes.h"
#include "steer/unit.h"

enum { SDW_PLAN_MAX = 65536 };

struct sdw_steer_plan {
    struct sdw_steer_unit *unit;
    size_t n, cap;
    struct sdw_map by_name, by_match; /* to 1 + the index of the unit */
};

/* Add one line: `unit` records only, other types are passed over. SDW_EINPUT (with the field) for
 * a bad unit, a name or a destination that the plan has already. */
int sdw_steer_plan_add(struct sdw_steer_plan *plan, struct sdw_str line, struct sdw_err *err);
/* Read a whole file; any bad line fails it (err.line). An empty plan is an error. */
int sdw_steer_plan_read(struct sdw_steer_plan *plan, const char *path, struct sdw_err *err);
void sdw_steer_plan_release(struct sdw_steer_plan *plan);
/* NULL when there is none of that name. */
struct sdw_steer_unit *sdw_steer_plan_find(const struct sdw_steer_plan *plan, struct sdw_str name);

/* What an operator adds while a plan is made. Each item of probe and capacity reads
 * ADDRESS=VALUE, where ADDRESS is that of a next hop; of shadow, ADDRESS%DEV. */
struct sdw_steer_plan_wishes {
    const char *const *shadow, *const *probe, *const *capacity;
    size_t n_shadow, n_probe, n_capacity;
};

/* Append to out the `unit` record of a prefix: the primary is the next hop (or are the next hops)
 * of the route the kernel uses now; the shadows are the wished ones, then all other next hops that
 * routes of the prefix have, by table and metric. 1 when written, 0 when there is no other way (why
 * is in err), negative when a wish is wrong or there is no such route. now: record time, us. */
int sdw_steer_plan_write(const struct sdw_routes *routes, struct sdw_netlink *netlink,
                         const struct sdw_fib_route *prefix,
                         const struct sdw_steer_plan_wishes *wishes, int64_t now,
                         struct sdw_buf *out, struct sdw_err *err);

#endif
