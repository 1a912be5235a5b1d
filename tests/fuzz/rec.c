/* Every record decoder: what decodes must encode to something that decodes again. */
#include "rec/rec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_arena arena = {0};
    struct sdw_buf out = {0};
    struct sdw_str line = {(const char *)data, size};
    union {
        max_align_t align;
        char room[2048];
    } rec, again;
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++) {
        if ((*s)->size > sizeof rec)
            abort();
        if (sdw_rec_decode(*s, line, &arena, &rec, NULL) < 0)
            continue;
        sdw_buf_clear(&out);
        sdw_rec_encode(*s, &rec, &out);
        struct sdw_err err;
        if (sdw_rec_decode(*s, sdw_buf_view(&out), &arena, &again, &err) < 0)
            abort();
    }
    sdw_buf_release(&out);
    sdw_arena_release(&arena);
    return 0;
}
