/* Packet ids in 16 bits that are never 0: an IP id, or a checksum. All that a router which quotes 8
 * octets brings back of a mirrored packet. */
#ifndef SDW_NET_MARK_H
#define SDW_NET_MARK_H

#include "core/base.h"

enum { SDW_MARKS = 65521 };

static inline uint16_t sdw_mark(uint32_t id)
{
    return (uint16_t)(1 + id % SDW_MARKS);
}

/* The latest id up to `last` that has this mark; 0 when none has. */
static inline uint32_t sdw_mark_id(uint16_t mark, uint32_t last)
{
    if (mark == 0 || mark > SDW_MARKS)
        return 0;
    uint32_t back = (last % SDW_MARKS + SDW_MARKS - (uint32_t)(mark - 1)) % SDW_MARKS;
    return back <= last ? last - back : 0;
}

#endif
