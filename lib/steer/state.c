#include "steer/state.h"
#include "core/buf.h"
#include "core/mem.h"
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ORDERS_MAX = 16 * 1024 * 1024 };

int sdw_state_default(char out[256], struct sdw_err *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    if (geteuid() == 0) /* cron's root has another environment, and must find the same */
        n = snprintf(out, 256, "/var/lib/shadow-tools/steer");
    else if (state && state[0])
        n = snprintf(out, 256, "%s/shadow-tools/steer", state);
    else if (home && home[0])
        n = snprintf(out, 256, "%s/.local/state/shadow-tools/steer", home);
    else
        return sdw_err_set(err, SDW_EUSAGE, "no home directory: name a place with --state");
    return n < 256 ? 0
                   : sdw_err_set(err, SDW_EUSAGE, "the path of the state directory is too long");
}

int sdw_state_make(const char *dir, struct sdw_err *err)
{
    char part[256];
    int n = snprintf(part, sizeof part, "%s", dir);
    if (n <= 0 || n >= (int)sizeof part)
        return sdw_err_set(err, SDW_EUSAGE, "--state: the path is empty or too long");
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return sdw_err_sys(err, "state directory %s", part);
        *p = '/';
    }
    if (mkdir(part, 0700) < 0 && errno != EEXIST)
        return sdw_err_sys(err, "state directory %s", part);
    return 0;
}

int sdw_state_path(const char *dir, const char *name, char out[256], struct sdw_err *err)
{
    return snprintf(out, 256, "%s/%s", dir, name) < 256
               ? 0
               : sdw_err_set(err, SDW_EUSAGE, "--state %s: the path is too long", dir);
}

int sdw_state_lock(const char *dir, struct sdw_err *err)
{
    char path[256];
    int code = sdw_state_path(dir, "lock", path, err);
    if (code < 0)
        return code;
    int fd = sdw_lock_take(path, err);
    if (fd == SDW_ENO)
        return sdw_err_set(err, SDW_ENO, "another shadow-steer (or its guardian) has %s", dir);
    return fd;
}

int sdw_state_lock_netns(struct sdw_err *err)
{
    static const char name[] = "shadow-tools/steer";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, name, sizeof name - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sdw_err_sys(err, "lock of the network namespace");
    if (bind(fd, (const struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name)) == 0)
        return fd;
    int code = errno == EADDRINUSE
                   ? sdw_err_set(err, SDW_ENO,
                                 "another shadow-steer works in this network namespace, with "
                                 "another state directory")
                   : sdw_err_sys(err, "lock of the network namespace");
    close(fd);
    return code;
}

static int slurp(const char *path, struct sdw_orders *orders, struct sdw_err *err)
{
    struct stat is;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sdw_err_sys(err, "orders %s", path);
    if (fstat(fd, &is) < 0 || is.st_size > ORDERS_MAX) {
        close(fd);
        return sdw_err_set(err, SDW_EINPUT, "orders %s: too large", path);
    }
    free(orders->text);
    orders->text = sdw_xalloc((size_t)is.st_size + 1);
    ssize_t got = read(fd, orders->text, (size_t)is.st_size);
    orders->text[got > 0 ? got : 0] = '\0';
    orders->inode = (int64_t)is.st_ino;
    orders->size = is.st_size;
    orders->changed_ns = (int64_t)is.st_mtim.tv_sec * 1000000000 + is.st_mtim.tv_nsec;
    close(fd);
    return 1;
}

int sdw_orders_read(struct sdw_orders *orders, const char *dir, struct sdw_err *err)
{
    char path[256];
    struct stat is;
    int code = sdw_state_path(dir, "orders", path, err);
    if (code < 0)
        return code;
    if (stat(path, &is) < 0) {
        bool had = orders->text && orders->text[0];
        sdw_orders_release(orders);
        return had;
    }
    if (orders->text && orders->inode == (int64_t)is.st_ino && orders->size == is.st_size &&
        orders->changed_ns == (int64_t)is.st_mtim.tv_sec * 1000000000 + is.st_mtim.tv_nsec)
        return 0;
    return slurp(path, orders, err);
}

/* The order of one line for this name, and where the next line starts. */
static enum sdw_order line_order(const char *line, const char *name, const char **next)
{
    const char *end = strchr(line, '\n');
    size_t n = end ? (size_t)(end - line) : strlen(line);
    static const struct {
        const char *word;
        enum sdw_order order;
    } words[] = {
        {"freeze ", SDW_ORDER_FREEZE}, {"undo ", SDW_ORDER_UNDO}, {"force ", SDW_ORDER_FORCE}};
    *next = end ? end + 1 : line + n;
    for (size_t i = 0; i < SDW_LEN(words); i++) {
        size_t skip = strlen(words[i].word);
        if (n > skip && memcmp(line, words[i].word, skip) == 0 && strlen(name) == n - skip &&
            memcmp(line + skip, name, n - skip) == 0)
            return words[i].order;
    }
    return SDW_ORDER_NONE;
}

static enum sdw_order find(const char *text, const char *name)
{
    enum sdw_order order = SDW_ORDER_NONE;
    while (text && *text && order == SDW_ORDER_NONE)
        order = line_order(text, name, &text);
    return order;
}

enum sdw_order sdw_orders_for(const struct sdw_orders *orders, const char *unit)
{
    enum sdw_order own = find(orders->text, unit);
    return own != SDW_ORDER_NONE ? own : find(orders->text, "*");
}

bool sdw_orders_name(const struct sdw_orders *orders, const char *unit)
{
    return find(orders->text, unit) != SDW_ORDER_NONE;
}

int sdw_orders_give(const char *dir, const char *unit, enum sdw_order order, struct sdw_err *err)
{
    static const char *const words[] = {"", "freeze", "undo", "force"};
    struct sdw_orders orders = {0};
    struct sdw_buf text = {0};
    char path[256], draft[256];
    int code = sdw_state_path(dir, "orders", path, err);
    if (code == 0)
        code = sdw_state_path(dir, "orders.new", draft, err);
    if (code == 0)
        code = sdw_orders_read(&orders, dir, err);
    for (const char *line = orders.text, *next; code >= 0 && line && *line; line = next)
        if (line_order(line, unit, &next) == SDW_ORDER_NONE)
            sdw_buf_add(&text, line, (size_t)(next - line));
    if (order != SDW_ORDER_NONE)
        sdw_buf_printf(&text, "%s %s\n", words[order], unit);
    int fd = code >= 0 ? open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (code >= 0 && (fd < 0 || (text.n && write(fd, text.p, text.n) != (ssize_t)text.n) ||
                      fsync(fd) < 0 || rename(draft, path) < 0))
        code = sdw_err_sys(err, "orders %s", path);
    if (fd >= 0)
        close(fd);
    sdw_orders_release(&orders);
    sdw_buf_release(&text);
    return code < 0 ? code : 0;
}

void sdw_orders_release(struct sdw_orders *orders)
{
    free(orders->text);
    *orders = (struct sdw_orders){0};
}
