/* The read API of Prometheus: what a request is answered with. */
#ifndef SDW_STORE_PROM_H
#define SDW_STORE_PROM_H

#include "core/buf.h"
#include "store/request.h"
#include "store/store.h"

/* Append the answer, JSON, to body. now_us: the wall clock, where a request leaves out the time.
 * Returns the HTTP status. */
int sdw_prom_answer(struct sdw_store *store, const struct sdw_request *request, int64_t now_us,
                    struct sdw_buf *body);

#endif
