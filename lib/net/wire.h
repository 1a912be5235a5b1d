/* Numbers in network byte order, at any alignment. */
#ifndef SDW_NET_WIRE_H
#define SDW_NET_WIRE_H

#include "core/base.h"

static inline uint16_t sdw_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t sdw_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t sdw_get64(const uint8_t *p)
{
    return (uint64_t)sdw_get32(p) << 32 | sdw_get32(p + 4);
}

static inline void sdw_put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void sdw_put32(uint8_t *p, uint32_t value)
{
    sdw_put16(p, (uint16_t)(value >> 16));
    sdw_put16(p + 2, (uint16_t)value);
}

static inline void sdw_put64(uint8_t *p, uint64_t value)
{
    sdw_put32(p, (uint32_t)(value >> 32));
    sdw_put32(p + 4, (uint32_t)value);
}

#endif
