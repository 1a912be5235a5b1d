/* Queries come from HTTP: any text is taken or refused, and what is taken has a value or none. */
#include "store/promql.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t ts_us[] = {1000000, 2000000, 3000000};
    static const double value[] = {1, 5, 2};
    struct sdw_promql query;
    struct sdw_err err;
    double scratch[3];
    if (size > 200) /* long expressions only test the regular expressions of the C library */
        return 0;
    if (sdw_promql_parse(&query, (struct sdw_str){(const char *)data, size}, &err) == 0) {
        if (query.n_groupings > SDW_PROMQL_GROUPINGS || query.range_us <= 0)
            abort();
        if (query.function != SDW_PROMQL_NUMBER)
            (void)sdw_promql_value(&query, 3000000, ts_us, value, 3, scratch);
    }
    sdw_promql_release(&query);
    return 0;
}
