/* Records that wait for a reader: in order, bounded, the dispensable ones dropped first. */
#include "io/backlog.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/tap.h"

static struct sdw_ctx ctx = {.stop_fd = -1};
static int from_us[2], tap_out;

/* Standard output is a pipe while records go out, so that the test can read them. */
static void open_output(void)
{
    fflush(stdout);
    tap_out = dup(STDOUT_FILENO);
    if (pipe(from_us) < 0 || dup2(from_us[1], STDOUT_FILENO) < 0)
        return;
    close(from_us[1]);
    ctx.out = sdw_out_new(STDOUT_FILENO, -1);
    ctx.emitter = sdw_emitter_new(ctx.out, SDW_FORMAT_NDJSON, NULL, NULL, NULL, false);
}

static void close_output(void)
{
    sdw_emitter_free(ctx.emitter);
    sdw_out_free(ctx.out);
    dup2(tap_out, STDOUT_FILENO);
    close(tap_out);
    close(from_us[0]);
}

static size_t read_all(char *text, size_t size)
{
    size_t n = 0;
    struct pollfd in = {.fd = from_us[0], .events = POLLIN};
    while (n < size - 1 && poll(&in, 1, 0) > 0) {
        ssize_t got = read(from_us[0], text + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    return n;
}

static void add(struct sdw_backlog *backlog, const char *text, bool may_drop)
{
    sdw_backlog_add(backlog, sdw_str_of(text), may_drop);
}

static void check_order(void)
{
    char text[256];
    struct sdw_backlog *backlog = sdw_backlog_new(1000, 1000);
    ok(sdw_backlog_empty(backlog), "it begins empty");
    add(backlog, "a", false);
    add(backlog, "b", true);
    add(backlog, "c", true);
    add(backlog, "d", false);
    open_output();
    int code = sdw_backlog_drain(backlog, &ctx);
    read_all(text, sizeof text);
    close_output();
    ok(code == 0 && sdw_backlog_empty(backlog), "all go out when the reader is ready");
    is_text(text, "a\nb\nc\nd\n", "in the order in which they came");
    sdw_backlog_free(backlog);
}

static void check_full(void)
{
    char text[256], record[41] = "0123456789012345678901234567890123456789";
    struct sdw_backlog *backlog = sdw_backlog_new(200, 200);
    for (int i = 0; i < 9; i++) {
        record[0] = (char)('1' + i);
        add(backlog, record, true);
    }
    add(backlog, "kept", false);
    ok(sdw_backlog_dropped(backlog) == 6, "when there is no room the oldest are dropped");
    open_output();
    sdw_backlog_flush(backlog, &ctx);
    read_all(text, sizeof text);
    close_output();
    ok(text[0] == '7' && strstr(text, "8123") && strstr(text, "9123") && strstr(text, "kept\n"),
       "the newest are left, and what is to be kept");
    for (int i = 0; i < 9; i++)
        add(backlog, record, false);
    ok(sdw_backlog_dropped(backlog) == 6 + 6, "what is to be kept is bounded too, and counted");
    char large[500];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    add(backlog, large, true);
    ok(sdw_backlog_dropped(backlog) == 13, "what can never have room is dropped");
    sdw_backlog_free(backlog);
}

static void check_stalled(void)
{
    enum { RECORDS = 5000 };
    char text[512];
    struct sdw_backlog *backlog = sdw_backlog_new(1 << 20, 1000);
    for (int i = 0; i < RECORDS; i++) {
        snprintf(text, sizeof text, "%04d%0100d", i, 0);
        add(backlog, text, false);
    }
    open_output();
    int code = sdw_backlog_drain(backlog, &ctx); /* the pipe takes 64 KiB */
    bool stalled = !sdw_backlog_empty(backlog);
    static char all[RECORDS * 105 + 1];
    size_t n = 0;
    while (code == 0 && n < RECORDS * 105) {
        n += read_all(all + n, sizeof all - n);
        code = sdw_backlog_drain(backlog, &ctx);
    }
    close_output();
    ok(stalled, "a reader that does not read holds nobody up");
    unsigned in_order = 0;
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(text, sizeof text, "%04u", i);
        in_order += memcmp(all + i * 105, text, 4) == 0;
    }
    ok(n == RECORDS * 105 && in_order == RECORDS, "and gets all of them later");
    sdw_backlog_free(backlog);
}

static void check_long(void)
{
    enum { LONG = 20000 };
    static char text[LONG + 8], record[LONG + 1];
    struct sdw_backlog *backlog = sdw_backlog_new(1 << 20, 1000);
    memset(record, 'x', LONG);
    add(backlog, "short", false);
    add(backlog, record, false);
    open_output();
    int code = sdw_backlog_drain(backlog, &ctx);
    bool waits = !sdw_backlog_empty(backlog) && !sdw_backlog_fits(backlog);
    size_t n = read_all(text, sizeof text);
    if (code == 0)
        code = sdw_backlog_drain(backlog, &ctx);
    bool went = sdw_backlog_empty(backlog);
    size_t rest = read_all(text, sizeof text);
    close_output();
    ok(code == 0 && waits && n == 6, "a long record waits while the pipe holds anything");
    ok(went && rest == LONG + 1, "and goes out once it is empty");
    sdw_backlog_free(backlog);
}

int main(void)
{
    check_long();
    check_order();
    check_full();
    check_stalled();
    return tap_done();
}
