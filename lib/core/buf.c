#include "core/buf.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sdw_buf_grow(struct sdw_buf *buf, size_t more)
{
    SDW_GROW(buf->p, buf->cap, buf->n + more + 1);
}

void sdw_buf_printf(struct sdw_buf *buf, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    sdw_buf_reserve(buf, 128);
    int n = vsnprintf(buf->p + buf->n, buf->cap - buf->n, fmt, ap);
    if (n > 0 && (size_t)n >= buf->cap - buf->n) {
        sdw_buf_reserve(buf, (size_t)n);
        n = vsnprintf(buf->p + buf->n, buf->cap - buf->n, fmt, again);
    }
    buf->n += n > 0 ? (size_t)n : 0;
    va_end(again);
    va_end(ap);
}

void sdw_buf_clear(struct sdw_buf *buf)
{
    buf->n = 0;
    if (buf->p)
        buf->p[0] = '\0';
}

void sdw_buf_release(struct sdw_buf *buf)
{
    free(buf->p);
    *buf = (struct sdw_buf){0};
}
