/* What reading an answer of Prometheus' query API does with bytes from outside. */
#include "rec/prometheus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look(const struct sdw_prometheus_point *point, void *arg)
{
    int64_t *last = arg;
    if (point->value != point->value || point->series.n == 0)
        __builtin_trap();
    *last = point->ts;
    return 0;
}

static int look_at_value(const char *value, void *arg)
{
    int64_t *last = arg;
    *last = (int64_t)strlen(value);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t last = 0;
    struct sdw_str body = {(const char *)data, size};
    (void)sdw_prometheus_read(body, SDW_PROMETHEUS_BY_TIME, look, &last, NULL);
    (void)sdw_prometheus_read(body, SDW_PROMETHEUS_BY_SERIES, look, &last, NULL);
    (void)sdw_prometheus_values(body, look_at_value, &last, NULL);
    return 0;
}
