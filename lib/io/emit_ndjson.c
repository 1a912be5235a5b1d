#include "io/emit_back.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"

struct ndjson {
    struct sdw_out *out;
    struct sdw_buf line;
};

static void *ndjson_make(const struct sdw_emit_setup *setup)
{
    struct ndjson *ndjson = sdw_xalloc(sizeof *ndjson);
    ndjson->out = setup->out;
    return ndjson;
}

static void ndjson_free(void *state)
{
    struct ndjson *ndjson = state;
    sdw_buf_release(&ndjson->line);
    free(ndjson);
}

static int ndjson_put(void *state, struct sdw_str line, struct sdw_err *err)
{
    struct ndjson *ndjson = state;
    sdw_buf_clear(&ndjson->line);
    sdw_buf_reserve(&ndjson->line, line.n + 1);
    sdw_buf_str(&ndjson->line, line);
    sdw_buf_char(&ndjson->line, '\n');
    return sdw_out_add(ndjson->out, sdw_buf_view(&ndjson->line), err);
}

static int ndjson_flush(void *state, struct sdw_err *err)
{
    (void)state;
    (void)err;
    return 0;
}

const struct sdw_emit_back sdw_emit_ndjson = {ndjson_make, ndjson_free, ndjson_put, ndjson_flush};
