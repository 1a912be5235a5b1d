/*
 * Aggregation over series, as in PromQL: sum, min, max, avg and count of those whose labels, or
 * whose other labels, are equal; topk and bottomk. Values are rows of as many steps as a frame has,
 * NAN where there is none.
 */
#ifndef SDW_STORE_GROUPING_H
#define SDW_STORE_GROUPING_H

#include "core/base.h"
#include "core/map.h"
#include "core/mem.h"
#include "store/labels.h"

enum { SDW_GROUPING_LABELS = 16 };

enum sdw_group {
    SDW_GROUP_SUM,
    SDW_GROUP_MIN,
    SDW_GROUP_MAX,
    SDW_GROUP_AVG,
    SDW_GROUP_COUNT,
    SDW_GROUP_TOPK,
    SDW_GROUP_BOTTOMK,
};

struct sdw_grouping {
    enum sdw_group kind;
    size_t k;     /* of TOPK and BOTTOMK: how many at each step, of all */
    bool without; /* the labels are those that do not count */
    struct sdw_str label[SDW_GROUPING_LABELS];
    size_t n;
};
/* By its name in PromQL; false when there is none such. */
bool sdw_grouping_find(struct sdw_str name, enum sdw_group *kind);

struct sdw_frame_row {
    struct sdw_str labels; /* canonical */
    double *value, *count; /* count: of AVG, how many a value is the sum of */
};

struct sdw_frame {
    size_t steps;
    struct sdw_frame_row *row;
    size_t n, cap;
    struct sdw_map index; /* labels -> place, plus 1 */
    struct sdw_arena memory;
};

void sdw_frame_init(struct sdw_frame *frame, size_t steps);
void sdw_frame_release(struct sdw_frame *frame);
/* Take a series, value[steps], into the group that it belongs to. */
void sdw_frame_take(struct sdw_frame *frame, const struct sdw_grouping *grouping,
                    const struct sdw_labels *labels, const double *value);
/* After the last one. */
void sdw_frame_finish(struct sdw_frame *frame, const struct sdw_grouping *grouping);

#endif
