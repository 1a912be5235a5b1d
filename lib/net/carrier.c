#include "net/carrier.h"

static struct sdw_carrier *mirror_udp(const struct sdw_carrier_config *config, struct sdw_err *err)
{
    return sdw_carrier_raw(config, false, err);
}

static struct sdw_carrier *mirror_tcp(const struct sdw_carrier_config *config, struct sdw_err *err)
{
    return sdw_carrier_raw(config, true, err);
}

struct sdw_carrier *sdw_carrier_open(enum sdw_carrier_kind kind,
                                     const struct sdw_carrier_config *config, struct sdw_err *err)
{
    static struct sdw_carrier *(*const open[])(const struct sdw_carrier_config *,
                                               struct sdw_err *) = {
        [SDW_CARRIER_AUTO] = sdw_carrier_udp,  [SDW_CARRIER_UDP] = sdw_carrier_udp,
        [SDW_CARRIER_ICMP] = sdw_carrier_icmp, [SDW_CARRIER_TCP] = sdw_carrier_tcp,
        [SDW_CARRIER_MIRROR_UDP] = mirror_udp, [SDW_CARRIER_MIRROR_TCP] = mirror_tcp,
    };
    return open[kind](config, err);
}
