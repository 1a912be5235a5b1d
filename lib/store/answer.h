/* What an expression of PromQL amounts to, as the API of Prometheus writes it. */
#ifndef SDW_STORE_ANSWER_H
#define SDW_STORE_ANSWER_H

#include "io/jsonw.h"
#include "store/promql.h"
#include "store/select.h"
#include "store/store.h"

/* What is asked: values from start to end, or (step 0) one at start. */
struct sdw_span {
    int64_t start_us, end_us, step_us;
};

/* Write the member `data`, and `warnings` when damage left something out. SDW_EUSAGE when it would
 * be too large, or has no steps. */
int sdw_answer_put(struct sdw_store *store, const struct sdw_promql *promql,
                   const struct sdw_span *span, struct sdw_jsonw *w, struct sdw_err *err);
/* Write a series with its name as an object of labels (key NULL: as an element). */
void sdw_answer_metric(struct sdw_jsonw *w, const struct sdw_selected_series *series,
                       const char *key);

#endif
