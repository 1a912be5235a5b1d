/* Any stream of slot and path records must lead to finite, ordered verdicts: what goes out must
 * decode again. */
#include "model/analysis.h"
#include "rec/train.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct sdw_buf *line = arg;
    struct sdw_arena arena = {0};
    union {
        max_align_t align;
        char room[2048];
    } again;
    struct sdw_err err;
    sdw_buf_clear(line);
    sdw_rec_encode(schema, rec, line);
    if (sdw_rec_decode(schema, sdw_buf_view(line), &arena, &again, &err) < 0)
        abort();
    if (schema == &sdw_verdict_schema) {
        const struct sdw_verdict *v = rec;
        if (v->available_bps.lo > v->available_bps.hi)
            abort();
    }
    sdw_arena_release(&arena);
    return 0;
}

static void line_of(struct sdw_analysis *analysis, struct sdw_str line, struct sdw_arena *arena)
{
    struct sdw_slot slot;
    struct sdw_path path;
    struct sdw_err err;
    if (sdw_rec_decode(&sdw_slot_schema, line, arena, &slot, &err) == 0)
        (void)sdw_analysis_slot(analysis, &slot, &err);
    else if (sdw_rec_decode(&sdw_path_schema, line, arena, &path, &err) == 0)
        (void)sdw_analysis_path(analysis, &path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_analysis_rules rules = {.window = sdw_window_defaults, .threshold = 1};
    struct sdw_analysis analysis;
    struct sdw_arena arena = {0};
    struct sdw_buf line = {0};
    const char *p = (const char *)data, *end = p + size;
    rules.window.rounds = 200;
    sdw_analysis_init(&analysis, &rules, check, &line);
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        line_of(&analysis, (struct sdw_str){p, (size_t)((stop ? stop : end) - p)}, &arena);
        sdw_arena_reset(&arena);
        p = stop ? stop + 1 : end;
    }
    sdw_analysis_finish(&analysis);
    sdw_analysis_release(&analysis);
    sdw_arena_release(&arena);
    sdw_buf_release(&line);
    return 0;
}
