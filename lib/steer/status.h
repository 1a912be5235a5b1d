/* What the operator asks outside of a run: status, log, undo, freeze, thaw, and making a plan. */
#ifndef SDW_STEER_STATUS_H
#define SDW_STEER_STATUS_H

#include "io/tool.h"
#include "steer/plan.h"
#include "steer/state.h"

/* Units the operator named; n 0: all. */
struct sdw_names {
    char *const *name;
    size_t n;
};

/* One `change` record a unit that the journal knows: its state and its shares, as the kernel has
 * them. An `alert` where kernel and journal differ; then SDW_ENO. */
int sdw_status_show(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names);
/* The journal as `change` records, oldest first; the chain is checked. */
int sdw_status_log(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names);
/* Take units out of the kernel, so that the routes of before apply again. While a shadow-steer
 * runs it is told to do so (and to leave them alone until thaw), and waited for. A unit whose
 * primary is down is left as it is unless force. dry_run only says what would be done. orphans:
 * also what carries our marks and is not armed in the journal; not while a shadow-steer runs. */
int sdw_status_undo(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names,
                    bool dry_run, bool force, bool orphans);
/* Give or take back orders. SDW_EUSAGE for a unit that the journal does not know, and for thawing
 * one unit while all are under orders together. */
int sdw_status_order(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names,
                     enum sdw_order order);
/* Write `unit` records for the named prefixes (n 0: for every one that has another way). */
int sdw_status_plan(struct sdw_ctx *ctx, const struct sdw_names *names,
                    const struct sdw_steer_plan_wishes *wishes);

#endif
