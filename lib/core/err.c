#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void err_fill(struct sdw_err *err, int code, const char *field, const char *fmt, va_list ap)
{
    err->code = code;
    err->line = 0;
    snprintf(err->field, sizeof err->field, "%s", field);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
}

int sdw_err_set(struct sdw_err *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err_fill(err, code, "", fmt, ap);
        va_end(ap);
    }
    return code;
}

int sdw_err_sys(struct sdw_err *err, const char *fmt, ...)
{
    int saved = errno;
    int code = saved == EPERM || saved == EACCES ? SDW_EPERM : SDW_ESYS;
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err_fill(err, code, "", fmt, ap);
        va_end(ap);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(saved));
    }
    return code;
}

int sdw_err_field(struct sdw_err *err, const char *field, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err_fill(err, SDW_EINPUT, field, fmt, ap);
        va_end(ap);
    }
    return SDW_EINPUT;
}

const char *sdw_err_line(const struct sdw_err *err, char *out, size_t size)
{
    char line[32] = "";
    if (err->line)
        snprintf(line, sizeof line, "line %llu: ", (unsigned long long)err->line);
    snprintf(out, size, "%s%s%s%s", line, err->field, err->field[0] ? ": " : "", err->text);
    return out;
}

int sdw_err_exit_status(int code)
{
    static const int status[] = {
        [-SDW_OK] = 0,   [-SDW_ENO] = 1,   [-SDW_EUSAGE] = 2, [-SDW_EINPUT] = 3,
        [-SDW_ESYS] = 4, [-SDW_EPERM] = 4, [-SDW_EAGAIN] = 4, [-SDW_ESTOP] = 0,
    };
    if (code >= 0)
        return 0;
    return (size_t)-code < SDW_LEN(status) ? status[-code] : 4;
}
