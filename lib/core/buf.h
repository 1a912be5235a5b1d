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

void sdw_buf_reserve(struct sdw_buf *buf, size_t more); /* room for `more` bytes and a NUL */
void sdw_buf_add(struct sdw_buf *buf, const void *bytes, size_t n);
void sdw_buf_char(struct sdw_buf *buf, char c);
void sdw_buf_text(struct sdw_buf *buf, const char *text);
void sdw_buf_str(struct sdw_buf *buf, struct sdw_str view);
void sdw_buf_printf(struct sdw_buf *buf, const char *fmt, ...) SDW_PRINTF(2, 3);
void sdw_buf_clear(struct sdw_buf *buf);
void sdw_buf_release(struct sdw_buf *buf);

static inline struct sdw_str sdw_buf_view(const struct sdw_buf *buf)
{
    return (struct sdw_str){buf->p, buf->n};
}

#endif
