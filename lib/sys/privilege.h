/*
 * Giving up rights once what needed them is open: an ordinary user, no capabilities, no way back
 * (no_new_privs), and only the system calls that the rest of the run needs.
 */
#ifndef SDW_SYS_PRIVILEGE_H
#define SDW_SYS_PRIVILEGE_H

#include "core/base.h"
#include "core/err.h"

/* Become `user` (a name or a number; NULL: "nobody") when running as root, and lose every
 * capability. As an ordinary user only the capabilities go. In a user namespace that does not map
 * the user, root of that namespace is kept, without capabilities: *kept (may be NULL) says so.
 * SDW_EUSAGE for an unknown user; SDW_EPERM or SDW_ESYS when the kernel refuses: then the caller
 * should not go on. */
int sdw_privilege_drop(const char *user, bool *kept, struct sdw_err *err);

/* Allow only the named system calls (NULL-ended) besides those that every tool needs to read,
 * write, allocate, wait, read the clock and end; all others fail with EPERM. With "openat" files
 * can be opened, to read them only. Names this architecture does not have are skipped. Cannot be
 * undone. Does nothing in sanitizer builds, which need more. */
int sdw_privilege_confine(const char *const *calls, struct sdw_err *err);

#endif
