/* The state directory: journal, lock, the operator's orders. One shadow-steer at a time has it. */
#ifndef SDW_STEER_STATE_H
#define SDW_STEER_STATE_H

#include "core/base.h"
#include "core/err.h"

/* Where it is when --state does not say: /var/lib/shadow-tools/steer for root, otherwise below
 * $XDG_STATE_HOME or ~/.local/state. out has room for 256 bytes. */
int sdw_state_default(char out[256], struct sdw_err *err);
/* Make it (0700) when it is missing. */
int sdw_state_make(const char *dir, struct sdw_err *err);
/* "dir/name"; SDW_EUSAGE when that is too long. */
int sdw_state_path(const char *dir, const char *name, char out[256], struct sdw_err *err);
/* Take the lock: its descriptor, or SDW_ENO while another process has it. */
int sdw_state_lock(const char *dir, struct sdw_err *err);
/* The same for this network namespace, whatever the directory: the ids in the kernel are the same
 * for all. Held by an abstract AF_UNIX name (unix(7)), which each network namespace has its own
 * of. */
int sdw_state_lock_netns(struct sdw_err *err);

/* Orders: lines "freeze UNIT", "undo UNIT" or "force UNIT", UNIT "*" for all. A unit under orders
 * is not moved any more until they are taken back; undo also brings it home, once; force does so
 * even when its primary is down. */
enum sdw_order { SDW_ORDER_NONE, SDW_ORDER_FREEZE, SDW_ORDER_UNDO, SDW_ORDER_FORCE };
struct sdw_orders {
    char *text;
    int64_t inode, changed_ns, size; /* of the file as it was read; to see that it changed */
};
/* Read again when the file changed. 1 when it did, 0 when not. */
int sdw_orders_read(struct sdw_orders *orders, const char *dir, struct sdw_err *err);
enum sdw_order sdw_orders_for(const struct sdw_orders *orders, const char *unit);
/* Whether a line gives an order for exactly this name. */
bool sdw_orders_name(const struct sdw_orders *orders, const char *unit);
/* Replace the order for a unit ("*": for all; NONE takes it away), durably. */
int sdw_orders_give(const char *dir, const char *unit, enum sdw_order order, struct sdw_err *err);
void sdw_orders_release(struct sdw_orders *orders);

#endif
