/*
 * The shape of traffic, gathered: packet sizes, gaps between packets, protocols and pairs of ends,
 * of the whole link and of each application in each direction. Told as the `shape` records that
 * net/shape.h reads, so that shadow traffic can be made like it.
 */
#ifndef SDW_NET_SHAPEBOOK_H
#define SDW_NET_SHAPEBOOK_H

#include "core/names.h"
#include "net/biflow.h"
#include "rec/shape.h"

struct sdw_shapebook;

/* link: name of the whole (an interface, a file). Both are borrowed. pairs: whether to name the
 * ends of flows; without, the records have no pairs. */
struct sdw_shapebook *sdw_shapebook_new(const struct sdw_names *apps, const char *link, bool pairs);
void sdw_shapebook_free(struct sdw_shapebook *book);

/* A packet of an application; direction 0 goes from the flow's source to its destination. */
void sdw_shapebook_packet(struct sdw_shapebook *book, uint16_t app, enum sdw_direction direction,
                          uint8_t protocol, uint32_t ip_bytes, int64_t ns);
/* Packets of a flow in one direction since it was counted last: which pairs are the busiest. */
void sdw_shapebook_flow(struct sdw_shapebook *book, const struct sdw_biflow *flow,
                        enum sdw_direction direction, uint64_t packets);

/* Tell what was gathered since the last time, the whole link first, then the applications by their
 * packets; nothing of what had less than two packets, or no time between them. Begins anew. */
int sdw_shapebook_tell(struct sdw_shapebook *book, int64_t ts,
                       int (*each)(void *arg, const struct sdw_shape *shape), void *arg);

#endif
