/* UTF-8 (RFC 3629). */
#ifndef SDW_CORE_UTF8_H
#define SDW_CORE_UTF8_H

#include "core/base.h"

/* Length of the sequence at p (1..4) of which `left` > 0 bytes are there; 0 when it is none:
 * overlong, a surrogate, cut short or above U+10FFFF. */
size_t sdw_utf8_length(const char *p, size_t left);

/* Write the sequence of a code point (not a surrogate); returns its length, 1..4. */
size_t sdw_utf8_put(uint32_t code_point, char out[4]);

#endif
