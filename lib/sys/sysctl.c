#include "sys/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int sdw_sysctl_set(const char *name, const char *value, struct sdw_err *err)
{
    char path[256] = "/proc/sys/";
    size_t n = strlen(path);
    if (name[0] == '\0' || strchr(name, '/') || strstr(name, "..") || n + strlen(name) >= 256)
        return sdw_err_set(err, SDW_EINPUT, "sysctl %s: not the name of a setting", name);
    for (const char *p = name; *p; p++)
        path[n++] = *p == '.' ? '/' : *p;
    path[n] = '\0';
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return sdw_err_set(err, SDW_ENO, "sysctl %s: this kernel has no such setting", name);
    if (fd < 0)
        return sdw_err_sys(err, "sysctl %s", name);
    ssize_t done = write(fd, value, strlen(value));
    int code = done < 0 ? sdw_err_sys(err, "sysctl %s=%s", name, value) : 0;
    close(fd);
    return code;
}
