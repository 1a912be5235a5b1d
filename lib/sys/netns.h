/*
 * Named network namespaces, kept the way `ip netns` keeps them: bind mounts in /run/netns. So
 * each side sees what the other made.
 */
#ifndef SDW_SYS_NETNS_H
#define SDW_SYS_NETNS_H

#include "core/base.h"
#include "core/err.h"

#define SDW_NETNS_DIR "/run/netns"

/* Make /run/netns fit for use. Inside a user namespace, where /run belongs to somebody else, a
 * tmpfs is mounted over /run in the caller's own mount namespace. */
int sdw_netns_prepare(struct sdw_err *err);

/* Create the namespace and enter it (the caller's thread stays inside). */
int sdw_netns_create(const char *name, struct sdw_err *err);
int sdw_netns_enter(const char *name, struct sdw_err *err);
/* Descriptor of a named namespace, or (name NULL) of the one the thread is in; close it. */
int sdw_netns_open(const char *name, struct sdw_err *err);
int sdw_netns_return(int fd, struct sdw_err *err); /* enter by descriptor */
/* Make one without a name and stay outside: its descriptor. Nothing is left of it once that and the
 * sockets opened inside are closed, however the process ends. */
int sdw_netns_nameless(struct sdw_err *err);
/* Enter it as `ip netns exec` does: with a /sys of its own, in a mount namespace of its own. */
int sdw_netns_enter_fully(const char *name, struct sdw_err *err);
/* Unname it; the kernel frees it when the last process leaves. Absent: nothing to do. */
int sdw_netns_delete(const char *name, struct sdw_err *err);

/* Call each(name) for every name in /run/netns that starts with prefix. Returns how many, or what
 * each returned when negative. The name is valid during the call; each may delete it. */
int sdw_netns_each(const char *prefix, int (*each)(const char *name, void *arg), void *arg,
                   struct sdw_err *err);

/* End (SIGTERM, after 200 ms SIGKILL) every process in the named namespace but the caller and its
 * ancestors. Returns how many there were. */
int sdw_netns_end_processes(const char *name, struct sdw_err *err);

#endif
