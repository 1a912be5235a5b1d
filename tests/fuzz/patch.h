/* Sound bytes that are damaged as the input says: a file that goes stale with each change of a
 * layout would be refused by its length, and nothing behind that would be tried. */
#ifndef FUZZ_PATCH_H
#define FUZZ_PATCH_H

#include "core/buf.h"

static uint32_t patch_number(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

/* data: how many bytes are cut off, then places and what is put there: 4 + 5 n bytes, little
 * endian. */
static void patch(struct sdw_buf *bytes, const uint8_t *data, size_t size)
{
    if (size < 4 || bytes->n == 0)
        return;
    for (size_t i = 4; i + 5 <= size; i += 5)
        bytes->p[patch_number(data + i) % bytes->n] = (char)data[i + 4];
    bytes->n -= patch_number(data) % bytes->n;
}

#endif
