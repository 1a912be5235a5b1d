#include "core/clock.h"
#include "sys/netns.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 200, STEP_MS = 10 };

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const char *after = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    int parent = 0;
    return after && sscanf(after, ") %*c %d", &parent) == 1 ? parent : 0;
}

static bool is_ancestor(pid_t pid)
{
    for (pid_t p = getpid(); p > 1; p = parent_of(p))
        if (p == pid)
            return true;
    return false;
}

/* Send the signal to each process of the namespace; returns how many there are. */
static int signal_all(const struct stat *namespace, int signal_number)
{
    int n = 0;
    const struct dirent *entry;
    DIR *dir = opendir("/proc");
    while (dir && (entry = readdir(dir))) {
        char path[300];
        struct stat its;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 1)
            continue;
        snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
        if (stat(path, &its) < 0 || its.st_ino != namespace->st_ino ||
            its.st_dev != namespace->st_dev || is_ancestor(pid))
            continue;
        n += kill(pid, signal_number) == 0;
    }
    if (dir)
        closedir(dir);
    return n;
}

int sdw_netns_end_processes(const char *name, struct sdw_err *err)
{
    char path[256];
    struct stat namespace, own;
    snprintf(path, sizeof path, SDW_NETNS_DIR "/%s", name);
    if (stat(path, &namespace) < 0)
        return sdw_err_sys(err, "namespace %s", name);
    if (stat("/proc/self/ns/net", &own) < 0)
        return sdw_err_sys(err, "/proc/self/ns/net");
    if (namespace.st_dev != own.st_dev)
        return 0; /* a name whose mount was never made */
    int n = signal_all(&namespace, SIGTERM);
    for (int ms = 0; ms < PATIENCE_MS && signal_all(&namespace, 0) > 0; ms += STEP_MS)
        sdw_sleep_until(sdw_mono_ns() + STEP_MS * 1000000, 0);
    signal_all(&namespace, SIGKILL);
    return n;
}
