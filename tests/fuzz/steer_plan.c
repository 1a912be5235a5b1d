/* The plan reader. */
#include "steer/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_steer_plan plan = {0};
    struct sdw_err err;
    const char *p = (const char *)data, *end = p + size;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t n = newline ? (size_t)(newline - p) : (size_t)(end - p);
        if (plan.n < 64)
            (void)sdw_steer_plan_add(&plan, (struct sdw_str){p, n}, &err);
        p += n + 1;
    }
    sdw_steer_plan_release(&plan);
    return 0;
}
