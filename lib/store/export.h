/* Records of standard input that are values of a series (rec/value.h) to an engine past this
 * machine. */
#ifndef SDW_STORE_EXPORT_H
#define SDW_STORE_EXPORT_H

#include "io/tool.h"
#include "store/wire.h"

struct sdw_export_settings {
    const char *url; /* of the engine, or of the whole path to write to */
    enum sdw_wire wire;
    const char *spool; /* directory for what cannot be sent now; NULL: wait instead */
    int64_t spool_bytes;
    int64_t batch;          /* points that are sent together */
    int64_t delay_us;       /* a point waits no longer than this for others */
    int64_t linger_us;      /* at the end: try this long to send what waits */
    const char *token_file; /* a bearer token; NULL: none */
    bool keep;              /* pass on the records that were sent, too */
};

/* Reads to the end. A batch that the engine took is acknowledged by a `stored` record. What it says
 * is malformed (400, 422) is given up and counted. All else, no answer as well as a wrong path or
 * token, is tried again, from a second to a minute apart, and after 401 and 403 with the token that
 * is then in its file.
 * SDW_ENO when something still waits in the spool at the end. */
int sdw_export_run(struct sdw_ctx *ctx, const struct sdw_export_settings *settings);

#endif
