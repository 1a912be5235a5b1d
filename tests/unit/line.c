#include "io/line.h"
#include "core/buf.h"
#include "unit/tap.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int flushes;

static int count_flush(void *arg)
{
    (void)arg;
    return ++flushes > 1000 ? SDW_ESYS : 0;
}

static struct sdw_reader *reader_of(const char *text, size_t n, int *fd)
{
    FILE *file = tmpfile();
    fwrite(text, 1, n, file);
    fflush(file);
    *fd = dup(fileno(file));
    fclose(file);
    lseek(*fd, 0, SEEK_SET);
    return sdw_reader_new(*fd, "test");
}

static void lines_are_trimmed(void)
{
    static const char text[] = "\xef\xbb\xbf{\"a\":1}\r\n\n   \r\n{\"b\":2}\nlast";
    struct sdw_str line;
    int fd;
    struct sdw_reader *r = reader_of(text, sizeof text - 1, &fd);
    ok(sdw_reader_next(r, &line, NULL) == 1 && sdw_str_is(line, "{\"a\":1}"),
       "byte order mark and CRLF are taken off");
    ok(sdw_reader_next(r, &line, NULL) == 1 && sdw_str_is(line, "{\"b\":2}"),
       "blank lines are skipped");
    ok(sdw_reader_line(r) == 4, "and counted in the line number");
    ok(sdw_reader_next(r, &line, NULL) == 1 && sdw_str_is(line, "last"),
       "a last line without a newline is returned");
    ok(sdw_reader_next(r, &line, NULL) == 0, "then it ends");
    ok(sdw_reader_next(r, &line, NULL) == 0, "and stays ended");
    sdw_reader_free(r);
    close(fd);
}

static void overlong_lines_are_skipped(void)
{
    struct sdw_buf text = {0};
    struct sdw_err err = {0};
    struct sdw_str line;
    int fd;
    sdw_buf_text(&text, "one\n");
    for (size_t i = 0; i < 3 * (size_t)SDW_LINE_MAX; i++)
        sdw_buf_char(&text, 'x');
    sdw_buf_text(&text, "\nthree\n");
    struct sdw_reader *r = reader_of(text.p, text.n, &fd);
    ok(sdw_reader_next(r, &line, &err) == 1, "the line before is returned");
    ok(sdw_reader_next(r, &line, &err) == SDW_EINPUT && err.line == 2,
       "an overlong line is refused with its number");
    ok(sdw_reader_next(r, &line, &err) == 1 && sdw_str_is(line, "three"),
       "and the line after is returned");
    sdw_reader_free(r);
    close(fd);
    sdw_buf_release(&text);
}

static void output_is_flushed_before_blocking(void)
{
    int pair[2], stop[2];
    struct sdw_str line;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || pipe(stop) != 0) {
        ok(0, "socketpair");
        return;
    }
    struct sdw_reader *r = sdw_reader_new(pair[0], "test");
    sdw_reader_hook(r, count_flush, NULL, stop[0]);
    ok(sdw_reader_poll(r, &line, NULL) == SDW_EAGAIN, "polling an idle stream does not block");
    if (write(pair[1], "a\nb\n", 4) != 4)
        ok(0, "write");
    ok(sdw_reader_next(r, &line, NULL) == 1 && sdw_reader_next(r, &line, NULL) == 1 && flushes == 0,
       "what is there is returned without a flush");
    if (write(stop[1], "x", 1) != 1)
        ok(0, "write");
    ok(sdw_reader_next(r, &line, NULL) == SDW_ESTOP, "a request to stop ends the reading");
    char byte;
    if (read(stop[0], &byte, 1) != 1)
        ok(0, "read");
    shutdown(pair[1], SHUT_WR);
    ok(sdw_reader_next(r, &line, NULL) == 0, "so does the end of the stream");
    sdw_reader_free(r);
    close(pair[0]);
    close(pair[1]);
    close(stop[0]);
    close(stop[1]);
}

int main(void)
{
    lines_are_trimmed();
    overlong_lines_are_skipped();
    output_is_flushed_before_blocking();
    return tap_done();
}
