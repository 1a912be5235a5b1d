/*
 * Memory. Three rules:
 *   what lives as long as a record comes from an arena that is reset after it;
 *   what lives longer has init/release (values) or new/free (heap objects);
 *   a view (struct sdw_str) never owns.
 * Out of memory dies: these are short-lived filters, and a half-made record helps nobody.
 */
#ifndef SDW_CORE_MEM_H
#define SDW_CORE_MEM_H

#include "core/base.h"

void *sdw_xalloc(size_t size);                      /* zeroed; never NULL */
void *sdw_xrealloc(void *p, size_t n, size_t size); /* n elements of size; checks the product */
/* For what is large and looked into in no order: size (> 0) bytes, not zeroed, beginning at a
 * multiple of SDW_LARGE_PAGE and kept in pages of that size where the system has them, so that
 * finding a page costs less. For free(). */
enum { SDW_LARGE_PAGE = 2 << 20 };
void *sdw_xlarge(size_t size);
char *sdw_xstrdup(const char *text);
char *sdw_xstrndup(const char *text, size_t n);

/* Grow *array (of elements of `size` bytes, *cap of them) to hold at least `need`. */
#define SDW_GROW(array, cap, need) ((array) = sdw_grow((array), &(cap), (need), sizeof *(array)))
void *sdw_grow(void *array, size_t *cap, size_t need, size_t size);

/* A bump allocator. Zero-initialise, release once. reset keeps the memory for the next record. */
struct sdw_arena {
    struct sdw_arena_chunk *first, *current;
};
void *sdw_arena_alloc(struct sdw_arena *arena, size_t size); /* aligned for any type, not zeroed */
void sdw_arena_reset(struct sdw_arena *arena);
void sdw_arena_release(struct sdw_arena *arena);

#endif
