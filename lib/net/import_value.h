/* What importers share: numbers that may be strings, and labels. */
#ifndef SDW_NET_IMPORT_VALUE_H
#define SDW_NET_IMPORT_VALUE_H

#include "io/json.h"
#include "net/import.h"

/* A member as a number, also when it is written as a string ("12.5", "3%"); NAN when it is none. */
double sdw_import_number(const struct sdw_json *object, const char *key);
/* A member as text; NULL when it is none. */
const char *sdw_import_text(const struct sdw_json *object, const char *key);
/* Seconds since the epoch (a real) as us; fallback when it is no time. */
int64_t sdw_import_time(double seconds, int64_t fallback);
/* A number of milliseconds as us: NAN stays NAN, and what is negative (none came) becomes it. */
double sdw_import_ms(double ms);

/* Labels: pairs of key and value; NULL values are left out. The view is in out, which is cleared.
 */
struct sdw_str sdw_import_labels(struct sdw_buf *out, const char *const pairs[][2], size_t n);

extern const struct sdw_import_format sdw_import_mtr, sdw_import_iperf3, sdw_import_atlas,
    sdw_import_scamper, sdw_import_ip;

#endif
