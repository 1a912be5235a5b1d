/*
 * Numbers as text, exactly. Locale-independent as long as nobody calls setlocale(LC_NUMERIC).
 */
#ifndef SDW_CORE_NUM_H
#define SDW_CORE_NUM_H

#include "core/base.h"
#include "core/buf.h"

/* Integers of JSON that every reader keeps exact (RFC 7493). */
#define SDW_INT_MAX INT64_C(9007199254740992)

/* Parse all of `text` as a decimal integer within +-2^53, or as a finite real. Return false and
 * leave *out alone on anything else (empty, trailing bytes, overflow, NaN, Infinity). A JSON
 * number written 1e3 or 5.0 is an integer too when it is whole. */
bool sdw_num_int(struct sdw_str text, int64_t *out);
bool sdw_num_real(struct sdw_str text, double *out);

void sdw_buf_int(struct sdw_buf *buf, int64_t value);
/* Shortest text that reads back equal; "null" for NaN and Infinity. */
void sdw_buf_real(struct sdw_buf *buf, double value);
/* 6 significant digits: for results of models. */
void sdw_buf_model(struct sdw_buf *buf, double value);

/* Quantities as an operator types them. Each parses all of `text` and returns false otherwise.
 *   duration: 250ms 15m 1h 2d 30 (seconds) -> microseconds, >= 0
 *   rate:     10M 2.5Gbit 64k 1000 (bit/s)  -> bit/s, >= 0 (decimal multiples)
 *   bytes:    3M 64Ki 1500 -> bytes (K M G decimal, Ki Mi Gi binary)
 *   share:    5% 0.05 -> 0..1 */
bool sdw_parse_duration(const char *text, int64_t *us);
bool sdw_parse_rate(const char *text, double *bps);
bool sdw_parse_bytes(const char *text, int64_t *bytes);
bool sdw_parse_share(const char *text, double *share);

/* The same for people, at most 15 characters: "12.4 ms", "9.87 Mbit/s". Return out. */
const char *sdw_show_duration(int64_t us, char out[16]);
const char *sdw_show_rate(double bps, char out[16]);
/* A number whose unit is not known: "6.63G", "0.00129". */
const char *sdw_show_number(double value, char out[16]);

#endif
