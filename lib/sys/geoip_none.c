/* Without libmaxminddb. */
#include "sys/geoip.h"

int sdw_geoip_open(const char *path, struct sdw_geoip **geoip, struct sdw_err *err)
{
    *geoip = NULL;
    return sdw_err_set(err, SDW_EUSAGE, "%s: built without libmaxminddb, which reads such files",
                       path);
}

void sdw_geoip_close(struct sdw_geoip *geoip)
{
    (void)geoip;
}

bool sdw_geoip_region(struct sdw_str address, char region[SDW_REGION_TEXT], void *geoip)
{
    (void)address;
    (void)region;
    (void)geoip;
    return false;
}
