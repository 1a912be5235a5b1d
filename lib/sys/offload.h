/* Network card offloads. They make packets travel as super-packets, which is not what a queue of
 * a real link sees. */
#ifndef SDW_SYS_OFFLOAD_H
#define SDW_SYS_OFFLOAD_H

#include "core/base.h"
#include "core/err.h"

/* Turn off transmit checksumming, segmentation and receive merging of an interface of the
 * namespace the process is in. What the driver does not have is left alone. */
int sdw_offload_off(const char *interface, struct sdw_err *err);

#endif
