/*
 * What an emitter's back end is: it gets the records that passed the filter of types. A back end
 * writes through out, whole lines at a time.
 */
#ifndef SDW_IO_EMIT_BACK_H
#define SDW_IO_EMIT_BACK_H

#include "io/emit.h"

struct sdw_emit_setup {
    struct sdw_out *out;
    const char *const *types; /* those asked for, NULL-ended; NULL: main_type, or any */
    const char *main_type;    /* or NULL */
    sdw_column_of *column_of;
    bool color;
};

struct sdw_emit_back {
    void *(*make)(const struct sdw_emit_setup *setup);
    void (*free)(void *state);
    int (*put)(void *state, struct sdw_str line, struct sdw_err *err);
    int (*flush)(void *state, struct sdw_err *err); /* hand everything to out, which the caller
                                                     * flushes */
};

extern const struct sdw_emit_back sdw_emit_ndjson, sdw_emit_table, sdw_emit_csv;

#endif
