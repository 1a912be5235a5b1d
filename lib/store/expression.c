#include "store/expression.h"
#include "core/err.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps of one comparison: a good expression needs some thousands for the longest label. */
enum { STEPS_MAX = 200000, HEAP_KIB = 4096, NESTING_MAX = 64 };

struct sdw_expression {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static const uint32_t kind = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C;

struct sdw_expression *sdw_expression_new(const char *text, char *why, size_t n)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
    if (limits)
        pcre2_set_parens_nest_limit(limits, NESTING_MAX);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, kind, &error, &at, limits);
    pcre2_compile_context_free(limits);
    if (!code) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)why, n);
        return NULL;
    }
    struct sdw_expression *expression = sdw_xalloc(sizeof *expression);
    *expression = (struct sdw_expression){
        .code = code,
        .limits = pcre2_match_context_create(NULL),
        .data = pcre2_match_data_create(1, NULL),
    };
    if (!expression->limits || !expression->data) {
        snprintf(why, n, "there is no memory for it");
        sdw_expression_free(expression);
        return NULL;
    }
    pcre2_set_match_limit(expression->limits, STEPS_MAX);
    pcre2_set_depth_limit(expression->limits, STEPS_MAX);
    pcre2_set_heap_limit(expression->limits, HEAP_KIB);
    return expression;
}

void sdw_expression_free(struct sdw_expression *expression)
{
    if (!expression)
        return;
    pcre2_match_data_free(expression->data);
    pcre2_match_context_free(expression->limits);
    pcre2_code_free(expression->code);
    free(expression);
}

int sdw_expression_fits(const struct sdw_expression *expression, struct sdw_str text)
{
    int got = pcre2_match(expression->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, 0,
                          expression->data, expression->limits);
    bool no_text = got <= PCRE2_ERROR_UTF8_ERR1 && got >= PCRE2_ERROR_UTF8_ERR21;
    return got >= 0 ? 1 : no_text || got == PCRE2_ERROR_NOMATCH ? 0 : SDW_EUSAGE;
}
