/*
 * What shadow-steer's marks are on in the kernel (protocol 93, its ids) though the journal at hand
 * does not have it armed: left by a journal that was lost, or in the hands of another one.
 */
#ifndef SDW_STEER_ORPHAN_H
#define SDW_STEER_ORPHAN_H

#include "steer/ledger.h"
#include "sys/netlink.h"

/* Next hops and rules. 0 when there are none; SDW_ESYS naming the first; negative when the kernel
 * cannot be read. dir: of the journal, for the message. */
int sdw_orphan_check(struct sdw_netlink *netlink, const struct sdw_ledger *ledger, const char *dir,
                     struct sdw_err *err);

/* Delete next hops (the routes of a group go with it), elements of the nftables maps, rules and
 * routes; say gets a line on each, and one on what is of units that are armed and was skipped.
 * dry_run: say only. */
struct sdw_orphan_sweep {
    struct sdw_netlink *netlink;
    const struct sdw_ledger *ledger;
    bool dry_run;
    void (*say)(void *arg, const char *line);
    void *arg;
};
int sdw_orphan_clear(const struct sdw_orphan_sweep *sweep, struct sdw_err *err);

#endif
