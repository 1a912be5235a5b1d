/* A record of a flow that is to be mirrored: what comes out of it is one host's packets to another,
 * and is written as --flow reads it; through a tunnel they go to its far end. */
#include <stdlib.h>

#include "net/flow.h"
#include "net/mirror_tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_end(const struct sdw_address *a, const struct sdw_address *b)
{
    return sdw_address_same_host(a, b) && sdw_address_port(a) == sdw_address_port(b);
}

static void check(const struct sdw_mirror_tuple *tuple)
{
    char text[SDW_MIRROR_FLOW];
    struct sdw_flow flow;
    struct sdw_err err = {0};
    size_t n;
    const uint8_t *dst = sdw_address_bytes(&tuple->dst, &n);
    if (n == 4 ? dst[0] >= 224 : n != 16 || dst[0] == 0xff)
        abort();
    if (tuple->flow_label < -1 || tuple->flow_label > 0xfffff)
        abort();
    sdw_mirror_tuple_write(tuple, text);
    if (sdw_flow_parse(text, &flow, &err) < 0 || !same_end(&flow.src, &tuple->src) ||
        !same_end(&flow.dst, &tuple->dst) || flow.tcp != tuple->tcp)
        abort();
}

/* Through a tunnel: towards its far end, or refused. */
static void check_outer(const struct sdw_flow_rec *rec)
{
    struct sdw_mirror_tuple tunnel = {.flow_label = -1, .common = true}, tuple;
    if (!sdw_address_parse("203.0.113.1", 50000, &tunnel.src) ||
        !sdw_address_parse("203.0.113.2", 4789, &tunnel.dst))
        abort();
    if (sdw_mirror_tuple_outer(rec, &tunnel, &tuple))
        return;
    check(&tuple);
    if (!sdw_address_same_host(&tuple.dst, &tunnel.dst) || tuple.tcp ||
        (tuple.common && !same_end(&tuple.src, &tunnel.src)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sdw_schema *const schemas[] = {&sdw_flow_new_schema, &sdw_flow_app_schema};
    struct sdw_str line = {(const char *)data, size};
    for (size_t i = 0; i < SDW_LEN(schemas); i++) {
        struct sdw_arena arena = {0};
        struct sdw_flow_rec rec = sdw_flow_rec_none;
        struct sdw_mirror_tuple tuple;
        struct sdw_err err = {0};
        if (sdw_rec_decode(schemas[i], line, &arena, &rec, &err) == 0) {
            if (!sdw_mirror_tuple_read(&rec, &tuple))
                check(&tuple);
            check_outer(&rec);
        }
        sdw_arena_release(&arena);
    }
    return 0;
}
