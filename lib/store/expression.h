/*
 * Regular expressions of selectors, of the Perl-compatible kind: what Prometheus' RE2 understands
 * is understood alike. An expression fits all of a text, or it does not fit.
 *
 * Whoever may ask a server may send any expression: what would take much memory is refused when it
 * is made, what would take much time when it is used.
 */
#ifndef SDW_STORE_EXPRESSION_H
#define SDW_STORE_EXPRESSION_H

#include "core/base.h"

struct sdw_expression;

/* NULL, with the reason in why[n], when text is no expression. Free it with sdw_expression_free. */
struct sdw_expression *sdw_expression_new(const char *text, char *why, size_t n);
void sdw_expression_free(struct sdw_expression *expression);

/* 1 when it fits, 0 when not, SDW_EUSAGE when that would take too long to find out. Octets that are
 * no UTF-8 fit nothing. */
int sdw_expression_fits(const struct sdw_expression *expression, struct sdw_str text);

#endif
