/* What gnmic --format event prints, as a source. */
#ifndef SDW_NET_COLLECT_GNMIC_H
#define SDW_NET_COLLECT_GNMIC_H

#include "net/collect.h"

/* Read events from the descriptor until its end. The counters of an interface (OpenConfig,
 * .../interface[name=IF]/state/counters/...) become rates by the device's own time:
 * link/SOURCE:IF/bps, rx_bps, ...; every other number becomes gnmi/SOURCE/PATH, with the tags that
 * tell it apart in brackets. */
int sdw_collect_gnmic(struct sdw_collect *collect, int input, struct sdw_err *err);

#endif
