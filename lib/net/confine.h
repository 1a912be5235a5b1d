/* Giving up rights before measuring: what is left is what open carriers need. */
#ifndef SDW_NET_CONFINE_H
#define SDW_NET_CONFINE_H

#include "core/base.h"
#include "core/err.h"

/* Become user nobody, without capabilities or a way back to them, and allow only the system calls
 * that carriers (net/carrier.h) make once they are open; no more of them can be opened. live: files
 * may still be opened, since the counters of interfaces are read as they go on. Errors as in
 * sys/privilege.h. */
int sdw_confine(bool live, struct sdw_err *err);

#endif
