/* Records of standard input that are values of a series (rec/value.h) into a store. */
#ifndef SDW_STORE_APPEND_H
#define SDW_STORE_APPEND_H

#include "io/tool.h"
#include "store/store.h"

struct sdw_append_settings {
    int64_t ahead_us; /* refuse points further than this in the future */
    int64_t batch;    /* most points between two acknowledgements */
    bool keep;        /* pass on the records that were stored, too */
};

/* Reads to the end. Points are made durable, and acknowledged by a `stored` record, before every
 * wait for input, after `batch` points and at the end. Other records are passed on byte for byte.
 * Ends with the `loss` and `end` records. */
int sdw_append_run(struct sdw_ctx *ctx, struct sdw_store *store,
                   const struct sdw_append_settings *settings);

#endif
