/* Conditions and the lines they are asked about: everything up to the first newline is a
 * condition, the rest is a line. */
#include "rec/filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *newline = size ? memchr(data, '\n', size) : NULL;
    size_t n = newline ? (size_t)(newline - (const char *)data) : size;
    char *condition = malloc(n + 1);
    if (!condition || n > 200) { /* long patterns only keep regcomp busy */
        free(condition);
        return 0;
    }
    if (n)
        memcpy(condition, data, n);
    condition[n] = '\0';
    const char *one = condition;
    struct sdw_filter *filter = sdw_filter_new(&one, 1, NULL);
    struct sdw_str line = {(const char *)data + n, size - n};
    if (newline)
        line = (struct sdw_str){newline + 1, size - n - 1};
    struct sdw_err err;
    if (filter)
        (void)sdw_filter_match(filter, line, &err);
    sdw_filter_free(filter);
    free(condition);
    return 0;
}
