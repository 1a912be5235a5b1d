/* What a collector does with an sFlow datagram from outside. */
#include "net/sflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct sdw_export *flow, void *arg)
{
    size_t *flows = arg;
    ++*flows;
    if (flow->bytes > UINT64_C(1) << 53 || flow->sampling < 1 ||
        (flow->version != 4 && flow->version != 6))
        __builtin_trap();
}

static void look_link(const struct sdw_sflow_link *link, void *arg)
{
    size_t *flows = arg;
    if (link->agent_n != 4 && link->agent_n != 16)
        __builtin_trap();
    ++*flows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_sflow *sflow = sdw_sflow_new(1);
    size_t flows = 0;
    struct sdw_sflow_sink sink = {look, look_link, &flows};
    (void)sdw_sflow_take(sflow, (struct sdw_str){(const char *)data, size}, &sink, NULL);
    struct sdw_sflow_counts counts = sdw_sflow_counts(sflow);
    if (counts.flows + counts.counters != flows)
        __builtin_trap();
    sdw_sflow_free(sflow);
    return 0;
}
