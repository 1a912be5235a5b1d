/* The region of an address, from a file in the MaxMind DB format. */
#ifndef SDW_SYS_GEOIP_H
#define SDW_SYS_GEOIP_H

#include "core/base.h"
#include "core/err.h"

enum { SDW_REGION_TEXT = 16 };

struct sdw_geoip;

/* SDW_EUSAGE when there is no such file, or none can be read here; SDW_EINPUT for one that is
 * damaged, anywhere in its tree, or is of another kind. Close it; NULL is none. */
int sdw_geoip_open(const char *path, struct sdw_geoip **geoip, struct sdw_err *err);
void sdw_geoip_close(struct sdw_geoip *geoip);

/* The country of an address, "DE", else its continent, "EU". False when the text is no address,
 * or the file does not have it. */
bool sdw_geoip_region(struct sdw_str address, char region[SDW_REGION_TEXT], void *geoip);

#endif
