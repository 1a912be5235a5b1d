#include "store/when.h"
#include "core/num.h"

#include <math.h>
#include <time.h>

static bool parse_number(const char *text, int64_t *out_us)
{
    double value;
    if (!sdw_num_real(sdw_str_of(text), &value) || value < 0)
        return false;
    value *= value >= 1e14 ? 1 : value >= 1e11 ? 1e3 : 1e6;
    if (value > (double)SDW_INT_MAX)
        return false;
    *out_us = llround(value);
    return true;
}

static bool parse_date(const char *text, int64_t *out_us)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    double part = 0;
    for (size_t i = 0; i < SDW_LEN(forms); i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, forms[i], &tm);
        if (!rest)
            continue;
        size_t n = strspn(rest, ".0123456789");
        if (n && (rest[0] != '.' || i > 1))
            continue;
        char fraction[20] = "0";
        if (n && n < sizeof fraction - 1)
            memcpy(fraction + 1, rest, n);
        if (n && (n >= sizeof fraction - 1 || !sdw_num_real(sdw_str_of(fraction), &part)))
            continue;
        rest += n;
        if (strcmp(rest, "Z") != 0 && *rest)
            continue;
        *out_us = (int64_t)timegm(&tm) * 1000000 + llround(part * 1e6);
        return true;
    }
    return false;
}

bool sdw_when_parse(const char *text, int64_t newest_us, int64_t *out_us)
{
    int64_t back;
    if (text[0] == '-') {
        if (!sdw_parse_duration(text + 1, &back))
            return false;
        *out_us = newest_us == INT64_MIN ? 0 : newest_us - back;
        return true;
    }
    return parse_number(text, out_us) || parse_date(text, out_us);
}
