#include "sys/privilege.h"
#include "core/num.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
enum { FILTERS = 0 };
#else
enum { FILTERS = 1 };
#endif

/* What every tool goes on to need: records out, memory, time, waiting, signals, the end. */
static const char *const always[] = {
    "read",
    "readv",
    "write",
    "writev",
    "close",
    "lseek",
    "fstat",
    "newfstatat",
    "statx",
    "ioctl",
    "fcntl",
    "dup",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_wait",
    "epoll_pwait",
    "epoll_ctl",
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "madvise",
    "mprotect",
    "clock_gettime",
    "gettimeofday",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "time",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "sigaltstack",
    "signalfd4",
    "setitimer",
    "restart_syscall",
    "getpid",
    "gettid",
    "tgkill",
    "futex",
    "getrandom",
    "exit",
    "exit_group",
    "sched_yield",
    "rseq",
    "set_robust_list",
    "fsync",
    NULL,
};

/* Whether ids are mapped as in the initial user namespace: all of them, onto themselves. */
static bool in_initial_namespace(void)
{
    unsigned long inside = 1, outside = 1, count = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    if (!map)
        return true;
    int n = fscanf(map, "%lu %lu %lu", &inside, &outside, &count);
    fclose(map);
    return n == 3 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

enum { NOBODY = 65534 }; /* where no user of that name is known */

static int find_user(const char *user, uid_t *uid, gid_t *gid, struct sdw_err *err)
{
    int64_t number;
    const struct passwd *entry;
    errno = 0;
    if (sdw_num_int(sdw_str_of(user), &number) && number >= 0 && number < UINT32_MAX) {
        *uid = (uid_t)number;
        entry = getpwuid(*uid);
        *gid = entry ? entry->pw_gid : (gid_t)number;
        return 0;
    }
    entry = getpwnam(user);
    if (!entry && strcmp(user, "nobody") == 0) {
        *uid = *gid = NOBODY;
        return 0;
    }
    if (!entry)
        return sdw_err_set(err, SDW_EUSAGE, "no user %s on this system", user);
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return 0;
}

/* Become the user; errno says why not. */
static bool become(uid_t uid, gid_t gid, bool initial)
{
    if (setgroups(0, NULL) < 0 && initial)
        return false;
    return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

static int lose_capabilities(struct sdw_err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capset, &header, none) < 0)
        return sdw_err_sys(err, "cannot give up capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return sdw_err_sys(err, "cannot give up new privileges");
    return 0;
}

int sdw_privilege_drop(const char *user, bool *kept, struct sdw_err *err)
{
    uid_t uid = 0;
    gid_t gid = 0;
    bool unmapped = false;
    if (!user)
        user = "nobody";
    if (geteuid() == 0) {
        bool initial = in_initial_namespace();
        int code = find_user(user, &uid, &gid, err);
        if (code < 0)
            return code;
        if (!become(uid, gid, initial)) {
            unmapped = !initial && (errno == EINVAL || errno == EPERM);
            if (!unmapped)
                return sdw_err_sys(err, "cannot become user %s", user);
        }
    }
    if (kept)
        *kept = unmapped;
    return lose_capabilities(err);
}

/* A file that is opened from now on is one to read: its flags are the third argument. */
enum { OPENAT_FLAGS = 2, WRITING = O_ACCMODE | O_CREAT | O_TRUNC };

static int allow(scmp_filter_ctx filter, const char *const *calls)
{
    const struct scmp_arg_cmp reading = SCMP_CMP(OPENAT_FLAGS, SCMP_CMP_MASKED_EQ, WRITING, 0);
    int status = 0;
    for (size_t i = 0; status == 0 && calls[i]; i++) {
        int number = seccomp_syscall_resolve_name(calls[i]);
        if (strcmp(calls[i], "openat") == 0)
            status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &reading);
        else if (number != __NR_SCMP_ERROR)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    return status;
}

int sdw_privilege_confine(const char *const *calls, struct sdw_err *err)
{
    if (!FILTERS)
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return sdw_err_set(err, SDW_ESYS, "cannot make a filter of system calls");
    int status = allow(filter, always);
    if (status == 0)
        status = allow(filter, calls);
    if (status == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    if (status == 0)
        return 0;
    errno = -status;
    return sdw_err_sys(err, "cannot confine the system calls");
}
