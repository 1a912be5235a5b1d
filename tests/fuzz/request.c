/* HTTP requests, and the queries in them. */
#include "store/promql.h"
#include "store/request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_arena arena = {0};
    struct sdw_request request;
    long n = sdw_request_parse((struct sdw_str){(const char *)data, size}, &arena, &request);
    if (n > (long)size)
        abort();
    struct sdw_str query = sdw_request_param(&request, "query");
    if (n > 0 && query.p && query.n < 200) {
        static const int64_t ts[] = {1, 2, 3};
        static const double value[] = {3, 1, 2};
        double scratch[3];
        struct sdw_promql parsed;
        if (sdw_promql_parse(&parsed, query, NULL) == 0)
            (void)sdw_promql_value(&parsed, 4, ts, value, 3, scratch);
        sdw_promql_release(&parsed);
    }
    sdw_arena_release(&arena);
    return 0;
}
