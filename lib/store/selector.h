/*
 * Selectors of series, as in Prometheus: NAME, NAME{label="value", ...} or {label=~"regex"}.
 * Operators are = != =~ !~; an absent label is an empty one; expressions are anchored. In a NAME *
 * and ? stand for any text and any character; the label __name__ is the name.
 */
#ifndef SDW_STORE_SELECTOR_H
#define SDW_STORE_SELECTOR_H

#include "core/base.h"
#include "core/buf.h"
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
/* Append the selector for an engine that speaks PromQL, {name_key=~"...",label="value"}: what it
 * says of the name is asked of the label name_key; or (name not NULL) the name is that one.
 * SDW_EUSAGE for a label that no engine has. */
int sdw_selector_write(const struct sdw_selector *selector, const char *name_key, const char *name,
                       struct sdw_buf *out, struct sdw_err *err);
/* 1 when name and labels fit, 0 when not; SDW_EUSAGE when an expression takes too long. */
int sdw_selector_matches(const struct sdw_selector *selector, struct sdw_str name,
                         const struct sdw_labels *labels, struct sdw_err *err);

#endif
