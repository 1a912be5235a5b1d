#include "core/clock.h"
#include "rec/end.h"
#include "steer/status.h"

#include <stdio.h>
#include <sys/socket.h>

static int write_one(struct sdw_ctx *ctx, const struct sdw_routes *routes,
                     struct sdw_netlink *netlink, const struct sdw_fib_route *prefix,
                     const struct sdw_steer_plan_wishes *wishes)
{
    sdw_buf_clear(&ctx->scratch);
    int got = sdw_steer_plan_write(routes, netlink, prefix, wishes, sdw_wall_us(), &ctx->scratch,
                                   &ctx->err);
    if (got <= 0)
        return got;
    got = sdw_put(ctx, sdw_buf_view(&ctx->scratch));
    return got < 0 ? got : 1;
}

/* The route of main is the first of its prefix in the dump that we have not had. */
static bool is_first(const struct sdw_routes *routes, size_t i)
{
    size_t n, k = 0;
    const struct sdw_fib_route *route = &routes->route[i];
    const struct sdw_fib_route *const *same = sdw_routes_of(routes, route, &n);
    while (k < n && same[k]->table != route->table)
        k++;
    return k < n && same[k] == route;
}

static int write_all(struct sdw_ctx *ctx, const struct sdw_routes *routes,
                     struct sdw_netlink *netlink, const struct sdw_steer_plan_wishes *wishes)
{
    static const uint8_t none[16];
    int units = 0;
    for (size_t i = 0; i < routes->n; i++) {
        const struct sdw_fib_route *route = &routes->route[i];
        bool direct = route->n == 0 || memcmp(route->hop[0].gateway.addr, none, sizeof none) == 0;
        if (route->table != 254 || direct || !is_first(routes, i))
            continue;
        int got = write_one(ctx, routes, netlink, route, wishes);
        if (got < 0)
            return got;
        if (got == 0)
            sdw_detail(ctx, "%s", ctx->err.text);
        units += got;
    }
    return units;
}

static int write_named(struct sdw_ctx *ctx, const struct sdw_routes *routes,
                       struct sdw_netlink *netlink, const struct sdw_names *names,
                       const struct sdw_steer_plan_wishes *wishes)
{
    int units = 0;
    for (size_t i = 0; i < names->n; i++) {
        struct sdw_fib_route prefix;
        if (!sdw_prefix_parse(names->name[i], &prefix))
            return sdw_err_set(&ctx->err, SDW_EUSAGE,
                               "%s: is no prefix, such as 192.0.2.0/24, without host bits",
                               names->name[i]);
        int got = write_one(ctx, routes, netlink, &prefix, wishes);
        if (got < 0)
            return got;
        if (got == 0)
            sdw_warn(ctx, "%s", ctx->err.text);
        units += got;
    }
    return units;
}

int sdw_status_plan(struct sdw_ctx *ctx, const struct sdw_names *names,
                    const struct sdw_steer_plan_wishes *wishes)
{
    struct sdw_routes routes = {0};
    struct sdw_netlink netlink;
    int code = sdw_netlink_open(&netlink, 0, &ctx->err);
    if (code < 0)
        return code;
    code = sdw_routes_load(&routes, &netlink, &ctx->err);
    if (code == 0)
        code = names->n ? write_named(ctx, &routes, &netlink, names, wishes)
                        : write_all(ctx, &routes, &netlink, wishes);
    sdw_routes_release(&routes);
    sdw_netlink_close(&netlink);
    if (code < 0)
        return code;
    int units = code;
    code = sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
    if (code == 0 && units == 0)
        return sdw_err_set(&ctx->err, SDW_ENO,
                           "no unit: no route has another way (name one with --shadow)");
    return code;
}
