/*
 * What every source file starts from: attributes, the array-length idiom, and the
 * view of bytes that the whole tree passes around.
 *
 * Ownership, for the whole library: whoever inits or news a thing releases or frees it;
 * pointers into a record are valid until the next one is read; nothing else is borrowed.
 */
#ifndef SDW_CORE_BASE_H
#define SDW_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SDW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SDW_NODISCARD         __attribute__((warn_unused_result))
#define SDW_UNUSED            __attribute__((unused))
#define SDW_NORETURN          __attribute__((noreturn))
#define SDW_INLINE            static inline __attribute__((always_inline))
#define SDW_LEN(array)        (sizeof(array) / sizeof((array)[0]))

/* A view of n bytes that it does not own; p is NULL when there is nothing to see. */
struct sdw_str {
    const char *p;
    size_t n;
};

static inline struct sdw_str sdw_str_of(const char *text)
{
    return (struct sdw_str){text, text ? strlen(text) : 0};
}

static inline bool sdw_str_is(struct sdw_str view, const char *text)
{
    return view.p && strlen(text) == view.n && memcmp(view.p, text, view.n) == 0;
}

static inline bool sdw_str_same(struct sdw_str a, struct sdw_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
