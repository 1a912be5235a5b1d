#include "sys/netns.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path_of(const char *name, char path[256])
{
    snprintf(path, 256, SDW_NETNS_DIR "/%s", name);
    return path;
}

/* Whether this is a user namespace other than the machine's own. */
static bool in_user_namespace(void)
{
    unsigned first = 0, outside = 0, count = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    if (!map)
        return false;
    int n = fscanf(map, "%u %u %u", &first, &outside, &count);
    fclose(map);
    return n == 3 && !(first == 0 && outside == 0 && count == 4294967295u);
}

int sdw_netns_prepare(struct sdw_err *err)
{
    (void)mkdir(SDW_NETNS_DIR, 0755); /* what matters is whether it is there and fit for use */
    if (access(SDW_NETNS_DIR, W_OK) < 0 && in_user_namespace()) {
        if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0)
            return sdw_err_sys(err, "/run is not writable and a tmpfs cannot be mounted over it"
                                    " (use unshare -Urnm, with the m)");
        if (mkdir(SDW_NETNS_DIR, 0755) < 0)
            return sdw_err_sys(err, SDW_NETNS_DIR);
    }
    if (access(SDW_NETNS_DIR, W_OK) < 0)
        return sdw_err_sys(err, SDW_NETNS_DIR " is not writable (run as root or in unshare -Urnm)");
    /* A shared mount, so that deleting a name frees it in every mount namespace. */
    if (mount("", SDW_NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    if (errno != EINVAL)
        return sdw_err_sys(err, "sharing the mount " SDW_NETNS_DIR);
    if (mount(SDW_NETNS_DIR, SDW_NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
        mount("", SDW_NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
        return sdw_err_sys(err, "mounting " SDW_NETNS_DIR);
    return 0;
}

int sdw_netns_create(const char *name, struct sdw_err *err)
{
    char path[256];
    int file = open(path_of(name, path), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    if (file < 0)
        return sdw_err_sys(err, "namespace %s", name);
    close(file);
    int code = 0;
    if (unshare(CLONE_NEWNET) < 0)
        code = sdw_err_sys(err, "namespace %s: unshare", name);
    else if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0)
        code = sdw_err_sys(err, "namespace %s: mount", name);
    if (code < 0)
        unlink(path);
    return code;
}

int sdw_netns_open(const char *name, struct sdw_err *err)
{
    char path[256] = "/proc/thread-self/ns/net";
    if (name)
        path_of(name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? sdw_err_sys(err, "namespace %s", name ? name : "of this process") : fd;
}

int sdw_netns_return(int fd, struct sdw_err *err)
{
    return setns(fd, CLONE_NEWNET) < 0 ? sdw_err_sys(err, "entering a namespace") : 0;
}

int sdw_netns_nameless(struct sdw_err *err)
{
    int outside = sdw_netns_open(NULL, err);
    if (outside < 0)
        return outside;
    if (unshare(CLONE_NEWNET) < 0) {
        int denied = errno == EPERM
                         ? sdw_err_set(err, SDW_EPERM,
                                       "a network namespace needs CAP_SYS_ADMIN: run as root")
                         : sdw_err_sys(err, "network namespace: unshare");
        close(outside);
        return denied;
    }
    int inside = sdw_netns_open(NULL, err);
    int code = sdw_netns_return(outside, err);
    close(outside);
    if (code == 0 || inside < 0)
        return inside;
    close(inside);
    return code;
}

int sdw_netns_enter(const char *name, struct sdw_err *err)
{
    int fd = sdw_netns_open(name, err);
    if (fd < 0)
        return fd;
    int code = sdw_netns_return(fd, err);
    close(fd);
    return code;
}

int sdw_netns_enter_fully(const char *name, struct sdw_err *err)
{
    int code = sdw_netns_enter(name, err);
    if (code < 0)
        return code;
    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0)
        return sdw_err_sys(err, "namespace %s: mounts of its own", name);
    (void)umount2("/sys", MNT_DETACH); /* an older /sys that stays only shows other interfaces */
    (void)mount(name, "/sys", "sysfs", 0, NULL);
    return 0;
}

int sdw_netns_delete(const char *name, struct sdw_err *err)
{
    char path[256];
    (void)umount2(path_of(name, path), MNT_DETACH); /* not mounted: left by an interrupted create */
    if (unlink(path) < 0 && errno != ENOENT)
        return sdw_err_sys(err, "namespace %s", name);
    return 0;
}

int sdw_netns_each(const char *prefix, int (*each)(const char *name, void *arg), void *arg,
                   struct sdw_err *err)
{
    char **names = NULL;
    size_t n = 0, cap = 0;
    DIR *dir = opendir(SDW_NETNS_DIR);
    if (!dir)
        return errno == ENOENT ? 0 : sdw_err_sys(err, SDW_NETNS_DIR);
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        SDW_GROW(names, cap, n + 1);
        names[n++] = sdw_xstrdup(entry->d_name);
    }
    closedir(dir);
    int code = 0;
    for (size_t i = 0; i < n; i++) {
        if (code >= 0)
            code = each(names[i], arg);
        free(names[i]);
    }
    free(names);
    return code < 0 ? code : (int)n;
}
