#include "steer/journal.h"
#include "core/mem.h"
#include "steer/apply.h"
#include "steer/back.h"
#include "steer/ledger.h"
#include "steer/state.h"
#include "unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/sdw-journal-XXXXXX", path[64];

static void append(struct sdw_journal *journal, const char *op, const char *unit, double away)
{
    struct sdw_journal_entry entry = {.ts = 1700000000000000,
                                      .op = sdw_str_of(op),
                                      .unit = sdw_str_of(unit),
                                      .state = sdw_str_of(away > 0 ? "SHIFTED" : "ARMED"),
                                      .why = sdw_str_of("because \"so\""),
                                      .slot = 3,
                                      .n = 2,
                                      .share = {1 - away, away}};
    struct sdw_err err;
    if (strcmp(op, "arm") == 0)
        entry.plan = sdw_str_of("{\"unit\":\"u\"}");
    if (sdw_journal_append(journal, &entry, &err) < 0)
        ok(false, "append: %s", err.text);
}

static char *slurp(size_t *n)
{
    struct stat is;
    int fd = open(path, O_RDONLY);
    char *all = NULL;
    if (fd >= 0 && fstat(fd, &is) == 0) {
        all = sdw_xalloc((size_t)is.st_size + 1);
        *n = read(fd, all, (size_t)is.st_size) == is.st_size ? (size_t)is.st_size : 0;
    }
    if (fd >= 0)
        close(fd);
    return all;
}

static void spill(const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        ok(false, "cannot write the journal");
    close(fd);
}

static int reopen(struct sdw_journal *journal, struct sdw_ledger *ledger, struct sdw_err *err)
{
    *ledger = (struct sdw_ledger){0};
    return sdw_journal_open(journal, path, true, sdw_ledger_take, ledger, err);
}

static void test_round(void)
{
    struct sdw_journal journal;
    struct sdw_ledger ledger = {0};
    struct sdw_err err;
    unlink(path);
    ok(reopen(&journal, &ledger, &err) == 0, "a new journal is made");
    append(&journal, "arm", "u", 0);
    append(&journal, "set", "u", 0.25);
    append(&journal, "arm", "w", 0);
    append(&journal, "disarm", "w", 0);
    ok(sdw_journal_sync(&journal, &err) == 0, "and synced");
    sdw_journal_close(&journal);
    ok(reopen(&journal, &ledger, &err) == 0, "it reads back");
    struct sdw_ledger_unit *u = sdw_ledger_find(&ledger, sdw_str_of("u"));
    struct sdw_ledger_unit *w = sdw_ledger_find(&ledger, sdw_str_of("w"));
    ok(u && u->armed && u->slot == 3, "an armed unit is armed");
    is_near(u ? u->share[1] : -1, 0.25, 1e-9, "with the shares of its last change");
    ok(w && !w->armed, "a disarmed one is not");
    is_text(u ? u->plan : NULL, "{\"unit\":\"u\"}", "its plan is kept");
    ok(sdw_ledger_slot(&ledger, sdw_str_of("u")) == 3, "a unit keeps its slot");
    ok(sdw_ledger_slot(&ledger, sdw_str_of("new")) == 4, "a new one gets a free one");
    sdw_ledger_release(&ledger);
    sdw_journal_close(&journal);
}

/* Cut at every byte: what was whole before the cut is there, and appending goes on. */
static void test_cuts(void)
{
    struct sdw_journal journal;
    struct sdw_ledger ledger;
    struct sdw_err err;
    size_t n = 0, wrong_count = 0, wrong_open = 0, wrong_append = 0;
    char *all = slurp(&n);
    for (size_t cut = 0; cut <= n; cut++) {
        size_t lines = 0, seq;
        for (size_t i = 0; i < cut; i++)
            lines += all[i] == '\n';
        spill(all, cut);
        if (reopen(&journal, &ledger, &err) < 0) {
            wrong_open++;
            continue;
        }
        wrong_count += journal.seq != lines;
        append(&journal, "set", "u", 0.5);
        seq = journal.seq;
        sdw_ledger_release(&ledger);
        sdw_journal_close(&journal);
        if (reopen(&journal, &ledger, &err) < 0 || journal.seq != seq)
            wrong_append++;
        sdw_ledger_release(&ledger);
        sdw_journal_close(&journal);
    }
    ok(n > 500, "the journal has %zu bytes to cut at", n);
    ok(wrong_open == 0, "a journal cut at any byte opens");
    ok(wrong_count == 0, "with all its whole entries");
    ok(wrong_append == 0, "and can be appended to");
    free(all);
}

static void test_damage(void)
{
    struct sdw_journal journal;
    struct sdw_ledger ledger;
    struct sdw_err err = {0};
    size_t n = 0, found = 0, tried = 0;
    test_round();
    char *all = slurp(&n);
    size_t last = n - 1;
    while (last && all[last - 1] != '\n')
        last--;
    for (size_t at = 0; at < last; at += 7) {
        if (all[at] == '\n')
            continue;
        char was = all[at];
        all[at] = was == 'x' ? 'y' : 'x';
        spill(all, n);
        all[at] = was;
        tried++;
        int code = reopen(&journal, &ledger, &err);
        found += code == SDW_EINPUT && err.line > 0;
        sdw_ledger_release(&ledger);
        if (code == 0)
            sdw_journal_close(&journal);
    }
    ok(found == tried, "a byte changed in the middle is found, with its line: %zu of %zu", found,
       tried);
    char *second = memchr(all, '\n', n);
    spill(second + 1, n - (size_t)(second + 1 - all));
    ok(reopen(&journal, &ledger, &err) == SDW_EINPUT, "so is a line that is missing");
    sdw_ledger_release(&ledger);
    free(all);
}

static void test_full(void)
{
    struct sdw_journal journal;
    struct sdw_err err = {0};
    struct sdw_journal_entry entry = {.op = sdw_str_of("set"), .unit = sdw_str_of("u")};
    if (access("/dev/full", W_OK) < 0)
        return;
    journal = (struct sdw_journal){.fd = open("/dev/full", O_WRONLY)};
    ok(sdw_journal_append(&journal, &entry, &err) == SDW_ESYS && journal.seq == 0,
       "an entry that cannot be written is not counted: %s", err.text);
    sdw_journal_close(&journal);
}

/* A sync that fails stays due, and nothing is armed before it succeeds. */
static int arm_calls;
static char said[4096];

static int arm(struct sdw_netlink *netlink, const struct sdw_target *target,
               const struct sdw_fib_route *existing, struct sdw_err *error)
{
    (void)netlink;
    (void)target;
    (void)existing;
    (void)error;
    arm_calls++;
    return 0;
}

static void hear(void *arg, struct sdw_str record)
{
    size_t used = strlen(said);
    (void)arg;
    snprintf(said + used, sizeof said - used, "%.*s\n", (int)record.n, record.p);
}

static void test_sync(void)
{
    static const struct sdw_back back = {.name = "none", .arm = arm};
    static struct sdw_steer_unit unit = {.name = "u", .match = SDW_MATCH_FLOW, .n_ways = 2};
    struct sdw_steer *steer = sdw_xalloc(sizeof *steer);
    struct sdw_steer_run run = {.unit = &unit, .back = &back, .share = {1}};
    struct sdw_journal *journal = &steer->journal;
    struct sdw_ledger ledger;
    struct sdw_err err;
    unlink(path);
    ok(reopen(journal, &ledger, &err) == 0, "a journal to sync");
    append(journal, "arm", "u", 0);
    int good = journal->fd, bad = open(path, O_RDONLY);
    close(bad);
    steer->options.apply = true;
    steer->now_us = 1700000000000000;
    steer->say = hear;
    journal->fd = bad; /* closed: every call on it fails */
    ok(!sdw_apply_install(steer, &run) && arm_calls == 0 && !run.armed && !run.failed,
       "an intent that is not on the disk: the kernel hears nothing, the unit may be tried again");
    ok(strstr(said, "\"held\"") && strstr(said, "\"guard\":\"journal\""), "and it is held");
    ok(sdw_journal_sync(journal, &err) == SDW_ESYS, "the sync stays due");
    said[0] = '\0';
    ok(!sdw_apply_sync(steer) && !strstr(said, "alert"), "the alert is not repeated at once");
    journal->fd = good;
    ok(sdw_apply_install(steer, &run) && arm_calls == 1 && run.armed,
       "once it is on the disk the unit is armed");
    sdw_journal_close(journal);
    sdw_ledger_release(&ledger);
    sdw_buf_release(&steer->out);
    free(steer);
}

static void test_torn(void)
{
    struct sdw_journal journal;
    struct sdw_ledger ledger;
    struct sdw_err err;
    unlink(path);
    ok(reopen(&journal, &ledger, &err) == 0, "a journal to tear");
    append(&journal, "arm", "u", 0);
    struct stat is;
    (void)fstat(journal.fd, &is);
    journal.torn = true;
    journal.whole = is.st_size;
    ok(write(journal.fd, "{\"seq", 5) == 5, "a line that could not be taken back");
    append(&journal, "set", "u", 0.25);
    sdw_journal_close(&journal);
    sdw_ledger_release(&ledger);
    ok(reopen(&journal, &ledger, &err) == 0 && ledger.n == 1 && ledger.unit[0].share[1] > 0.24,
       "is cut off before the next one is appended");
    sdw_journal_close(&journal);
    sdw_ledger_release(&ledger);
}

static void test_orders(void)
{
    struct sdw_orders orders = {0};
    struct sdw_err err;
    ok(sdw_orders_read(&orders, dir, &err) == 0 && sdw_orders_for(&orders, "u") == SDW_ORDER_NONE,
       "without orders nothing is ordered");
    ok(sdw_orders_give(dir, "u", SDW_ORDER_FREEZE, &err) == 0, "an order is given");
    ok(sdw_orders_read(&orders, dir, &err) == 1 &&
           sdw_orders_for(&orders, "u") == SDW_ORDER_FREEZE &&
           sdw_orders_for(&orders, "uu") == SDW_ORDER_NONE,
       "read, and for that unit only");
    ok(sdw_orders_read(&orders, dir, &err) == 0, "and not read again without need");
    (void)sdw_orders_give(dir, "*", SDW_ORDER_UNDO, &err);
    (void)sdw_orders_read(&orders, dir, &err);
    ok(sdw_orders_for(&orders, "other") == SDW_ORDER_UNDO &&
           sdw_orders_for(&orders, "u") == SDW_ORDER_FREEZE,
       "an order for all holds where there is none for the unit");
    (void)sdw_orders_give(dir, "u", SDW_ORDER_NONE, &err);
    (void)sdw_orders_give(dir, "*", SDW_ORDER_NONE, &err);
    (void)sdw_orders_read(&orders, dir, &err);
    ok(sdw_orders_for(&orders, "u") == SDW_ORDER_NONE, "orders are taken back");
    sdw_orders_release(&orders);
}

static void test_slots(void)
{
    struct sdw_ledger ledger = {.slots = SDW_SLOTS - 1};
    ok(sdw_ledger_slot(&ledger, sdw_str_of("a")) == SDW_SLOTS - 1, "the last range is given out");
    ok(sdw_ledger_slot(&ledger, sdw_str_of("b")) == SDW_NO_INT, "and no more");
    ok(sdw_ledger_slot(&ledger, sdw_str_of("a")) == SDW_SLOTS - 1, "who has one keeps it");
    sdw_ledger_release(&ledger);
}

int main(void)
{
    char orders[64];
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/journal", dir);
    snprintf(orders, sizeof orders, "%s/orders", dir);
    test_round();
    test_cuts();
    test_damage();
    test_full();
    test_sync();
    test_torn();
    test_orders();
    unlink(path);
    unlink(orders);
    rmdir(dir);
    test_slots();
    return tap_done();
}
