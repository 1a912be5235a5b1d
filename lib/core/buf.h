/*
 * A growable run of bytes. Zero-initialise, release once; clear keeps the memory. p is always
 * followed by a NUL that n does not count, once anything was added.
 */
#ifndef SDW_CORE_BUF_H
#define SDW_CORE_BUF_H

#include "core/base.h"

struct sdw_buf {
    char *p;
    size_t n, cap;
};

void sdw_buf_grow(struct sdw_buf *buf, size_t more);

/* Room for `more` bytes and a NUL. */
static inline void sdw_buf_reserve(struct sdw_buf *buf, size_t more)
{
    if (buf->cap - buf->n <= more)
        sdw_buf_grow(buf, more);
}

static inline void sdw_buf_add(struct sdw_buf *buf, const void *bytes, size_t n)
{
    sdw_buf_reserve(buf, n);
    if (n)
        memcpy(buf->p + buf->n, bytes, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

static inline void sdw_buf_char(struct sdw_buf *buf, char c)
{
    sdw_buf_reserve(buf, 1);
    buf->p[buf->n++] = c;
    buf->p[buf->n] = '\0';
}

static inline void sdw_buf_text(struct sdw_buf *buf, const char *text)
{
    sdw_buf_add(buf, text, strlen(text));
}

static inline void sdw_buf_str(struct sdw_buf *buf, struct sdw_str view)
{
    sdw_buf_add(buf, view.p, view.n);
}

void sdw_buf_printf(struct sdw_buf *buf, const char *fmt, ...) SDW_PRINTF(2, 3);
void sdw_buf_clear(struct sdw_buf *buf);
void sdw_buf_release(struct sdw_buf *buf);

static inline struct sdw_str sdw_buf_view(const struct sdw_buf *buf)
{
    return (struct sdw_str){buf->p, buf->n};
}

#endif
