/* CRC-32C (Castagnoli), as in RFC 3720, appendix B.4. */
#ifndef SDW_STORE_CRC32C_H
#define SDW_STORE_CRC32C_H

#include "core/base.h"

/* Checksum of the bytes that follow those of which crc is the checksum (0: none before). */
uint32_t sdw_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
