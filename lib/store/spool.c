#include "store/spool.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 64 };

/* NUMBER-POINTS.KIND */
static const char *name_of(const struct sdw_spool *spool, const struct sdw_spool_batch *batch,
                           char out[NAME])
{
    snprintf(out, NAME, "%016llx-%u.%s", (unsigned long long)batch->number, batch->points,
             spool->kind);
    return out;
}

static void add(struct sdw_spool *spool, const struct sdw_spool_batch *batch)
{
    SDW_GROW(spool->batch, spool->cap, spool->n + 1);
    spool->batch[spool->n++] = *batch;
    spool->bytes += batch->bytes;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct sdw_spool_batch *)a)->number,
             y = ((const struct sdw_spool_batch *)b)->number;
    return (x > y) - (x < y);
}

/* Only whole batches have a name like this: others are what a crash left, or of another kind. */
static void find(struct sdw_spool *spool)
{
    int fd = openat(spool->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        struct sdw_spool_batch batch;
        struct stat is;
        char *end, name[NAME];
        batch.number = strtoull(entry->d_name, &end, 16);
        batch.points = *end == '-' ? (uint32_t)strtoul(end + 1, NULL, 10) : 0;
        name_of(spool, &batch, name);
        size_t stem = strcspn(name, ".") + 1;
        bool whole = strncmp(name, entry->d_name, stem) == 0;
        bool own = whole && strcmp(name + stem, entry->d_name + stem) == 0;
        spool->others += whole && !own;
        if (!own || fstatat(spool->dir, name, &is, 0) < 0)
            continue;
        batch.bytes = is.st_size;
        add(spool, &batch);
    }
    if (list)
        closedir(list);
    if (spool->n)
        qsort(spool->batch, spool->n, sizeof *spool->batch, by_number);
}

int sdw_spool_open(struct sdw_spool *spool, const char *path, const char *kind, int64_t max_bytes,
                   struct sdw_err *err)
{
    *spool = (struct sdw_spool){.dir = -1, .path = path, .kind = kind, .max_bytes = max_bytes};
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return sdw_err_sys(err, "cannot make the spool %s", path);
    spool->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->dir < 0)
        return sdw_err_sys(err, "cannot open the spool %s", path);
    if (flock(spool->dir, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? sdw_err_set(err, SDW_ESYS, "the spool %s is used by another process", path)
                   : sdw_err_sys(err, "cannot lock the spool %s", path);
    find(spool);
    return 0;
}

void sdw_spool_close(struct sdw_spool *spool)
{
    if (spool->dir >= 0)
        close(spool->dir);
    free(spool->batch);
    *spool = (struct sdw_spool){.dir = -1};
}

size_t sdw_spool_waiting(const struct sdw_spool *spool)
{
    return spool->n - spool->first;
}

void sdw_spool_drop(struct sdw_spool *spool)
{
    char name[NAME];
    struct sdw_spool_batch *batch = &spool->batch[spool->first++];
    unlinkat(spool->dir, name_of(spool, batch, name), 0);
    spool->bytes -= batch->bytes;
    if (spool->first == spool->n)
        spool->first = spool->n = 0;
}

int sdw_spool_put(struct sdw_spool *spool, struct sdw_str body, uint32_t points, uint64_t *dropped,
                  struct sdw_err *err)
{
    char name[NAME];
    struct sdw_spool_batch batch = {.number = 1, .points = points, .bytes = (int64_t)body.n};
    if (spool->n)
        batch.number = spool->batch[spool->n - 1].number + 1;
    while (sdw_spool_waiting(spool) && spool->bytes + batch.bytes > spool->max_bytes) {
        *dropped += spool->batch[spool->first].points;
        sdw_spool_drop(spool);
    }
    struct sdw_file file = {(const uint8_t *)body.p, body.n};
    if (sdw_file_store(spool->dir, name_of(spool, &batch, name), &file) < 0)
        return sdw_err_sys(err, "cannot write the spool %s", spool->path);
    add(spool, &batch);
    return 0;
}

int sdw_spool_oldest(const struct sdw_spool *spool, struct sdw_file *file, uint32_t *points,
                     struct sdw_err *err)
{
    char name[NAME];
    const struct sdw_spool_batch *batch = &spool->batch[spool->first];
    *points = batch->points;
    return sdw_file_map(file, spool->dir, name_of(spool, batch, name), err);
}
