/* Taking apart what was saved as bytes: each takes from the front, or leaves it and says false. */
#ifndef SDW_MODEL_SAVED_H
#define SDW_MODEL_SAVED_H

#include "core/base.h"

static inline bool sdw_saved_text(struct sdw_str *bytes, size_t n, struct sdw_str *text)
{
    if (bytes->n < n)
        return false;
    *text = (struct sdw_str){bytes->p, n};
    *bytes = (struct sdw_str){bytes->p + n, bytes->n - n};
    return true;
}

static inline bool sdw_saved_take(struct sdw_str *bytes, void *to, size_t n)
{
    struct sdw_str text;
    if (!sdw_saved_text(bytes, n, &text))
        return false;
    if (n > 0)
        memcpy(to, text.p, n);
    return true;
}

#endif
