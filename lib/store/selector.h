/*
 * Selectors of series, as in Prometheus: NAME, NAME{label="value", ...} or {label=~"regex"}.
 * Operators are = != =~ !~; an absent label is an empty one; expressions are anchored (regex(7),
 * extended). In a NAME * and ? stand for any text and any character; the label __name__ is the
 * name.
 */
#ifndef SDW_STORE_SELECTOR_H
#define SDW_STORE_SELECTOR_H

#include "core/base.h"
#include "core/err.h"
#include "core/mem.h"
#include "store/labels.h"

enum { SDW_MATCHERS_MAX = 32 };

struct sdw_selector {
    const char *name; /* exact name; NULL: by matchers */
    struct sdw_matcher *matcher;
    size_t n;
    struct sdw_arena memory;
};

/* Parse all of text, or (used not NULL) as much of it as is a selector. SDW_EUSAGE with what is
 * wrong and where. Release in any case. */
int sdw_selector_parse(struct sdw_selector *selector, struct sdw_str text, size_t *used,
                       struct sdw_err *err);
void sdw_selector_release(struct sdw_selector *selector);
bool sdw_selector_matches(const struct sdw_selector *selector, struct sdw_str name,
                          const struct sdw_labels *labels);

#endif
