#include "store/store.h"
#include "core/mem.h"
#include "store/query.h"
#include "unit/tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t minute = 60000000, start = 1700000000000000;
static char dir[] = "/tmp/sdw-store-XXXXXX", path[64], file[96];
static struct sdw_err err;

/* --- help ---------------------------------------------------------------------------------- */

static const char *in_store(const char *name)
{
    snprintf(file, sizeof file, "%s/%s", path, name);
    return file;
}

/* A new store, of which nothing is there yet. */
static void fresh(void)
{
    static int number;
    snprintf(path, sizeof path, "%s/s%d", dir, number++);
}

static bool open_store(struct sdw_store *store, bool write)
{
    struct sdw_store_settings settings = {.write = write, .create = write};
    int code = sdw_store_open(store, path, &settings, &err);
    if (code < 0)
        printf("# open: %s\n", err.text);
    return code == 0;
}

static uint32_t series(struct sdw_store *store, const char *name)
{
    uint32_t id = 0;
    sdw_store_series(store, sdw_str_of(name), sdw_str_of(""), &id, &err);
    return id;
}

static void append(struct sdw_store *store, const char *name, int64_t at_minute, double value)
{
    struct sdw_point point = {series(store, name), start + at_minute * minute, value};
    if (sdw_store_append(store, &point, &err) < 0)
        printf("# append: %s\n", err.text);
}

struct sum {
    size_t n;
    double sum;
    int64_t last;
    bool rising;
};

static int add(int64_t ts, double value, void *arg)
{
    struct sum *sum = arg;
    sum->n++;
    sum->sum += value;
    sum->rising = sum->rising && ts > sum->last;
    sum->last = ts;
    return 0;
}

static struct sum sum_of(const struct sdw_store *store, uint32_t id)
{
    struct sum sum = {.last = INT64_MIN, .rising = true};
    struct sdw_query query = {INT64_MIN, INT64_MAX, 0, SDW_AGG_NONE, 0, NULL};
    struct sdw_chunk_room room = {0};
    if (sdw_query_series(store, id, &query, &room, add, &sum, &err) < 0)
        sum.n = SIZE_MAX;
    sdw_chunk_room_release(&room);
    return sum;
}

/* Points of series 1 as a reader that opens the store sees them; SIZE_MAX when it cannot. */
static struct sum seen(void)
{
    struct sdw_store store;
    if (!open_store(&store, false))
        return (struct sum){.n = SIZE_MAX};
    struct sum sum = sum_of(&store, 1);
    sdw_store_close(&store);
    return sum;
}

static char *slurp(const char *name, size_t *n)
{
    struct stat is;
    int fd = open(in_store(name), O_RDONLY);
    char *all = NULL;
    if (fd >= 0 && fstat(fd, &is) == 0) {
        all = sdw_xalloc((size_t)is.st_size + 1);
        *n = read(fd, all, (size_t)is.st_size) == is.st_size ? (size_t)is.st_size : 0;
    }
    close(fd);
    return all;
}

static void spill(const char *name, const char *bytes, size_t n)
{
    int fd = open(in_store(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        ok(false, "cannot write %s", name);
    close(fd);
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_order(void)
{
    struct sdw_store store;
    fresh();
    ok(open_store(&store, true), "a store is made where there is none");
    append(&store, "a", 0, 1);
    append(&store, "a", 10, 2);
    append(&store, "a", 5, 4);
    append(&store, "a", 10, 16);
    append(&store, "a", 0, 32);
    ok(store.counts.points == 5 && store.counts.replaced == 2, "a point of the same time replaces");
    struct sum sum = sum_of(&store, 1);
    ok(sum.n == 3 && sum.sum == 52 && sum.rising, "points out of order come back in order");
    append(&store, "a", 11, 64);
    append(&store, "a", 0, 128);
    append(&store, "b", 0, 1);
    ok(store.counts.late == 1, "one older than the window of its own series is late");
    ok(sum_of(&store, 1).sum == 116, "and not taken");
    struct sdw_point bad = {1, start, NAN};
    ok(sdw_store_append(&store, &bad, &err) == SDW_EINPUT, "a value must be finite");
    bad = (struct sdw_point){1, INT64_MAX, 1};
    ok(sdw_store_append(&store, &bad, &err) == SDW_EINPUT, "a time must be exact in every reader");
    ok(sdw_store_commit(&store, &err) == 0, "a batch is committed");
    ok(seen().sum == 116, "a reader sees it while the writer is there");
    append(&store, "a", 12, 1);
    sdw_store_close(&store);
    ok(seen().n == 4, "what was not committed is not there");
}

static void test_writers(void)
{
    struct sdw_store first, second;
    struct sdw_store_settings settings = {.write = true, .create = true};
    char want[200];
    fresh();
    open_store(&first, true);
    ok(sdw_store_open(&second, path, &settings, &err) == SDW_ESYS, "a second writer is refused");
    snprintf(want, sizeof want, "the store %s is being written by process %ld", path,
             (long)getpid());
    is_text(err.text, want, "and told who writes");
    sdw_store_close(&first);
    ok(open_store(&second, true), "when the first is gone it may write");
    sdw_store_close(&second);
    snprintf(path, sizeof path, "%s", dir);
    ok(sdw_store_open(&second, path, &settings, &err) == SDW_EUSAGE,
       "a directory with other things in it does not become a store");
    fresh();
    settings = (struct sdw_store_settings){0};
    ok(sdw_store_open(&second, path, &settings, &err) == SDW_EUSAGE, "reading makes no store");
}

/* Three batches of one series; the size of the log after each. */
static void three_batches(size_t size[4])
{
    struct sdw_store store;
    fresh();
    open_store(&store, true);
    size[0] = (size_t)store.wal.size;
    for (int i = 0; i < 3; i++) {
        append(&store, "a", 2 * i, 1);
        append(&store, "a", 2 * i + 1, 1);
        sdw_store_commit(&store, &err);
        size[i + 1] = (size_t)store.wal.size;
    }
    sdw_store_close(&store);
}

static void test_torn(void)
{
    size_t size[4], n = 0, wrong = 0, wrong_after = 0;
    three_batches(size);
    char *log = slurp("wal-00000001", &n);
    ok(n == size[3], "a log has the size that its writer knows");
    for (size_t cut = 0; cut <= n; cut++) {
        size_t want = 0;
        for (int i = 1; i < 4; i++)
            want += cut >= size[i] ? 2 : 0;
        spill("wal-00000001", log, cut);
        wrong += seen().n != want;
        if (cut % 5)
            continue;
        struct sdw_store store;
        if (open_store(&store, true)) {
            append(&store, "a", 100, 1);
            sdw_store_commit(&store, &err);
            sdw_store_close(&store);
        }
        wrong_after += seen().n != want + 1;
    }
    ok(wrong == 0, "a log cut at any byte has all whole batches: %zu wrong", wrong);
    ok(wrong_after == 0, "and the next writer goes on after them: %zu wrong", wrong_after);
    free(log);
}

static void test_damaged_log(void)
{
    size_t size[4], n = 0, wrong = 0;
    struct sdw_store store;
    three_batches(size);
    char *log = slurp("wal-00000001", &n);
    for (size_t at = size[1]; at < size[2]; at++) {
        log[at] = (char)(log[at] ^ 0x10);
        spill("wal-00000001", log, n);
        log[at] = (char)(log[at] ^ 0x10);
        if (!open_store(&store, false)) {
            wrong++;
            continue;
        }
        wrong += sum_of(&store, 1).n != 4 || store.found.damaged != (int64_t)(size[2] - size[1]);
        sdw_store_close(&store);
    }
    ok(wrong == 0, "damage in the middle costs one batch, and is counted: %zu wrong", wrong);
    free(log);
}

static void fill(struct sdw_store *store)
{
    open_store(store, true);
    for (int i = 0; i < 100; i++) {
        append(store, "a", i, i);
        append(store, "b", i, 1);
    }
    sdw_store_commit(store, &err);
}

static void test_flush(void)
{
    struct sdw_store store;
    fresh();
    fill(&store);
    ok(sdw_store_flush(&store, false, &err) == 0 && store.n_segments == 0, "a small log stays");
    ok(sdw_store_flush(&store, true, &err) == 0 && store.n_segments == 1,
       "a log becomes a segment");
    ok(store.head.points == 22, "what may still change stays in memory: %llu points",
       (unsigned long long)store.head.points);
    append(&store, "a", 98, 1000);
    append(&store, "a", 88, 1000);
    ok(store.counts.late == 1, "what is in the segment does not change");
    sdw_store_commit(&store, &err);
    struct sum sum = sum_of(&store, 1);
    ok(sum.n == 100 && sum.sum == 4950 - 98 + 1000 && sum.rising, "nothing is lost or doubled");
    sum = seen();
    ok(sum.n == 100 && sum.sum == 5852 && sum.rising, "nor for a reader");
    sdw_store_close(&store);
    ok(open_store(&store, true) && sum_of(&store, 1).n == 100, "nor for the next writer");
    append(&store, "a", 88, 7);
    ok(store.counts.late == 1, "which knows what is late");
    sdw_store_flush(&store, true, &err);
    sdw_store_flush(&store, true, &err);
    ok(sum_of(&store, 1).n == 100, "flushing again changes nothing");
    sdw_store_close(&store);
}

/* A writer killed at each step of a flush leaves files that are not in step; these are they. */
static void test_killed_flush(void)
{
    size_t n_log, n_catalog, n_segment, n_next;
    struct sdw_store store;
    fresh();
    fill(&store);
    char *log = slurp("wal-00000001", &n_log), *catalog = slurp("catalog.sqlite", &n_catalog);
    sdw_store_flush(&store, true, &err);
    sdw_store_close(&store);
    char *segment = slurp("seg-00000001", &n_segment), *next = slurp("wal-00000002", &n_next);
    spill("wal-00000001", log, n_log);
    ok(seen().n == 100, "killed before the old log was removed: all is there");
    unlink(in_store("wal-00000002"));
    spill("catalog.sqlite", catalog, n_catalog);
    ok(seen().n == 100, "killed before the new log was made: all is there");
    size_t wrong = 0;
    for (size_t cut = 0; cut <= n_next; cut++) {
        spill("wal-00000002", next, cut);
        struct sum sum = seen();
        wrong += sum.n != 100 || sum.sum != 4950 || !sum.rising;
    }
    ok(wrong == 0, "killed while the new log was written: all is there, %zu times not", wrong);
    spill("seg-00000001", segment, n_segment / 2);
    ok(seen().n == 100, "half a segment does not count");
    ok(open_store(&store, true) && sum_of(&store, 1).n == 100, "the next writer has all");
    ok(access(in_store("seg-00000001"), F_OK) < 0, "and takes the half away");
    ok(sdw_store_flush(&store, true, &err) == 0 && sum_of(&store, 1).n == 100, "and can flush");
    sdw_store_close(&store);
    ok(seen().n == 100, "after which all is there");
    free(log);
    free(catalog);
    free(segment);
    free(next);
}

static void test_damaged_segment(void)
{
    struct sdw_store store;
    size_t n;
    fresh();
    fill(&store);
    sdw_store_flush(&store, true, &err);
    sdw_store_close(&store);
    char *bytes = slurp("seg-00000001", &n);
    bytes[20] = (char)(bytes[20] ^ 1);
    spill("seg-00000001", bytes, n);
    ok(open_store(&store, false), "a store with a damaged chunk opens");
    ok(sum_of(&store, 1).n == SIZE_MAX, "a query of its series says so");
    ok(sum_of(&store, 2).n == 100, "others are whole");
    sdw_store_close(&store);
    bytes[n - 100] = (char)(bytes[n - 100] ^ 1);
    spill("seg-00000001", bytes, n);
    ok(open_store(&store, false) && store.damage.code == SDW_EINPUT,
       "a store with a damaged index opens, and says so");
    ok(sum_of(&store, 1).n == SIZE_MAX, "and so does a query, of which that may cost something");
    sdw_store_close(&store);
    free(bytes);
}

/* A child, so that the limit of the file size, which stands for a full disk, is its alone. */
static int fill_the_disk(void)
{
    struct sdw_store store;
    struct rlimit limit = {20000, 20000};
    int good = 0, code = 0;
    signal(SIGXFSZ, SIG_IGN);
    if (!open_store(&store, true))
        return 255;
    series(&store, "a");
    sdw_store_commit(&store, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; code == 0 && i < 200; i++) {
        for (int k = 0; k < 20; k++)
            append(&store, "a", i * 20 + k, 1);
        code = sdw_store_commit(&store, &err);
        good += code == 0;
    }
    struct sdw_point point = {1, start, 1};
    if (code != SDW_ESYS || !strstr(err.text, "File too large") ||
        sdw_store_append(&store, &point, &err) == 0)
        return 254;
    sdw_store_close(&store);
    return good;
}

static void test_full(void)
{
    int status;
    fresh();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(fill_the_disk());
    waitpid(child, &status, 0);
    int good = WEXITSTATUS(status);
    ok(WIFEXITED(status) && good > 10 && good < 200, "a full disk is an error: %d batches", good);
    struct sdw_store store;
    ok(seen().n == (size_t)good * 20, "after which all that was acknowledged is there");
    ok(open_store(&store, true) && store.found.torn == 0, "and nothing else");
    sdw_store_close(&store);
}

static void test_silent(void)
{
    struct sdw_store store;
    fresh();
    open_store(&store, true);
    append(&store, "old", 0, 1);
    append(&store, "new", 3000, 1);
    sdw_store_commit(&store, &err);
    sdw_store_flush(&store, true, &err);
    ok(store.head.points == 1, "a series that has been silent for a day leaves the memory");
    append(&store, "old", 0, 2);
    append(&store, "old", 1, 2);
    ok(store.counts.late == 1 && sum_of(&store, 1).n == 2, "and may speak again");
    sdw_store_close(&store);
}

static int take_away(const char *name, const struct stat *is, int kind, struct FTW *at)
{
    (void)is, (void)kind, (void)at;
    return remove(name);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    test_order();
    test_torn();
    test_damaged_log();
    test_flush();
    test_killed_flush();
    test_damaged_segment();
    test_full();
    test_silent();
    test_writers();
    nftw(dir, take_away, 8, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
