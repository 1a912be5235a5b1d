#include "core/num.h"
#include "unit/tap.h"

#include <stdlib.h>

static const char *real_text(double value)
{
    static struct sdw_buf buf;
    sdw_buf_clear(&buf);
    sdw_buf_real(&buf, value);
    return buf.p;
}

static const char *model_text(double value)
{
    static struct sdw_buf buf;
    sdw_buf_clear(&buf);
    sdw_buf_model(&buf, value);
    return buf.p;
}

static void reals_are_written_shortest(void)
{
    is_text(real_text(30.923), "30.923", "a real is written with the digits it was given with");
    is_text(real_text(0.1 + 0.2), "0.30000000000000004", "and with all it needs to read back");
    is_text(real_text(5), "5", "a whole real is written without a point");
    is_text(real_text(NAN), "null", "NaN is written null");
    is_text(real_text(-INFINITY), "null", "so is Infinity");
    ok(strtod(real_text(1e308), NULL) == 1e308, "a huge real reads back equal");
    ok(strtod(real_text(5e-324), NULL) == 5e-324, "so does the least denormal");
}

static void models_keep_six_digits(void)
{
    is_text(model_text(1.0 / 3), "0.333333", "a model's result keeps six significant digits");
    is_text(model_text(123456.789), "123457", "above a thousand too");
    is_text(model_text(12345678.9), "12345700", "and above a million, without an exponent");
    is_text(model_text(-2.5), "-2.5", "trailing zeros are left out");
    is_text(model_text(0), "0", "zero is 0");
    is_text(model_text(-0.0), "0", "so is negative zero");
    is_text(model_text(1e-9), "1e-09", "what is tiny has an exponent");
    is_text(model_text(999999.7), "1000000", "rounding may carry into a new digit");
    is_text(model_text(NAN), "null", "NaN is null");
    for (double x = 1e-6; x < 1e14; x *= 3.7)
        if (fabs(strtod(model_text(x), NULL) / x - 1) > 5.1e-6)
            ok(0, "%.17g keeps six digits as %s", x, model_text(x));
    ok(1, "magnitudes from 1e-6 to 1e14 keep six digits");
}

static void integers_are_exact_or_refused(void)
{
    int64_t n = 7;
    ok(sdw_num_int(sdw_str_of("9007199254740992"), &n) && n == SDW_INT_MAX, "2^53 is taken");
    ok(!sdw_num_int(sdw_str_of("9007199254740993"), &n), "2^53 + 1 is refused");
    ok(!sdw_num_int(sdw_str_of("18446744073709551615"), &n), "2^64 - 1 is refused");
    ok(sdw_num_int(sdw_str_of("-12"), &n) && n == -12, "a negative integer is taken");
    ok(sdw_num_int(sdw_str_of("1e3"), &n) && n == 1000, "a whole number with an exponent too");
    ok(!sdw_num_int(sdw_str_of("1.5"), &n) && n == 1000, "a fraction is refused, out left alone");
    ok(!sdw_num_int(sdw_str_of(""), &n) && !sdw_num_int(sdw_str_of("-"), &n), "so is nothing");
    double x = 7;
    ok(!sdw_num_real(sdw_str_of("nan"), &x) && !sdw_num_real(sdw_str_of("inf"), &x) &&
           !sdw_num_real(sdw_str_of("0x10"), &x) && !sdw_num_real(sdw_str_of("1e999"), &x),
       "NaN, Infinity, hexadecimal and overflow are no reals");
    ok(!sdw_num_real(sdw_str_of("1 "), &x) && x == 7, "trailing bytes are refused");
}

static void quantities_are_read_as_typed(void)
{
    int64_t us = 0, bytes = 0;
    double bps = 0, share = 0;
    ok(sdw_parse_duration("250ms", &us) && us == 250000, "250ms");
    ok(sdw_parse_duration("15m", &us) && us == 900000000, "15m");
    ok(sdw_parse_duration("1.5", &us) && us == 1500000, "a bare duration is in seconds");
    ok(!sdw_parse_duration("-1s", &us) && !sdw_parse_duration("1 s", &us) &&
           !sdw_parse_duration("5x", &us) && !sdw_parse_duration("", &us),
       "negative, spaced, unknown and empty durations are refused");
    ok(sdw_parse_rate("2.5Gbit", &bps) && bps == 2.5e9, "2.5Gbit");
    ok(sdw_parse_rate("10M", &bps) && bps == 1e7, "10M");
    ok(sdw_parse_rate("8e9", &bps) && bps == 8e9, "8e9");
    ok(sdw_parse_rate("1.5e+3k", &bps) && bps == 1.5e6, "1.5e+3k");
    ok(!sdw_parse_rate("8e", &bps) && !sdw_parse_rate("8e+", &bps) &&
           !sdw_parse_rate("8e999", &bps),
       "an exponent without digits, or beyond all numbers, is refused");
    ok(!sdw_parse_rate("10MB", &bps), "a rate in bytes is refused");
    ok(sdw_parse_bytes("64Ki", &bytes) && bytes == 65536, "64Ki");
    ok(sdw_parse_bytes("3M", &bytes) && bytes == 3000000, "3M");
    ok(sdw_parse_share("5%", &share) && fabs(share - 0.05) < 1e-15, "5%%");
    ok(!sdw_parse_share("105%", &share) && !sdw_parse_share("1.01", &share),
       "a share above one is refused");
    char out[16];
    is_text(sdw_show_rate(9.87e6, out), "9.87 Mbit/s", "a rate is shown with its unit");
    is_text(sdw_show_duration(12400, out), "12.4 ms", "a duration too");
    is_text(sdw_show_number(-1200, out), "-1.2k", "a number without a unit has a prefix only");
    is_text(sdw_show_number(-1e308, out), "-1e+296T", "and has room, however large");
}

int main(void)
{
    reals_are_written_shortest();
    models_keep_six_digits();
    integers_are_exact_or_refused();
    quantities_are_read_as_typed();
    return tap_done();
}
