#include "store/grouping.h"

#include <math.h>
#include <stdlib.h>

static const char *const names[] = {"sum", "min", "max", "avg", "count", "topk", "bottomk"};

bool sdw_grouping_find(struct sdw_str name, enum sdw_group *kind)
{
    for (size_t i = 0; i < SDW_LEN(names); i++)
        if (sdw_str_is(name, names[i])) {
            *kind = (enum sdw_group)i;
            return true;
        }
    return false;
}

void sdw_frame_init(struct sdw_frame *frame, size_t steps)
{
    *frame = (struct sdw_frame){.steps = steps};
    sdw_map_init(&frame->index, 0x6672616d65);
}

void sdw_frame_release(struct sdw_frame *frame)
{
    for (size_t i = 0; i < frame->n; i++) {
        free(frame->row[i].value);
        free(frame->row[i].count);
    }
    free(frame->row);
    sdw_map_release(&frame->index);
    sdw_arena_release(&frame->memory);
}

static bool picks(const struct sdw_grouping *grouping)
{
    return grouping->kind == SDW_GROUP_TOPK || grouping->kind == SDW_GROUP_BOTTOMK;
}

/* The labels that tell the groups apart, in canonical form. A name is none of them, but where it is
 * asked for. */
static void put_key(const struct sdw_grouping *grouping, const struct sdw_labels *labels,
                    struct sdw_buf *key)
{
    struct sdw_labels counts = {0};
    if (picks(grouping)) {
        sdw_labels_write(labels, key);
        return;
    }
    for (size_t i = 0; i < labels->n; i++) {
        bool listed = false;
        for (size_t k = 0; k < grouping->n; k++)
            listed = listed || sdw_str_same(labels->label[i].key, grouping->label[k]);
        if (grouping->without ? !listed && !sdw_str_is(labels->label[i].key, "__name__") : listed)
            counts.label[counts.n++] = labels->label[i];
    }
    sdw_labels_write(&counts, key);
}

static struct sdw_frame_row *row_at(struct sdw_frame *frame, struct sdw_str key, bool counted)
{
    void **place = sdw_map_at(&frame->index, key);
    if (!*place) {
        char *copy = sdw_arena_alloc(&frame->memory, key.n + 1);
        if (key.n)
            memcpy(copy, key.p, key.n);
        copy[key.n] = '\0';
        SDW_GROW(frame->row, frame->cap, frame->n + 1);
        struct sdw_frame_row *row = &frame->row[frame->n++];
        *row = (struct sdw_frame_row){.labels = {copy, key.n}};
        row->value = sdw_xalloc(frame->steps * sizeof *row->value);
        row->count = counted ? sdw_xalloc(frame->steps * sizeof *row->count) : NULL;
        for (size_t i = 0; i < frame->steps; i++)
            row->value[i] = NAN;
        *place = (void *)(uintptr_t)frame->n;
    }
    return &frame->row[(uintptr_t)*place - 1];
}

/* What a group's value so far becomes with one more. */
static double join(enum sdw_group kind, double so_far, double value)
{
    bool first = isnan(so_far);
    switch (kind) {
    case SDW_GROUP_MIN:
        return first || value < so_far ? value : so_far;
    case SDW_GROUP_MAX:
        return first || value > so_far ? value : so_far;
    case SDW_GROUP_COUNT:
        return first ? 1 : so_far + 1;
    default:
        return first ? value : so_far + value;
    }
}

void sdw_frame_take(struct sdw_frame *frame, const struct sdw_grouping *grouping,
                    const struct sdw_labels *labels, const double *value)
{
    struct sdw_buf key = {0};
    put_key(grouping, labels, &key);
    struct sdw_frame_row *row =
        row_at(frame, (struct sdw_str){key.p ? key.p : "", key.n}, grouping->kind == SDW_GROUP_AVG);
    for (size_t i = 0; i < frame->steps; i++) {
        if (isnan(value[i]))
            continue;
        row->value[i] = join(grouping->kind, row->value[i], value[i]);
        if (row->count)
            row->count[i]++;
    }
    sdw_buf_release(&key);
}

struct ranked {
    double value;
    size_t row;
};

static int falling(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = (x->value < y->value) - (x->value > y->value);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Of each step only the k greatest, or least, stay. */
static void pick(struct sdw_frame *frame, const struct sdw_grouping *grouping)
{
    struct ranked *ranked = sdw_xalloc((frame->n + 1) * sizeof *ranked);
    double sign = grouping->kind == SDW_GROUP_TOPK ? 1 : -1;
    for (size_t step = 0; step < frame->steps; step++) {
        size_t n = 0;
        for (size_t i = 0; i < frame->n; i++)
            if (!isnan(frame->row[i].value[step]))
                ranked[n++] = (struct ranked){sign * frame->row[i].value[step], i};
        qsort(ranked, n, sizeof *ranked, falling);
        for (size_t i = grouping->k; i < n; i++)
            frame->row[ranked[i].row].value[step] = NAN;
    }
    free(ranked);
}

/* A single moment is a list: the first is the greatest of topk, the least of bottomk. */
static int by_value(const void *a, const void *b)
{
    const struct sdw_frame_row *x = a, *y = b;
    if (isnan(x->value[0]) || isnan(y->value[0]))
        return isnan(x->value[0]) - isnan(y->value[0]);
    return (x->value[0] < y->value[0]) - (x->value[0] > y->value[0]);
}

static int by_value_rising(const void *a, const void *b)
{
    const struct sdw_frame_row *x = a, *y = b;
    return isnan(x->value[0]) || isnan(y->value[0]) ? by_value(a, b) : by_value(b, a);
}

void sdw_frame_finish(struct sdw_frame *frame, const struct sdw_grouping *grouping)
{
    for (size_t r = 0; grouping->kind == SDW_GROUP_AVG && r < frame->n; r++)
        for (size_t i = 0; i < frame->steps; i++)
            frame->row[r].value[i] /= frame->row[r].count[i];
    if (!picks(grouping))
        return;
    pick(frame, grouping);
    if (frame->steps == 1 && frame->n)
        qsort(frame->row, frame->n, sizeof *frame->row,
              grouping->kind == SDW_GROUP_TOPK ? by_value : by_value_rising);
}
