/* What reading an answer of Prometheus' query API does with bytes from outside. */
#include "net/prometheus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look(const struct sdw_prometheus_point *point, void *arg)
{
    int64_t *last = arg;
    if (point->value != point->value || point->name.n == 0)
        __builtin_trap();
    *last = point->ts;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t last = 0;
    (void)sdw_prometheus_read((struct sdw_str){(const char *)data, size}, look, &last, NULL);
    return 0;
}
