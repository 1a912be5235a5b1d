#include "net/lab.h"
#include "io/line.h"
#include "sys/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_PATH = 128 };

static const char *state_path(const char *lab, const char *suffix, char out[STATE_PATH])
{
    snprintf(out, STATE_PATH, SDW_LAB_STATE_DIR "/%s%s", lab, suffix);
    return out;
}

/* A letter, then letters, digits and hyphens, at most 31. */
static int check_name(const char *lab, struct sdw_err *err)
{
    size_t n = strlen(lab);
    bool good = n > 0 && n < SDW_LAB_NAME;
    for (size_t i = 0; i < n && good; i++) {
        bool letter = (lab[i] >= 'a' && lab[i] <= 'z') || (lab[i] >= 'A' && lab[i] <= 'Z');
        good = letter || (i > 0 && ((lab[i] >= '0' && lab[i] <= '9') || lab[i] == '-'));
    }
    return good ? 0
                : sdw_err_set(err, SDW_EUSAGE,
                              "--lab \"%.40s\": a letter, then letters, digits and hyphens, at"
                              " most %d",
                              lab, SDW_LAB_NAME - 1);
}

const char *sdw_lab_netns(const char *lab, const char *node, char out[SDW_LAB_NETNS])
{
    snprintf(out, SDW_LAB_NETNS, "sdw-%s-%s", lab, node);
    return out;
}

int sdw_lab_lock(const char *lab, struct sdw_err *err)
{
    char path[STATE_PATH];
    int code = check_name(lab, err);
    if (code < 0)
        return code;
    if (mkdir(SDW_LAB_STATE_DIR, 0755) < 0 && errno != EEXIST)
        return sdw_err_sys(err, SDW_LAB_STATE_DIR);
    int fd = open(state_path(lab, ".lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return sdw_err_sys(err, "%s", path);
    if (flock(fd, LOCK_EX) < 0) {
        code = sdw_err_sys(err, "%s: lock", path);
        close(fd);
        return code;
    }
    return fd;
}

static int write_all(int fd, struct sdw_str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return -1;
        text.p += n > 0 ? n : 0;
        text.n -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int sdw_lab_save(const char *lab, const struct sdw_topology *topology, struct sdw_err *err)
{
    char path[STATE_PATH], fresh[STATE_PATH];
    struct sdw_buf text = {0};
    for (size_t i = 0; i < topology->n_nodes; i++) {
        sdw_topology_node_line(topology, i, 0, &text);
        sdw_buf_char(&text, '\n');
    }
    for (size_t i = 0; i < topology->n_links; i++) {
        sdw_topology_link_line(topology, i, 0, &text);
        sdw_buf_char(&text, '\n');
    }
    state_path(lab, ".ndjson", path);
    int fd = open(state_path(lab, ".new", fresh), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int code = 0;
    if (fd < 0 || write_all(fd, sdw_buf_view(&text)) < 0 || rename(fresh, path) < 0)
        code = sdw_err_sys(err, "%s", path);
    if (fd >= 0)
        close(fd);
    sdw_buf_release(&text);
    return code;
}

int sdw_lab_load(const char *lab, struct sdw_topology *topology, struct sdw_err *err)
{
    char path[STATE_PATH];
    struct sdw_str line;
    int code = check_name(lab, err);
    if (code < 0)
        return code;
    int fd = open(state_path(lab, ".ndjson", path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return sdw_err_set(err, SDW_EUSAGE,
                           "there is no laboratory \"%s\" (shadow-lab up makes one)", lab);
    if (fd < 0)
        return sdw_err_sys(err, "%s", path);
    struct sdw_reader *reader = sdw_reader_new(fd, path);
    while ((code = sdw_reader_next(reader, &line, err)) > 0 &&
           (code = sdw_topology_take(topology, line, err)) >= 0)
        ;
    sdw_reader_free(reader);
    close(fd);
    return code < 0 ? code : sdw_topology_finish(topology, err);
}

/* Taking down: the names that are this laboratory's. */
struct taking {
    size_t prefix; /* length of "sdw-LAB-" */
    struct sdw_lab_down *count;
    struct sdw_err *err;
};

static int take_down(const char *name, void *arg)
{
    struct taking *taking = arg;
    if (strchr(name + taking->prefix, '-')) /* the laboratory "LAB-x" */
        return 0;
    int n = sdw_netns_end_processes(name, taking->err);
    if (n < 0)
        return n;
    taking->count->processes += n;
    taking->count->namespaces++;
    return sdw_netns_delete(name, taking->err);
}

int sdw_lab_clear(const char *lab, struct sdw_lab_down *count, struct sdw_err *err)
{
    char prefix[SDW_LAB_NETNS], path[STATE_PATH];
    sdw_lab_netns(lab, "", prefix);
    struct taking taking = {strlen(prefix), count, err};
    *count = (struct sdw_lab_down){0};
    int code = sdw_netns_each(prefix, take_down, &taking, err);
    if (code < 0)
        return code;
    unlink(state_path(lab, ".new", path));
    unlink(state_path(lab, ".ndjson", path));
    unlink(state_path(lab, ".lock", path));
    rmdir(SDW_LAB_STATE_DIR); /* stays while another laboratory stands */
    return 0;
}

int sdw_lab_down(const char *lab, struct sdw_lab_down *count, struct sdw_err *err)
{
    int lock = sdw_lab_lock(lab, err);
    if (lock < 0)
        return lock;
    int code = sdw_lab_clear(lab, count, err);
    close(lock);
    return code;
}

int sdw_lab_exec(const char *lab, const char *node, char **argv, struct sdw_err *err)
{
    char name[SDW_LAB_NETNS];
    sigset_t none;
    struct sdw_topology topology = {0};
    int code = sdw_lab_load(lab, &topology, err);
    if (code == 0 && sdw_topology_find(&topology, node) < 0)
        code = sdw_err_set(err, SDW_EUSAGE, "%s: there is no such node in \"%s\"", node, lab);
    sdw_topology_release(&topology);
    if (code == 0)
        code = sdw_netns_enter_fully(sdw_lab_netns(lab, node, name), err);
    if (code < 0)
        return code;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    return errno == ENOENT ? sdw_err_set(err, SDW_EUSAGE, "%s: there is no such program", argv[0])
                           : sdw_err_sys(err, "%s", argv[0]);
}
