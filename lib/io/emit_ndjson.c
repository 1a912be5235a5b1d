#include "io/emit_back.h"

static void *ndjson_make(const struct sdw_emit_setup *setup)
{
    return setup->out;
}

/* The output is the caller's. */
static void ndjson_free(void *state)
{
    (void)state;
}

static int ndjson_put(void *state, struct sdw_str line, struct sdw_err *err)
{
    return sdw_out_line(state, line, err);
}

static int ndjson_flush(void *state, struct sdw_err *err)
{
    (void)state;
    (void)err;
    return 0;
}

const struct sdw_emit_back sdw_emit_ndjson = {ndjson_make, ndjson_free, ndjson_put, ndjson_flush};
