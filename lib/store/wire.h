/*
 * Points as other engines take them:
 *   remote write of Prometheus, version 1 (protobuf in Snappy's block format);
 *   the JSON lines of VictoriaMetrics' /api/v1/import.
 */
#ifndef SDW_STORE_WIRE_H
#define SDW_STORE_WIRE_H

#include "core/base.h"
#include "core/buf.h"
#include "store/labels.h"
#include "store/wal.h"

enum sdw_wire { SDW_WIRE_PROMETHEUS, SDW_WIRE_VICTORIA };
extern const char *const sdw_wire_names[]; /* prometheus victoria NULL */

/* Path that is added to a URL without one, and the headers, NULL-ended. */
const char *sdw_wire_path(enum sdw_wire wire);
const char *const *sdw_wire_headers(enum sdw_wire wire);

/* One series: its name, its labels (canonical, NULL: none) and its points, in order of time. */
struct sdw_wire_series {
    struct sdw_str name, labels;
    const struct sdw_point *point;
    size_t n;
};

/* Append series to a body. Prometheus allows only letters, digits, _ and : in a name, and no : in
 * that of a label: others become _, and the name as it was becomes the label `series`. */
void sdw_wire_add(enum sdw_wire wire, const struct sdw_wire_series *series,
                  struct sdw_arena *scratch, struct sdw_buf *body);
/* Of a series that came back from an engine: give it the name it had, which is then no label. */
void sdw_wire_restore(struct sdw_str *name, struct sdw_labels *labels, struct sdw_arena *scratch);
/* What is sent of a body. */
void sdw_wire_finish(enum sdw_wire wire, struct sdw_str body, struct sdw_buf *out);

#endif
