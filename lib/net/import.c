#include "net/import.h"
#include "core/clock.h"
#include "core/num.h"
#include "io/docs.h"
#include "net/import_value.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <unistd.h>

static const struct sdw_import_format *const formats[] = {
    &sdw_import_mtr, &sdw_import_iperf3, &sdw_import_atlas, &sdw_import_scamper, &sdw_import_ip,
};

const struct sdw_import_format *sdw_import_find(const char *name)
{
    for (size_t i = 0; i < SDW_LEN(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

void sdw_import_names(struct sdw_buf *out)
{
    for (size_t i = 0; i < SDW_LEN(formats); i++)
        sdw_buf_printf(out, "%s%s", i ? ", " : "", formats[i]->name);
}

double sdw_import_number(const struct sdw_json *object, const char *key)
{
    double value;
    struct sdw_json *member = object ? sdw_json_get(object, key) : NULL;
    if (member && sdw_json_real(member, &value))
        return value;
    const char *text = member ? sdw_json_text(member) : NULL;
    if (!text)
        return NAN;
    struct sdw_str view = sdw_str_of(text);
    while (view.n > 0 && *view.p == ' ') {
        view.p++;
        view.n--;
    }
    while (view.n > 0 && (view.p[view.n - 1] == ' ' || view.p[view.n - 1] == '%'))
        view.n--;
    return sdw_num_real(view, &value) ? value : NAN;
}

const char *sdw_import_text(const struct sdw_json *object, const char *key)
{
    struct sdw_json *member = object ? sdw_json_get(object, key) : NULL;
    return member ? sdw_json_text(member) : NULL;
}

int64_t sdw_import_time(double seconds, int64_t fallback)
{
    return seconds > 0 && seconds < 8e9 ? (int64_t)(seconds * 1e6) : fallback;
}

double sdw_import_ms(double ms)
{
    return ms >= 0 ? ms * 1e3 : NAN;
}

struct sdw_str sdw_import_labels(struct sdw_buf *out, const char *const pairs[][2], size_t n)
{
    sdw_buf_clear(out);
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    for (size_t i = 0; i < n; i++)
        if (pairs[i][1])
            sdw_jsonw_text(&w, pairs[i][0], pairs[i][1]);
    sdw_jsonw_end(&w);
    return sdw_buf_view(out);
}

/* What goes on while one input is read. */
struct import {
    struct sdw_ctx *ctx;
    const struct sdw_import_format *format;
    const char *name;
    int64_t at_us;
    struct sdw_docs docs;
    struct sdw_import_counts *counts;
};

/* Warn of a bad document, or (--strict) end with it. */
static int complain(struct import *import, const struct sdw_err *err)
{
    char text[512];
    import->ctx->bad_lines++;
    if (import->ctx->common.strict) {
        import->ctx->err = *err;
        return SDW_EINPUT;
    }
    sdw_warn(import->ctx, "%s: %s", import->name, sdw_err_line(err, text, sizeof text));
    return 0;
}

static int take_document(struct import *import, struct sdw_str doc)
{
    struct sdw_err err = {0};
    int code = SDW_EINPUT;
    struct sdw_json *document = sdw_json_parse_lenient(doc, &err);
    import->counts->documents++;
    if (document)
        code = import->format->take(import->ctx, document,
                                    import->at_us ? import->at_us : sdw_wall_us(), &err);
    sdw_json_free(document);
    import->counts->understood += code > 0;
    import->counts->ignored += code == 0;
    if (code != SDW_EINPUT)
        return code < 0 ? code : 0;
    err.line = sdw_docs_line(&import->docs);
    return complain(import, &err);
}

static int take_documents(struct import *import)
{
    struct sdw_str doc;
    struct sdw_err err = {0};
    int more;
    while ((more = sdw_docs_next(&import->docs, &doc, &err)) != 0) {
        int code = more > 0 ? take_document(import, doc) : complain(import, &err);
        if (code < 0)
            return code;
    }
    return 0;
}

/* Wait for bytes; what is written is flushed first. False when asked to stop. */
static bool wait_for(struct sdw_ctx *ctx, int fd)
{
    struct pollfd fds[] = {{fd, POLLIN, 0}, {ctx->stop_fd, POLLIN, 0}};
    if (poll(fds, 2, 0) == 0 && sdw_flush(ctx) == 0)
        (void)poll(fds, 2, -1);
    return !fds[1].revents;
}

int sdw_import_read(struct sdw_ctx *ctx, const struct sdw_import_format *format, int fd,
                    const char *name, int64_t at_us, struct sdw_import_counts *counts)
{
    struct import import = {
        .ctx = ctx, .format = format, .name = name, .at_us = at_us, .counts = counts};
    char room[65536];
    struct sdw_err err = {0};
    int code = 0;
    ssize_t n = 1;
    while (code == 0 && n != 0 && wait_for(ctx, fd)) {
        n = read(fd, room, sizeof room);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            code = sdw_err_sys(&ctx->err, "%s", name);
        if (n > 0) {
            sdw_docs_feed(&import.docs, (struct sdw_str){room, (size_t)n});
            code = take_documents(&import);
        }
    }
    if (code == 0 && n == 0 && sdw_docs_end(&import.docs, &err) < 0)
        code = complain(&import, &err);
    sdw_docs_release(&import.docs);
    return code;
}

int sdw_import_file(struct sdw_ctx *ctx, const struct sdw_import_format *format, const char *path,
                    int64_t at_us, struct sdw_import_counts *counts)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sdw_err_sys(&ctx->err, "%s", path);
    int code = sdw_import_read(ctx, format, fd, path, at_us, counts);
    close(fd);
    return code;
}
