#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { ARENA_CHUNK = 64 * 1024 };

struct sdw_arena_chunk {
    struct sdw_arena_chunk *next;
    size_t size, used;
    max_align_t data[];
};

static SDW_NORETURN void out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

void *sdw_xalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *sdw_xrealloc(void *p, size_t n, size_t size)
{
    void *q = reallocarray(p, n ? n : 1, size ? size : 1);
    if (!q)
        out_of_memory();
    return q;
}

void *sdw_xlarge(size_t size)
{
    size = (size + SDW_LARGE_PAGE - 1) / SDW_LARGE_PAGE * SDW_LARGE_PAGE;
    void *p = aligned_alloc(SDW_LARGE_PAGE, size);
    if (!p)
        out_of_memory();
    (void)madvise(p, size, MADV_HUGEPAGE); /* a wish */
    return p;
}

char *sdw_xstrndup(const char *text, size_t n)
{
    char *copy = sdw_xalloc(n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

char *sdw_xstrdup(const char *text)
{
    return sdw_xstrndup(text, strlen(text));
}

void *sdw_grow(void *array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return array;
    size_t want = *cap ? *cap * 2 : 16;
    *cap = want < need ? need : want;
    return sdw_xrealloc(array, *cap, size);
}

void *sdw_arena_alloc(struct sdw_arena *arena, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    struct sdw_arena_chunk *c = arena->current;
    while (c && c->size - c->used < size) {
        c = c->next;
        if (c)
            c->used = 0;
    }
    if (!c) {
        size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;
        c = sdw_xalloc(sizeof *c + room);
        c->size = room;
        if (arena->current) {
            c->next = arena->current->next;
            arena->current->next = c;
        } else {
            arena->first = c;
        }
    }
    arena->current = c;
    void *p = (char *)c->data + c->used;
    c->used += size;
    return p;
}

void sdw_arena_reset(struct sdw_arena *arena)
{
    arena->current = arena->first;
    if (arena->first)
        arena->first->used = 0;
}

void sdw_arena_release(struct sdw_arena *arena)
{
    for (struct sdw_arena_chunk *c = arena->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *arena = (struct sdw_arena){0};
}
