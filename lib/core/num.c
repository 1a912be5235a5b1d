#include "core/num.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 63 }; /* longest number text that is looked at */

/* Decimals of few digits, exactly: a whole number below 2^53 divided by a power of ten that a
 * double holds exactly is rounded once, as strtod rounds (Clinger, "How to Read Floating Point
 * Numbers Accurately", 1990). False when the text is anything else. */
static bool short_decimal(struct sdw_str text, double *out)
{
    static const double power[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = text.n && text.p[0] == '-', point = text.n;
    int64_t whole = 0;
    if (text.n - i > 15 || i == text.n)
        return false;
    for (; i < text.n; i++) {
        if (text.p[i] == '.' && point == text.n)
            point = i;
        else if (text.p[i] >= '0' && text.p[i] <= '9')
            whole = whole * 10 + (text.p[i] - '0');
        else
            return false;
    }
    bool negative = text.p[0] == '-';
    size_t places = point < text.n ? text.n - point - 1 : 0;
    if (point < text.n && (places == 0 || point == negative))
        return false;
    double value = (double)whole / power[places];
    *out = negative ? -value : value;
    return true;
}

bool sdw_num_real(struct sdw_str text, double *out)
{
    if (short_decimal(text, out))
        return true;
    char copy[NUMBER_MAX + 1];
    if (text.n == 0 || text.n > NUMBER_MAX)
        return false;
    /* strtod takes more than JSON does: hexadecimal, "nan", "inf", leading blanks and plus. */
    for (size_t i = 0; i < text.n; i++)
        if (!strchr("0123456789+-.eE", text.p[i]) || text.p[i] == '\0')
            return false;
    if (text.p[0] == '+')
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    char *end;
    double value = strtod(copy, &end);
    if (*end || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool sdw_num_int(struct sdw_str text, int64_t *out)
{
    size_t i = text.n && text.p[0] == '-';
    int64_t value = 0;
    if (i == text.n)
        return false;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        value = value * 10 + (text.p[i] - '0');
        if (value > SDW_INT_MAX)
            return false;
    }
    if (i == text.n) {
        *out = text.p[0] == '-' ? -value : value;
        return true;
    }
    double real;
    if (!sdw_num_real(text, &real) || real != floor(real) || fabs(real) > (double)SDW_INT_MAX)
        return false;
    *out = (int64_t)real;
    return true;
}

void sdw_buf_int(struct sdw_buf *buf, int64_t value)
{
    static const char pair[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "68697071727374757677787980818283848586878889909192939495969798"
        "99";
    enum { MOST = 24 };
    char digits[2 * MOST], *end = digits + MOST, *p = end;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    for (; left >= 100; left /= 100)
        memcpy(p -= 2, pair + left % 100 * 2, 2);
    if (left >= 10)
        memcpy(p -= 2, pair + left * 2, 2);
    else
        *--p = (char)('0' + left);
    if (value < 0)
        *--p = '-';
    sdw_buf_reserve(buf, MOST);
    memcpy(buf->p + buf->n, p, MOST); /* always as many: cheaper than to count */
    buf->n += (size_t)(end - p);
    buf->p[buf->n] = '\0';
}

void sdw_buf_real(struct sdw_buf *buf, double value)
{
    if (!isfinite(value)) {
        sdw_buf_text(buf, "null");
        return;
    }
    if (value == floor(value) && fabs(value) < 1e15 && !(value == 0 && signbit(value))) {
        sdw_buf_int(buf, (int64_t)value);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    sdw_buf_text(buf, text);
}

/* Decimal places that leave 6 significant digits of a number in [1e-3, 1e6). */
static int model_places(double magnitude)
{
    int places = 5;
    for (double limit = 10; places > 0 && magnitude >= limit; limit *= 10)
        places--;
    for (double limit = 1; magnitude < limit && places < 8; limit /= 10)
        places++;
    return places;
}

void sdw_buf_model(struct sdw_buf *buf, double value)
{
    static const double scale[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    double magnitude = fabs(value);
    if (!(magnitude >= 1e-3 && magnitude < 999999.5)) {
        char text[40];
        if (!isfinite(value) || value == 0) {
            sdw_buf_text(buf, value == 0 ? "0" : "null");
            return;
        }
        if (magnitude >= 999999.5 && magnitude < 1e15) {
            int64_t keep = 1;
            while (magnitude >= (double)keep * 1e6)
                keep *= 10;
            sdw_buf_int(buf, llround(value / (double)keep) * keep);
            return;
        }
        snprintf(text, sizeof text, "%.6g", value);
        sdw_buf_text(buf, text);
        return;
    }
    int places = model_places(magnitude);
    int64_t whole = llround(magnitude * scale[places]);
    char digits[24], *end = digits + sizeof digits, *p = end;
    for (int i = 0; i < places; i++) {
        *--p = (char)('0' + whole % 10);
        whole /= 10;
    }
    while (end > p && end[-1] == '0')
        end--;
    if (end > p)
        *--p = '.';
    do
        *--p = (char)('0' + whole % 10);
    while (whole /= 10);
    if (value < 0)
        *--p = '-';
    sdw_buf_add(buf, p, (size_t)(end - p));
}

/* A number followed by one of the suffixes; *value is the product. */
struct suffix {
    const char *text;
    double factor;
};

/* How much of the text is a number: digits, a point, and an exponent with digits of its own. */
static size_t number_length(const char *text)
{
    size_t n = strspn(text, "0123456789.");
    if (n == 0 || (text[n] != 'e' && text[n] != 'E'))
        return n;
    size_t sign = text[n + 1] == '-' || text[n + 1] == '+';
    size_t digits = strspn(text + n + 1 + sign, "0123456789");
    return digits ? n + 1 + sign + digits : n;
}

static bool parse_suffixed(const char *text, const struct suffix *suffixes, double *value)
{
    size_t n = number_length(text);
    double number;
    if (n == 0 || !sdw_num_real((struct sdw_str){text, n}, &number))
        return false;
    for (; suffixes->text; suffixes++)
        if (strcmp(text + n, suffixes->text) == 0) {
            *value = number * suffixes->factor;
            return *value <= (double)SDW_INT_MAX;
        }
    return false;
}

bool sdw_parse_duration(const char *text, int64_t *us)
{
    static const struct suffix suffixes[] = {{"", 1e6},     {"us", 1},      {"ms", 1e3},
                                             {"s", 1e6},    {"m", 60e6},    {"min", 60e6},
                                             {"h", 3600e6}, {"d", 86400e6}, {NULL, 0}};
    double value;
    if (!parse_suffixed(text, suffixes, &value))
        return false;
    *us = llround(value);
    return true;
}

bool sdw_parse_rate(const char *text, double *bps)
{
    static const struct suffix suffixes[] = {
        {"", 1},       {"bit", 1},     {"bps", 1},    {"k", 1e3},    {"kbit", 1e3}, {"kbps", 1e3},
        {"K", 1e3},    {"Kbit", 1e3},  {"M", 1e6},    {"Mbit", 1e6}, {"Mbps", 1e6}, {"m", 1e6},
        {"mbit", 1e6}, {"G", 1e9},     {"Gbit", 1e9}, {"Gbps", 1e9}, {"g", 1e9},    {"gbit", 1e9},
        {"T", 1e12},   {"Tbit", 1e12}, {NULL, 0}};
    return parse_suffixed(text, suffixes, bps);
}

bool sdw_parse_bytes(const char *text, int64_t *bytes)
{
    static const struct suffix suffixes[] = {
        {"", 1},     {"B", 1},    {"k", 1e3},         {"K", 1e3},
        {"kB", 1e3}, {"KB", 1e3}, {"Ki", 1024},       {"KiB", 1024},
        {"M", 1e6},  {"MB", 1e6}, {"Mi", 1048576},    {"MiB", 1048576},
        {"G", 1e9},  {"GB", 1e9}, {"Gi", 1073741824}, {"GiB", 1073741824},
        {NULL, 0}};
    double value;
    if (!parse_suffixed(text, suffixes, &value))
        return false;
    *bytes = llround(value);
    return true;
}

bool sdw_parse_share(const char *text, double *share)
{
    static const struct suffix suffixes[] = {{"", 1}, {"%", 0.01}, {NULL, 0}};
    double value;
    if (!parse_suffixed(text, suffixes, &value) || value > 1)
        return false;
    *share = value;
    return true;
}

static const char *show_scaled(double value, const struct suffix *units, const char *gap,
                               char out[16])
{
    while (units[1].text && fabs(value) >= units[1].factor)
        units++;
    snprintf(out, 16, "%.3g%s%s", value / units->factor, gap, units->text);
    return out;
}

const char *sdw_show_duration(int64_t us, char out[16])
{
    static const struct suffix units[] = {{"us", 1},     {"ms", 1e3},    {"s", 1e6}, {"min", 60e6},
                                          {"h", 3600e6}, {"d", 86400e6}, {NULL, 0}};
    return show_scaled((double)us, units, " ", out);
}

const char *sdw_show_rate(double bps, char out[16])
{
    static const struct suffix units[] = {{"bit/s", 1},    {"kbit/s", 1e3},  {"Mbit/s", 1e6},
                                          {"Gbit/s", 1e9}, {"Tbit/s", 1e12}, {NULL, 0}};
    return show_scaled(bps, units, " ", out);
}

const char *sdw_show_number(double value, char out[16])
{
    static const struct suffix units[] = {{"", 1},    {"k", 1e3},  {"M", 1e6},
                                          {"G", 1e9}, {"T", 1e12}, {NULL, 0}};
    return show_scaled(value, units, "", out);
}
