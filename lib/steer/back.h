/*
 * A back end carries out what was decided: it arms a unit (installs what moves nothing yet, and
 * reads it back), sets shares, takes it all away, and reads what is there.
 */
#ifndef SDW_STEER_BACK_H
#define SDW_STEER_BACK_H

#include "steer/routes.h"
#include "steer/unit.h"

/* A unit as the back ends see it. slot: 0..2^20-1, the unit's own range of ids in the kernel. */
struct sdw_target {
    const struct sdw_steer_unit *unit;
    uint32_t slot;
    const bool *up;      /* up[n_ways]: the interface carries; the primary: of any of its hops */
    const bool *hop_up;  /* hop_up[n_hops]: the same for each next hop of the primary */
    const double *share; /* share[n_ways], 0 where not up */
    int *set;            /* may be NULL: remembers which next hops the group uses; -1: not known */
};

struct sdw_back {
    const char *name;
    /* existing: the route the kernel uses now for a prefix (NULL for a flow). */
    int (*arm)(struct sdw_netlink *netlink, const struct sdw_target *target,
               const struct sdw_fib_route *existing, struct sdw_err *err);
    int (*set)(struct sdw_netlink *netlink, const struct sdw_target *target, struct sdw_err *err);
    int (*disarm)(struct sdw_netlink *netlink, const struct sdw_target *target,
                  struct sdw_err *err);
    /* 1 and share[n_ways] as the kernel has it, 0 when nothing of the unit is there. */
    int (*read)(struct sdw_netlink *netlink, const struct sdw_target *target, double *share,
                struct sdw_err *err);
    /* What must be remade when an interface comes back (its next hops died with it). */
    int (*revive)(struct sdw_netlink *netlink, const struct sdw_target *target, size_t way,
                  struct sdw_err *err);
};

const struct sdw_back *sdw_back_linux(void); /* prefixes: next-hop groups */
const struct sdw_back *sdw_back_flow(void);  /* single flows: nftables marks */

/* Delete the flows from the nftables maps whose mark is to go; say is told of each. Without those
 * maps there is nothing to do. */
struct sdw_flow_sweep {
    bool (*goes)(uint32_t mark, void *arg);
    void *goes_arg;
    void (*say)(void *arg, uint32_t mark);
    void *say_arg;
    bool dry_run; /* say only */
};
int sdw_back_flow_sweep(const struct sdw_flow_sweep *sweep, struct sdw_err *err);
/* Take the nftables table away when no rule of shadow-steer is left that would need it. */
int sdw_back_flow_clean(struct sdw_netlink *netlink, struct sdw_err *err);

enum {
    SDW_SLOTS = 1 << 20,
    SDW_IDS_BASE = 0x5d000000,
    SDW_IDS_HOP = 16, /* for each next hop of the primary */
    SDW_IDS_EACH = SDW_IDS_HOP * SDW_FIB_HOPS,
    SDW_IDS_TWIN = 0x08000000, /* from an id of the first set of next hops to the second (IPv6) */
};

#endif
