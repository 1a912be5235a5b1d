/* A shape record from outside, and what is planned from it. */
#include <stdlib.h>

#include "net/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_traffic_shape shape;
    struct sdw_plan plan = {0};
    struct sdw_rng rng;
    struct sdw_err err;
    if (sdw_shape_read(&shape, (struct sdw_str){(const char *)data, size}, &err) < 0)
        return 0;
    sdw_rng_seed(&rng, size);
    sdw_shape_plan(&shape, &plan, 0, 10000000, 1e6, 255, &rng);
    if (plan.n > 2 * 1250 / 20 + 75 + 1) /* twice the rate, in the smallest packets */
        abort();
    sdw_plan_release(&plan);
    sdw_shape_release(&shape);
    return 0;
}
