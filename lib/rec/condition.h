/*
 * One condition on a record, as typed: KEY OP VALUE, or KEY alone ("is there, and neither null
 * nor false").
 *
 *   KEY    a member's key; dots reach into objects and arrays: available_bps.mid, horizons.0.p.
 *          A step that has a dot itself is quoted: q."0.025"
 *   OP     = != < <= > >=, ~ (matches the POSIX extended regular expression), !~
 *   VALUE  a number, null, true, false, or else text; in double quotes always text. Where the key
 *          names a unit (_us, _bps, _bytes, _share) the value may be typed with one: rtt_us>2ms,
 *          available_bps.mid<10M.
 *
 * Numbers compare with numbers, text with text (by bytes); = and != also compare a number, as it
 * was typed, with text (a path id may be all digits). A member that is absent or of another
 * kind is unlike any value: != and !~ hold, all others do not; =null holds for absent and null.
 */
#ifndef SDW_REC_CONDITION_H
#define SDW_REC_CONDITION_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "io/scan.h"

#include <regex.h>

enum { SDW_CONDITION_STEPS = 8 }; /* deepest path of a key */

enum sdw_condition_op {
    SDW_IS_THERE,
    SDW_EQUAL,
    SDW_NOT_EQUAL,
    SDW_LESS,
    SDW_AT_MOST,
    SDW_GREATER,
    SDW_AT_LEAST,
    SDW_LIKE,
    SDW_NOT_LIKE,
};

enum sdw_condition_want { SDW_WANT_NUMBER, SDW_WANT_TEXT, SDW_WANT_WORD };

struct sdw_condition {
    char *source; /* the text, which steps and text point into */
    struct sdw_str step[SDW_CONDITION_STEPS];
    size_t steps;
    enum sdw_condition_op op;
    enum sdw_condition_want want;
    double number;
    struct sdw_str text;
    enum sdw_scan_kind word; /* true, false or null */
    regex_t regex;
    bool has_regex; /* LIKE with more than plain characters in it */
};

/* SDW_EUSAGE, with the condition and what was expected, when it cannot be understood; it must be
 * released all the same. */
int sdw_condition_init(struct sdw_condition *condition, const char *source, struct sdw_err *err);
void sdw_condition_release(struct sdw_condition *condition);

/* Whether a value (NULL: absent) meets the condition. scratch is used for strings with escapes.
 * 1, 0, or SDW_EINPUT for a value that is not JSON. */
int sdw_condition_holds(const struct sdw_condition *condition, const struct sdw_member *value,
                        struct sdw_buf *scratch, struct sdw_err *err);

#endif
