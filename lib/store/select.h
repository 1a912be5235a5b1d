/* The series that selectors mean, in order of name and labels. */
#ifndef SDW_STORE_SELECT_H
#define SDW_STORE_SELECT_H

#include "core/base.h"
#include "core/err.h"
#include "core/mem.h"
#include "store/selector.h"
#include "store/store.h"

struct sdw_selected_series {
    uint32_t id;
    struct sdw_str name, labels; /* labels: canonical, empty when there are none */
};

/* Zero-initialise, release once. */
struct sdw_selected {
    struct sdw_selected_series *series;
    size_t n, cap;
    struct sdw_arena memory;
};

/* Adds the series that any of n selectors matches (n 0: all series), each once. */
int sdw_select(struct sdw_store *store, const struct sdw_selector *selector, size_t n,
               struct sdw_selected *out, struct sdw_err *err);
/* The same from texts. SDW_ENO when no series matches, SDW_EUSAGE for a bad selector. */
int sdw_select_texts(struct sdw_store *store, char *const *text, size_t n, struct sdw_selected *out,
                     struct sdw_err *err);
void sdw_selected_release(struct sdw_selected *selected);

#endif
