/* Kernel settings of the namespace that the process is in. */
#ifndef SDW_SYS_SYSCTL_H
#define SDW_SYS_SYSCTL_H

#include "core/base.h"
#include "core/err.h"

/* name as in sysctl(8), "net.ipv4.ip_forward". SDW_ENO when this kernel has no such setting. */
int sdw_sysctl_set(const char *name, const char *value, struct sdw_err *err);

#endif
