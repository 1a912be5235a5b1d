#include "rec/filter.h"
#include "unit/tap.h"

#include <stdlib.h>

/* 1, 0, the code of a bad line, or -100 for a condition that is not understood. */
static int run(const char *condition, const char *line)
{
    struct sdw_err err = {0};
    struct sdw_filter *filter = sdw_filter_new(&condition, 1, &err);
    int r = filter ? sdw_filter_match(filter, sdw_str_of(line), &err) : -100;
    sdw_filter_free(filter);
    return r;
}

static const char record[] =
    "{\"type\":\"slot\",\"v\":1,\"ts\":1763650000000731,\"path_id\":\"1234567890123456\","
    "\"rtt_us\":2500,\"loss_share\":0.0625,\"addr\":\"fd09::1\",\"on\":true,\"lost\":false,"
    "\"hop\":null,\"available_bps\":{\"lo\":5e6,\"mid\":6.5e6,\"hi\":null},"
    "\"horizons\":[{\"p\":0.25},{\"p\":0.75}],\"q\":{\"0.025\":1},"
    "\"name\":\"caf\\u00e9 \\\"x\\\"\",\"k\\u0065y\":7}";

struct expectation {
    const char *condition;
    int want;
};

static const struct expectation expectations[] = {
    {"type=slot", 1},
    {"type==slot", 1},
    {"type = slot", 1},
    {"type!=slot", 0},
    {"type=slo", 0},
    {"rtt_us>2000", 1},
    {"rtt_us>2500", 0},
    {"rtt_us>=2500", 1},
    {"rtt_us<2500", 0},
    {"rtt_us<=2500", 1},
    {"rtt_us=2500", 1},
    {"rtt_us=2500.0", 1},
    {"rtt_us=25e2", 1},
    {"rtt_us!=2500", 0},
    {"rtt_us>2ms", 1},
    {"rtt_us>3ms", 0},
    {"loss_share>=5%", 1},
    {"loss_share>7%", 0},
    {"available_bps.mid>6M", 1},
    {"available_bps.mid<6M", 0},
    {"available_bps.hi=null", 1},
    {"available_bps.none=null", 1},
    {"available_bps.mid.deeper=null", 1},
    {"horizons.0.p<0.5", 1},
    {"horizons.1.p<0.5", 0},
    {"horizons.2.p<0.5", 0},
    {"horizons.x.p<0.5", 0},
    {"q.\"0.025\"=1", 1},
    {"addr=fd09::1", 1},
    {"addr~^fd", 1},
    {"addr~9::", 1},
    {"addr!~^10[.]", 1},
    {"addr~^10[.]", 0},
    {"name=caf\xc3\xa9 \"x\"", 1},
    {"name~\xc3\xa9", 1},
    {"key=7", 1},
    {"on", 1},
    {"lost", 0},
    {"hop", 0},
    {"absent", 0},
    {"on=true", 1},
    {"on=false", 0},
    {"lost!=true", 1},
    {"hop=null", 1},
    {"hop!=null", 0},
    {"absent=null", 1},
    {"absent!=null", 0},
    {"absent!=1", 1},
    {"absent<1", 0},
    {"absent!~x", 1},
    {"type<5", 0},
    {"type>rot", 1},
    {"type<rot", 0},
    {"rtt_us=slot", 0},
    {"path_id=1234567890123456", 1},
    {"path_id!=1234567890123456", 0},
    {"path_id=\"1234567890123456\"", 1},
    {"rtt_us=\"2500\"", 0},
    {"ts=1763650000000731", 1},
    {"ts>1763650000000730", 1},
    {"on=\"true\"", 0},
};

static void grammar(void)
{
    for (size_t i = 0; i < SDW_LEN(expectations); i++)
        ok(run(expectations[i].condition, record) == expectations[i].want, "%s %s",
           expectations[i].condition, expectations[i].want ? "holds" : "does not hold");
    static const char *const bad[] = {"",
                                      "=5",
                                      ".x=1",
                                      "x..y=1",
                                      "x ? 5",
                                      "q.\"x=1",
                                      "name~(",
                                      "rtt_us>slow",
                                      "loss_share<20kg",
                                      "on<true",
                                      "a.b.c.d.e.f.g.h.i=1",
                                      "available_bps.mid>6 apples"};
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(run(bad[i], record) == -100, "condition '%s' is refused", bad[i]);
}

static void lines(void)
{
    ok(run("a=2", "{\"a\":1,\"a\":2}") == 1, "the last of duplicate keys counts");
    ok(run("a=1", " { \"a\" : 1 } ") == 1, "blanks between tokens do not matter");
    ok(run("a=null", "{}") == 1, "an empty object is a record");
    ok(run("a=1", "{\"a\":1") == SDW_EINPUT, "a truncated line is bad");
    ok(run("a=1", "{\"a\":1}x") == SDW_EINPUT, "bytes behind the record are bad");
    ok(run("a=1", "[1]") == SDW_EINPUT, "an array is no record");
    ok(run("a=1", "nonsense") == SDW_EINPUT, "text is no record");
    ok(run("a>1", "{\"a\":1-2}") == SDW_EINPUT, "a malformed number is bad where it is looked at");
    ok(run("a>1", "{\"a\":1e999}") == SDW_EINPUT, "a number beyond all doubles is bad");
    ok(run("a=x", "{\"a\":\"\\ud800\"}") == SDW_EINPUT, "a lone surrogate is bad");
    ok(run("a>1", "{\"a\":NaN}") == SDW_EINPUT, "NaN is bad");
    ok(run("a.b=1", "{\"a\":{\"b\":1,\"b\":2}}") == 0, "duplicates inside objects: the last");
    struct sdw_err err = {0};
    const char *both[] = {"a>1", "b=x"};
    struct sdw_filter *filter = sdw_filter_new(both, 2, &err);
    ok(sdw_filter_match(filter, sdw_str_of("{\"a\":2,\"b\":\"x\"}"), &err) == 1,
       "several conditions: all hold");
    ok(sdw_filter_match(filter, sdw_str_of("{\"a\":2,\"b\":\"y\"}"), &err) == 0,
       "several conditions: one does not hold");
    sdw_filter_free(filter);
    filter = sdw_filter_new(NULL, 0, &err);
    ok(sdw_filter_match(filter, sdw_str_of("{}"), &err) == 1, "no condition lets all pass");
    sdw_filter_free(filter);
    const char *bad = "rtt_us>soon";
    filter = sdw_filter_new(&bad, 1, &err);
    ok(!filter && err.code == SDW_EUSAGE, "a bad condition is a usage error");
    is_text(err.text,
            "condition 'rtt_us>soon': 'soon' is neither a number nor a duration such as "
            "250ms",
            "the message names the condition and what was expected");
}

int main(void)
{
    grammar();
    lines();
    return tap_done();
}
