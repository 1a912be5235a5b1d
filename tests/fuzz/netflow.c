/* What a collector does with datagrams from outside: each input is a run of them, every one behind
 * two bytes of length and one that tells the exporters apart. */
#include "net/netflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct sdw_export *flow, void *arg)
{
    size_t *flows = arg;
    ++*flows;
    if (flow->bytes > UINT64_C(1) << 53 || flow->sampling < 1 || flow->duration_us < -1 ||
        (flow->version != 4 && flow->version != 6))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    size_t flows = 0;
    while (size >= 3) {
        size_t n = (size_t)(data[0] << 8 | data[1]);
        struct sdw_str exporter = {(const char *)data + 2, 1};
        data += 3;
        size -= 3;
        n = n < size ? n : size;
        (void)sdw_netflow_take(netflow, exporter, (struct sdw_str){(const char *)data, n}, look,
                               &flows, NULL);
        data += n;
        size -= n;
    }
    struct sdw_netflow_counts counts = sdw_netflow_counts(netflow);
    if (counts.flows != flows)
        __builtin_trap();
    sdw_netflow_free(netflow);
    return 0;
}
