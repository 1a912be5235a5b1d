/*
 * JSON that other tools have written, as records: one document at a time.
 *
 * Numbers may be strings. What a document lacks is left out; what it does not tell the time of is
 * of the time given.
 */
#ifndef SDW_NET_IMPORT_H
#define SDW_NET_IMPORT_H

#include "io/json.h"
#include "io/tool.h"
#include "net/collect.h"

/* A tool whose output can be read. */
struct sdw_import_format {
    const char *name, *help;
    /* Emit what one document tells, of time ts where it tells none. 1 when it was understood, 0
     * when it is of a kind that says nothing here, SDW_EINPUT (message in err) when it is not of
     * this tool, another negative code when writing failed. */
    int (*take)(struct sdw_ctx *ctx, const struct sdw_json *document, int64_t ts,
                struct sdw_err *err);
};

struct sdw_import_counts {
    uint64_t documents, understood, ignored;
};

/* By name; NULL when there is none. */
const struct sdw_import_format *sdw_import_find(const char *name);
/* Names of all, for messages: "mtr, iperf3, ...". */
void sdw_import_names(struct sdw_buf *out);

/* Read documents of this format from fd (name: for messages) until its end. at_us: the time of
 * those that tell none; 0: when they were read. Bad ones are warned of, counted in ctx->bad_lines
 * and skipped. */
int sdw_import_read(struct sdw_ctx *ctx, const struct sdw_import_format *format, int fd,
                    const char *name, int64_t at_us, struct sdw_import_counts *counts);
/* The same of the file at path. */
int sdw_import_file(struct sdw_ctx *ctx, const struct sdw_import_format *format, const char *path,
                    int64_t at_us, struct sdw_import_counts *counts);

#endif
