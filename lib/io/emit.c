#include "io/emit.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "io/emit_back.h"
#include "io/scan.h"

struct sdw_emitter {
    const struct sdw_emit_back *back;
    void *state;
    struct sdw_out *out;
    const char *const *types; /* those let through; NULL: all */
    const char *main_only[2];
};

static const struct sdw_emit_back *back_of(enum sdw_format format, bool has_columns)
{
    static const struct sdw_emit_back *const backs[] = {[SDW_FORMAT_NDJSON] = &sdw_emit_ndjson,
                                                        [SDW_FORMAT_TABLE] = &sdw_emit_table,
                                                        [SDW_FORMAT_CSV] = &sdw_emit_csv};
    if (!has_columns)
        return &sdw_emit_ndjson;
    if (format == SDW_FORMAT_AUTO)
        format = isatty(STDOUT_FILENO) ? SDW_FORMAT_TABLE : SDW_FORMAT_NDJSON;
    return backs[format];
}

struct sdw_emitter *sdw_emitter_new(struct sdw_out *out, enum sdw_format format,
                                    const char *main_type, const char *const *types,
                                    sdw_column_of *column_of, bool color)
{
    struct sdw_emitter *emitter = sdw_xalloc(sizeof *emitter);
    emitter->out = out;
    emitter->back = back_of(format, column_of != NULL);
    emitter->types = types;
    if (!types && main_type && emitter->back != &sdw_emit_ndjson) {
        emitter->main_only[0] = main_type;
        emitter->types = emitter->main_only;
    }
    struct sdw_emit_setup setup = {out, types, main_type, column_of, color};
    emitter->state = emitter->back->make(&setup);
    return emitter;
}

void sdw_emitter_free(struct sdw_emitter *emitter)
{
    if (!emitter)
        return;
    emitter->back->free(emitter->state);
    free(emitter);
}

static bool is_wanted(const struct sdw_emitter *emitter, struct sdw_str line)
{
    if (!emitter->types)
        return true;
    struct sdw_str type = sdw_scan_type(line);
    for (const char *const *wanted = emitter->types; *wanted; wanted++)
        if (sdw_str_is(type, *wanted))
            return true;
    return false;
}

int sdw_emit(struct sdw_emitter *emitter, struct sdw_str line, struct sdw_err *err)
{
    return is_wanted(emitter, line) ? emitter->back->put(emitter->state, line, err) : 0;
}

int sdw_emit_flush(struct sdw_emitter *emitter, struct sdw_err *err)
{
    int rc = emitter->back->flush(emitter->state, err);
    return rc < 0 ? rc : sdw_out_flush(emitter->out, err);
}
