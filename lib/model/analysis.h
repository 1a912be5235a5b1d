/*
 * All paths of a stream of slots: gathers each path's windows, judges them when they end, and
 * keeps the live series of available capacity in between.
 *
 * A window ends when a later window of its path begins, after `pairs_max` pairs, when its path
 * changes, and at the end of the input. Slots of a window that has ended are late: counted, not
 * used; but when nothing else comes any more, the prober was started again.
 */
#ifndef SDW_MODEL_ANALYSIS_H
#define SDW_MODEL_ANALYSIS_H

#include "core/err.h"
#include "core/map.h"
#include "model/window.h"

enum { SDW_PATHS_MAX = 4096 };

struct sdw_analysis_rules {
    struct sdw_window_rules window;
    int64_t pairs_max; /* judge after so many pairs; 0: when the window ends */
    double threshold;  /* an event for each hop whose capacity gradient reaches it; NAN: none */
};

struct sdw_analysis_counts {
    int64_t slots, windows, late, unread_trains, metrics, bottlenecks, events;
};

/* How a record leaves: sdw_rec_put, or a test's own. Strings are borrowed for the call. */
typedef int sdw_analysis_put(void *arg, const struct sdw_schema *schema, const void *rec);

struct sdw_analysis {
    struct sdw_analysis_rules rules;
    sdw_analysis_put *put;
    void *arg;
    struct sdw_map paths; /* path_id -> struct path_state */
    struct sdw_map ends;  /* 5-tuple -> struct path_state, as `path` records tell */
    struct sdw_analysis_counts counts;
    struct sdw_arena arena;
    struct sdw_judgement *judgement;
};

void sdw_analysis_init(struct sdw_analysis *analysis, const struct sdw_analysis_rules *rules,
                       sdw_analysis_put *put, void *arg);
void sdw_analysis_release(struct sdw_analysis *analysis);

/* Returns 0, what put returned when negative, or SDW_EINPUT (err names the field) for a slot that
 * cannot be used; a train that cannot be read is reported so too, after the slot was used. */
int sdw_analysis_slot(struct sdw_analysis *analysis, const struct sdw_slot *slot,
                      struct sdw_err *err);
int sdw_analysis_path(struct sdw_analysis *analysis, const struct sdw_path *path);
/* Judge what is open: the input ended. */
int sdw_analysis_finish(struct sdw_analysis *analysis);

#endif
