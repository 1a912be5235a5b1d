#include "net/export.h"
#include "core/num.h"

#define DAY_US  (INT64_C(86400) * 1000000)
#define YEAR_US (366 * DAY_US)

static uint64_t times(uint64_t count, uint32_t sampling)
{
    return count > UINT64_MAX / sampling ? UINT64_MAX : count * sampling;
}

void sdw_export_scale(struct sdw_export *flow, uint32_t sampling)
{
    flow->sampling = sampling;
    flow->packets = times(flow->packets, sampling);
    flow->bytes = times(flow->bytes, sampling);
    flow->reverse_packets = times(flow->reverse_packets, sampling);
    flow->reverse_bytes = times(flow->reverse_bytes, sampling);
}

static bool counts_plausible(uint64_t packets, uint64_t bytes, bool no_packets)
{
    if (packets > (uint64_t)SDW_INT_MAX || bytes > (uint64_t)SDW_INT_MAX)
        return false;
    return no_packets || (bytes + SDW_IP_BYTES_MAX - 1) / SDW_IP_BYTES_MAX <= packets;
}

bool sdw_export_plausible(struct sdw_export *flow, int64_t export_us)
{
    bool told = flow->first_us != 0 && flow->last_us >= flow->first_us &&
                flow->last_us - flow->first_us <= YEAR_US;
    flow->duration_us = told ? flow->last_us - flow->first_us : -1;
    if (!told || flow->last_us > export_us + DAY_US || flow->first_us < export_us - YEAR_US)
        flow->first_us = flow->last_us = 0;
    return flow->sampling >= 1 && flow->sampling <= SDW_SAMPLING_MAX &&
           counts_plausible(flow->packets, flow->bytes, flow->no_packets) &&
           counts_plausible(flow->reverse_packets, flow->reverse_bytes, flow->no_packets);
}
