#include "net/confine.h"
#include "sys/privilege.h"

#include <stddef.h>

/* Sockets send and take answers; libpcap waits for its ring, reads its counters and unmaps it. */
static const char *const with_files[] = {"openat",   "sendto",     "sendmsg",    "recvmsg",
                                         "recvmmsg", "getsockopt", "setsockopt", NULL};
static const char *const *const without_files = with_files + 1;

int sdw_confine(bool live, struct sdw_err *err)
{
    int code = sdw_privilege_drop(NULL, NULL, err);
    return code < 0 ? code : sdw_privilege_confine(live ? with_files : without_files, err);
}
