#include "store/store.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_S = 600, LOG_BYTES = 64 << 20, TRIES = 20 };

const char *sdw_store_log_name(uint64_t number, char out[SDW_LOG_NAME])
{
    snprintf(out, SDW_LOG_NAME, "wal-%08llu", (unsigned long long)number);
    return out;
}

/* --- the directory ------------------------------------------------------------------------- */

static int open_directory(struct sdw_store *store, struct sdw_err *err)
{
    if (store->settings.create && mkdir(store->path, 0755) < 0 && errno != EEXIST)
        return sdw_err_sys(err, "cannot make the store %s", store->path);
    store->dir = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dir < 0)
        return errno == ENOENT ? sdw_err_set(err, SDW_EUSAGE, "there is no store %s", store->path)
                               : sdw_err_sys(err, "cannot open the store %s", store->path);
    return 0;
}

/* The lock file holds the number of the process, for the message of the next one. */
static int take_lock(struct sdw_store *store, struct sdw_err *err)
{
    char holder[32] = "";
    store->lock = openat(store->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (store->lock < 0)
        return sdw_err_sys(err, "cannot lock the store %s", store->path);
    if (flock(store->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return sdw_err_sys(err, "cannot lock the store %s", store->path);
        ssize_t n = pread(store->lock, holder, sizeof holder - 1, 0);
        holder[n > 0 ? strcspn(holder, "\n") : 0] = '\0';
        return sdw_err_set(err, SDW_ESYS, "the store %s is being written by process %s",
                           store->path, holder[0] ? holder : "(unknown)");
    }
    int n = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(store->lock, 0) < 0 || pwrite(store->lock, holder, (size_t)n, 0) != n)
        return sdw_err_sys(err, "cannot lock the store %s", store->path);
    return 0;
}

/* A directory with anything but our own files in it is somebody else's. */
static bool is_foreign(int dir)
{
    static const char *const ours[] = {".", "lock", "catalog.sqlite", "wal-", "seg-", "spool"};
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    bool foreign = false;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        bool own = false;
        for (size_t i = 0; i < SDW_LEN(ours); i++)
            own = own || strncmp(entry->d_name, ours[i], strlen(ours[i])) == 0;
        foreign = foreign || !own;
    }
    if (list)
        closedir(list);
    return foreign;
}

static int open_catalog(struct sdw_store *store, struct sdw_err *err)
{
    struct sdw_buf path = {0};
    sdw_buf_printf(&path, "%s/catalog.sqlite", store->path);
    bool there = faccessat(store->dir, "catalog.sqlite", F_OK, 0) == 0;
    int code = 0;
    if (!there && (!store->settings.create || is_foreign(store->dir)))
        code = sdw_err_set(err, SDW_EUSAGE, "%s is not a store", store->path);
    if (code == 0)
        code = sdw_catalog_open(&store->catalog, path.p, store->settings.write,
                                store->settings.create, err);
    sdw_buf_release(&path);
    return code;
}

/* --- reading what is there ----------------------------------------------------------------- */

static void drop_segments(struct sdw_store *store)
{
    for (size_t i = 0; i < store->n_segments; i++)
        sdw_segment_close(&store->segment[i]);
    free(store->segment);
    store->segment = NULL;
    store->n_segments = 0;
}

/* The newest point of each series decides what is late; when the points are gone, what they were
 * rolled up to. */
static void note_newest(struct sdw_store *store, const struct sdw_segment *segment)
{
    static const int64_t minute_us = 60000000;
    for (size_t i = 0; i < segment->n; i++) {
        struct sdw_entry entry;
        sdw_segment_entry(segment, i, &entry);
        struct sdw_head_series *s = sdw_head_at(&store->head, entry.series);
        int64_t to_us = entry.stats.to_us + (segment->level == 1 ? minute_us - 1 : 0);
        if (!s)
            continue;
        s->newest_us = entry.stats.to_us > s->newest_us ? entry.stats.to_us : s->newest_us;
        if (segment->level < 2)
            s->flushed_us = to_us > s->flushed_us ? to_us : s->flushed_us;
        store->newest_us = s->newest_us > store->newest_us ? s->newest_us : store->newest_us;
    }
}

/* What the catalogue knows of a segment that cannot be read. */
static void do_without(struct sdw_store *store, const struct sdw_catalog_segment *about,
                       struct sdw_segment *segment, const struct sdw_err *err)
{
    *segment = (struct sdw_segment){.id = about->id, .level = about->level, .damaged = true};
    store->damage = *err;
    store->newest_us = about->to_us > store->newest_us ? about->to_us : store->newest_us;
}

/* SDW_ENO when a file is missing, unless that is to be done without. */
static int load(struct sdw_store *store, bool without, struct sdw_err *err)
{
    drop_segments(store);
    sdw_manifest_release(&store->manifest);
    store->damage = (struct sdw_err){0};
    int code = sdw_catalog_manifest(store->catalog, &store->manifest, err);
    store->segment = sdw_xalloc((store->manifest.n + 1) * sizeof *store->segment);
    for (size_t i = 0; code == 0 && i < store->manifest.n; i++) {
        const struct sdw_catalog_segment *about = &store->manifest.segment[i];
        code = sdw_segment_open(&store->segment[i], store->dir, about->id, err);
        if (code == SDW_EINPUT || (code == SDW_ENO && without)) {
            do_without(store, about, &store->segment[i], err);
            code = 0;
        }
        if (code == 0)
            note_newest(store, &store->segment[store->n_segments++]);
    }
    return code;
}

int sdw_store_reload(struct sdw_store *store, struct sdw_err *err)
{
    return load(store, true, err);
}

static int replay_point(const struct sdw_point *point, void *arg)
{
    struct sdw_store *store = arg;
    (void)sdw_head_take(&store->head, point->series, point->ts_us, point->value, INT64_MAX);
    store->newest_us = point->ts_us > store->newest_us ? point->ts_us : store->newest_us;
    return 0;
}

/* 1 when the log was read, 0 when there is none of that number. */
static int replay_log(struct sdw_store *store, uint64_t number, struct sdw_wal_found *found,
                      struct sdw_err *err)
{
    char name[SDW_LOG_NAME];
    struct sdw_file file;
    int code = sdw_file_map(&file, store->dir, sdw_store_log_name(number, name), err);
    if (code < 0)
        return code == SDW_ENO ? 0 : code;
    code = sdw_wal_read(&file, replay_point, store, found);
    sdw_file_unmap(&file);
    return code < 0 ? code : 1;
}

/* All logs that count. A store that was just made, or whose maker was killed, has none. */
static int replay(struct sdw_store *store, struct sdw_wal_found *last, struct sdw_err *err)
{
    struct sdw_wal_found found;
    int code = 1;
    store->log = store->manifest.first_log;
    store->found = (struct sdw_wal_found){0};
    for (uint64_t number = store->log; code > 0; number++) {
        code = replay_log(store, number, &found, err);
        if (code <= 0)
            break;
        store->log = number;
        store->log_bytes = found.whole + found.torn;
        store->found.frames += found.frames;
        store->found.points += found.points;
        store->found.whole += found.whole;
        store->found.torn += found.torn;
        store->found.damaged += found.damaged;
        *last = found;
    }
    store->log_missing = store->manifest.any_series && store->found.whole + store->found.torn == 0;
    return code;
}

/* A reader may look while a writer replaces files: then it looks again. */
static int read_all(struct sdw_store *store, struct sdw_wal_found *last, struct sdw_err *err)
{
    int code = SDW_ESYS;
    for (unsigned i = 0; i < TRIES; i++) {
        sdw_head_release(&store->head);
        store->newest_us = INT64_MIN;
        code = load(store, store->settings.write || i + 1 == TRIES, err);
        if (code == SDW_ENO)
            continue;
        if (code == 0)
            code = replay(store, last, err);
        if (code < 0 || store->settings.write || !store->log_missing)
            break;
    }
    return code;
}

/* --- opening and closing ------------------------------------------------------------------- */

static bool counts_still(const struct sdw_store *store, const char *name)
{
    char *end;
    unsigned long long number = strtoull(name + 4, &end, 10);
    if (*end || (strncmp(name, "wal-", 4) != 0 && strncmp(name, "seg-", 4) != 0))
        return true;
    if (name[0] == 'w')
        return number >= store->manifest.first_log;
    for (size_t i = 0; i < store->manifest.n; i++)
        if (store->manifest.segment[i].id == number)
            return true;
    return false;
}

/* What a killed writer left: segments that never counted, and logs that no longer do. */
static void sweep(const struct sdw_store *store)
{
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (strlen(entry->d_name) > 4 && !counts_still(store, entry->d_name))
            unlinkat(store->dir, entry->d_name, 0);
    if (list)
        closedir(list);
}

static int learn_series(uint32_t id, struct sdw_str name, struct sdw_str labels, void *arg)
{
    struct sdw_store *store = arg;
    struct sdw_buf key = {0};
    sdw_buf_str(&key, name);
    sdw_buf_char(&key, '\0');
    sdw_buf_str(&key, labels);
    *sdw_map_at(&store->series, sdw_buf_view(&key)) = (void *)(uintptr_t)id;
    sdw_buf_release(&key);
    return 0;
}

/* The window is part of the store: what is rolled up depends on what may still come. */
static int keep_window(struct sdw_store *store, struct sdw_err *err)
{
    int64_t kept = INT64_C(1000000) * WINDOW_S, *window = &store->settings.window_us;
    int code = sdw_catalog_get(store->catalog, "window_us", &kept, err);
    if (*window <= 0)
        *window = kept;
    if (code == 0 && *window != kept)
        code = sdw_catalog_set(store->catalog, "window_us", *window, err);
    return code < 0 ? code : sdw_catalog_commit(store->catalog, err);
}

static int open_writer(struct sdw_store *store, const struct sdw_wal_found *last,
                       struct sdw_err *err)
{
    char name[SDW_LOG_NAME];
    bool fresh = store->found.whole + store->found.torn == 0;
    int code = keep_window(store, err);
    if (code < 0)
        return code;
    sweep(store);
    code = sdw_wal_open(&store->wal, store->dir, sdw_store_log_name(store->log, name),
                        fresh ? NULL : last, err);
    if (code == 0 && fsync(store->dir) < 0)
        code = sdw_err_sys(err, "cannot write %s", store->path);
    if (code == 0)
        code = sdw_catalog_each(store->catalog, NULL, learn_series, store, err);
    return code;
}

int sdw_store_open(struct sdw_store *store, const char *path,
                   const struct sdw_store_settings *settings, struct sdw_err *err)
{
    struct sdw_wal_found last = {0};
    *store = (struct sdw_store){.settings = *settings,
                                .path = sdw_xstrdup(path),
                                .dir = -1,
                                .lock = -1,
                                .newest_us = INT64_MIN,
                                .wal = {.fd = -1}};
    if (store->settings.log_bytes <= 0)
        store->settings.log_bytes = LOG_BYTES;
    sdw_map_init(&store->series, 0x73746f7265);
    int code = open_directory(store, err);
    if (code == 0 && settings->write)
        code = take_lock(store, err);
    if (code == 0)
        code = open_catalog(store, err);
    if (code == 0)
        code = read_all(store, &last, err);
    if (code == 0 && settings->write)
        code = open_writer(store, &last, err);
    if (code < 0)
        sdw_store_close(store);
    return code;
}

bool sdw_store_lacks_log(const struct sdw_store *store)
{
    return store->found.damaged || store->log_missing;
}

bool sdw_store_is_current(const struct sdw_store *store)
{
    char name[SDW_LOG_NAME];
    struct stat is;
    return fstatat(store->dir, sdw_store_log_name(store->log, name), &is, 0) == 0 &&
           is.st_size == store->log_bytes &&
           faccessat(store->dir, sdw_store_log_name(store->log + 1, name), F_OK, 0) < 0;
}

void sdw_store_close(struct sdw_store *store)
{
    drop_segments(store);
    sdw_manifest_release(&store->manifest);
    sdw_head_release(&store->head);
    sdw_wal_close(&store->wal);
    sdw_map_release(&store->series);
    sdw_catalog_close(store->catalog);
    if (store->lock >= 0)
        close(store->lock);
    if (store->dir >= 0)
        close(store->dir);
    free(store->path);
    *store = (struct sdw_store){.dir = -1, .lock = -1, .wal = {.fd = -1}};
}

/* --- taking points ------------------------------------------------------------------------- */

int sdw_store_series(struct sdw_store *store, struct sdw_str name, struct sdw_str labels,
                     uint32_t *id, struct sdw_err *err)
{
    struct sdw_buf key = {0};
    sdw_buf_str(&key, name);
    sdw_buf_char(&key, '\0');
    sdw_buf_str(&key, labels);
    void **place = sdw_map_at(&store->series, sdw_buf_view(&key));
    sdw_buf_release(&key);
    *id = (uint32_t)(uintptr_t)*place;
    int code = *id ? 0 : sdw_catalog_add(store->catalog, name, labels, id, err);
    if (code < 0)
        store->failed = true;
    else
        *place = (void *)(uintptr_t)*id;
    return code;
}

int sdw_store_append(struct sdw_store *store, const struct sdw_point *point, struct sdw_err *err)
{
    if (store->failed)
        return sdw_err_set(err, SDW_ESYS, "the store failed before");
    if (!isfinite(point->value))
        return sdw_err_field(err, "value", "not a finite number");
    if (point->ts_us > SDW_INT_MAX || point->ts_us < -SDW_INT_MAX)
        return sdw_err_field(err, "ts", "out of range");
    enum sdw_take take = sdw_head_take(&store->head, point->series, point->ts_us, point->value,
                                       store->settings.window_us);
    if (take == SDW_LATE) {
        store->counts.late++;
        return 0;
    }
    store->counts.points++;
    store->counts.replaced += take == SDW_REPLACED;
    store->newest_us = point->ts_us > store->newest_us ? point->ts_us : store->newest_us;
    sdw_wal_add(&store->wal, point);
    return 0;
}

/* The series first: a log must never name one that the catalogue does not know. */
int sdw_store_commit(struct sdw_store *store, struct sdw_err *err)
{
    int code = sdw_catalog_commit(store->catalog, err);
    if (code == 0)
        code = sdw_wal_commit(&store->wal, err);
    store->failed = store->failed || code < 0;
    return code;
}
