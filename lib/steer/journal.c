#include "steer/journal.h"
#include "core/map.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "io/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHAIN_TAIL = 28 }; /* ,"chain":"0123456789abcdef"} */

static uint64_t chain_of(uint64_t before, const char *line, size_t n)
{
    return sdw_hash(line, n, before);
}

enum { SEQ, TS, OP, UNIT, STATE, WHY, SLOT, SHARES, PLAN, KEYS };
static const struct sdw_str keys[KEYS] = {{"seq", 3},  {"ts", 2},     {"op", 2},
                                          {"unit", 4}, {"state", 5},  {"why", 3},
                                          {"slot", 4}, {"shares", 6}, {"plan", 4}};

static bool decode_shares(struct sdw_str json, struct sdw_journal_entry *entry)
{
    struct sdw_scan scan;
    struct sdw_member item;
    int got = sdw_scan_begin(&scan, json, NULL);
    if (got < 0 || !scan.array)
        return false;
    while ((got = sdw_scan_next(&scan, &item, NULL)) > 0) {
        double share;
        if (entry->n == SDW_WAYS_MAX || !sdw_num_real(item.value, &share) || share < 0 || share > 1)
            return false;
        entry->share[entry->n++] = share;
    }
    return got == 0;
}

static bool decode_text(const struct sdw_member *member, struct sdw_arena *arena,
                        struct sdw_str *out)
{
    struct sdw_buf text = {0};
    *out = (struct sdw_str){NULL, 0};
    if (!member->key.p)
        return true;
    bool good =
        member->kind == SDW_SCAN_STRING && sdw_scan_unescape(member->value, &text, NULL) == 0;
    if (good) {
        char *copy = sdw_arena_alloc(arena, text.n + 1);
        if (text.n)
            memcpy(copy, text.p, text.n);
        *out = (struct sdw_str){copy, text.n};
    }
    sdw_buf_release(&text);
    return good;
}

static bool decode(struct sdw_str line, struct sdw_arena *arena, struct sdw_journal_entry *entry)
{
    struct sdw_member got[KEYS];
    int64_t seq;
    *entry = (struct sdw_journal_entry){.slot = SDW_NO_INT};
    if (sdw_scan_find(line, keys, KEYS, got, NULL) < 0 || !got[SEQ].key.p ||
        !sdw_num_int(got[SEQ].value, &seq) || !got[TS].key.p ||
        !sdw_num_int(got[TS].value, &entry->ts) || !got[OP].key.p)
        return false;
    entry->seq = (uint64_t)seq;
    if (got[SLOT].key.p && !sdw_num_int(got[SLOT].value, &entry->slot))
        return false;
    if (got[SHARES].key.p && !decode_shares(got[SHARES].value, entry))
        return false;
    if (got[PLAN].key.p)
        entry->plan = got[PLAN].value;
    return decode_text(&got[OP], arena, &entry->op) &&
           decode_text(&got[UNIT], arena, &entry->unit) &&
           decode_text(&got[STATE], arena, &entry->state) &&
           decode_text(&got[WHY], arena, &entry->why);
}

/* The line (without its newline) follows the chain; moves the chain on. */
static bool follows(struct sdw_journal *journal, struct sdw_str line)
{
    char tail[CHAIN_TAIL + 1];
    if (line.n <= CHAIN_TAIL)
        return false;
    uint64_t chain = chain_of(journal->chain, line.p, line.n - CHAIN_TAIL);
    snprintf(tail, sizeof tail, ",\"chain\":\"%016llx\"}", (unsigned long long)chain);
    if (memcmp(line.p + line.n - CHAIN_TAIL, tail, CHAIN_TAIL) != 0)
        return false;
    journal->chain = chain;
    return true;
}

struct replay {
    struct sdw_journal *journal;
    int (*each)(const struct sdw_journal_entry *entry, void *arg);
    void *arg;
    size_t good; /* bytes that are whole entries */
};

static int replay(struct replay *r, struct sdw_str all, struct sdw_err *err)
{
    struct sdw_arena arena = {0};
    uint64_t number = 0;
    int code = 0;
    while (r->good < all.n && code == 0) {
        const char *start = all.p + r->good;
        const char *newline = memchr(start, '\n', all.n - r->good);
        struct sdw_journal_entry entry;
        if (!newline)
            break;
        struct sdw_str line = {start, (size_t)(newline - start)};
        bool last = newline + 1 == all.p + all.n;
        number++;
        uint64_t chain_before = r->journal->chain;
        if (!follows(r->journal, line) || !decode(line, &arena, &entry)) {
            r->journal->chain = chain_before;
            if (last)
                break;
            code = sdw_err_set(err, SDW_EINPUT,
                               "journal %s is damaged here: lines are missing or changed. Move it "
                               "away, then run shadow-steer undo --orphans",
                               r->journal->path);
            err->line = number;
            break;
        }
        r->journal->seq = entry.seq;
        r->good += line.n + 1;
        code = r->each ? r->each(&entry, r->arg) : 0;
        sdw_arena_reset(&arena);
    }
    sdw_arena_release(&arena);
    return code;
}

static int slurp(int fd, const char *path, struct sdw_buf *all, struct sdw_err *err)
{
    for (;;) {
        sdw_buf_reserve(all, 65536);
        ssize_t got = read(fd, all->p + all->n, 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sdw_err_sys(err, "journal %s", path);
        if (got == 0)
            return 0;
        all->n += (size_t)got;
    }
}

int sdw_journal_open(struct sdw_journal *journal, const char *path, bool repair,
                     int (*each)(const struct sdw_journal_entry *entry, void *arg), void *arg,
                     struct sdw_err *err)
{
    struct sdw_buf all = {0};
    struct replay r = {journal, each, arg, 0};
    *journal = (struct sdw_journal){.fd = -1};
    if (strlen(path) >= sizeof journal->path)
        return sdw_err_set(err, SDW_EUSAGE, "journal %s: the path is too long", path);
    snprintf(journal->path, sizeof journal->path, "%s", path);
    journal->fd = repair ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                         : open(path, O_RDONLY | O_CLOEXEC);
    if (journal->fd < 0 && !repair && errno == ENOENT)
        return 0;
    if (journal->fd < 0)
        return sdw_err_sys(err, "journal %s", path);
    int code = slurp(journal->fd, path, &all, err);
    if (code == 0)
        code = replay(&r, sdw_buf_view(&all), err);
    if (code == 0 && repair && r.good < all.n && ftruncate(journal->fd, (off_t)r.good) < 0)
        code = sdw_err_sys(err, "journal %s: cannot cut off a broken last line", path);
    sdw_buf_release(&all);
    if (code < 0)
        sdw_journal_close(journal);
    return code;
}

void sdw_journal_close(struct sdw_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    sdw_buf_release(&journal->line);
    journal->fd = -1;
}

static void encode(const struct sdw_journal_entry *entry, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_int(&w, "seq", (int64_t)entry->seq);
    sdw_jsonw_int(&w, "ts", entry->ts);
    sdw_jsonw_str(&w, "op", entry->op);
    if (entry->unit.p)
        sdw_jsonw_str(&w, "unit", entry->unit);
    if (entry->slot != SDW_NO_INT)
        sdw_jsonw_int(&w, "slot", entry->slot);
    if (entry->state.p)
        sdw_jsonw_str(&w, "state", entry->state);
    if (entry->n) {
        sdw_jsonw_array(&w, "shares");
        for (size_t i = 0; i < entry->n; i++)
            sdw_jsonw_model(&w, NULL, entry->share[i]);
        sdw_jsonw_end(&w);
    }
    if (entry->why.p)
        sdw_jsonw_str(&w, "why", entry->why);
    if (entry->plan.p)
        sdw_jsonw_raw(&w, "plan", entry->plan);
    sdw_jsonw_end(&w);
}

int sdw_journal_append(struct sdw_journal *journal, struct sdw_journal_entry *entry,
                       struct sdw_err *err)
{
    struct sdw_buf *line = &journal->line;
    entry->seq = journal->seq + 1;
    sdw_buf_clear(line);
    encode(entry, line);
    line->n--; /* the closing brace comes behind the chain */
    uint64_t chain = chain_of(journal->chain, line->p, line->n);
    sdw_buf_printf(line, ",\"chain\":\"%016llx\"}\n", (unsigned long long)chain);
    struct stat before;
    if (journal->torn && ftruncate(journal->fd, journal->whole) < 0)
        return sdw_err_sys(err, "journal %s: cannot cut off a broken last line", journal->path);
    journal->torn = false;
    if (fstat(journal->fd, &before) < 0)
        return sdw_err_sys(err, "journal %s", journal->path);
    ssize_t wrote = write(journal->fd, line->p, line->n);
    if (wrote != (ssize_t)line->n) {
        if (wrote >= 0)
            errno = ENOSPC;
        int code = sdw_err_sys(err, "journal %s: nothing is changed that cannot be recorded",
                               journal->path);
        /* What cannot be taken back now has to be before anything else is appended. */
        journal->whole = before.st_size;
        journal->torn = wrote > 0 && ftruncate(journal->fd, before.st_size) < 0;
        return code;
    }
    journal->seq = entry->seq;
    journal->chain = chain;
    journal->unsynced = true;
    return 0;
}

int sdw_journal_sync(struct sdw_journal *journal, struct sdw_err *err)
{
    if (!journal->unsynced)
        return 0;
    if (fdatasync(journal->fd) < 0 && errno != EINVAL && errno != EROFS)
        return sdw_err_sys(err, "journal %s: sync", journal->path);
    journal->unsynced = false;
    return 0;
}
