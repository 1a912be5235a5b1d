/* What an answer of Prometheus' query API becomes. */
#include "tap.h"

#include "core/buf.h"
#include "core/err.h"
#include "rec/prometheus.h"

static int see(const struct sdw_prometheus_point *point, void *arg)
{
    sdw_buf_printf(arg, "%.*s %.*s %lld %g|", (int)point->series.n, point->series.p,
                   (int)point->labels.n, point->labels.p, (long long)point->ts, point->value);
    return 0;
}

static int see_value(const char *value, void *arg)
{
    sdw_buf_printf(arg, "%s|", value);
    return 0;
}

int main(void)
{
    struct sdw_buf out = {0};
    struct sdw_err err = {0};
    sdw_buf_text(&out, "");
    int n = sdw_prometheus_read(
        sdw_str_of("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
                   "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\\\"b\"},"
                   "\"values\":[[10,\"1\"],[20.5,\"NaN\"],[30,\"3\"]]},"
                   "{\"metric\":{},\"values\":[[10,\"+Inf\"],[20.5,\"2.5\"],[\"x\",\"9\"]]}]}}"),
        SDW_PROMETHEUS_BY_TIME, see, &out, &err);
    ok(n == 3, "points that are no numbers, or of no time, are left out");
    is_text(out.p,
            "up{job=\"a\\\"b\"} {\"job\":\"a\\\"b\"} 10000000 1|{} {} 20500000 2.5|"
            "up{job=\"a\\\"b\"} {\"job\":\"a\\\"b\"} 30000000 3|",
            "series are named as Prometheus names them, and all points go by time");
    ok(sdw_prometheus_read(sdw_str_of("{\"status\":\"error\",\"errorType\":\"bad_data\","
                                      "\"error\":\"parse error\"}"),
                           SDW_PROMETHEUS_BY_TIME, see, &out, &err) == SDW_EUSAGE &&
           strstr(err.text, "parse error"),
       "a query that was refused is told in its own words");
    ok(sdw_prometheus_read(sdw_str_of("<html>"), SDW_PROMETHEUS_BY_TIME, see, &out, &err) ==
           SDW_EINPUT,
       "HTML is bad");
    ok(sdw_prometheus_read(sdw_str_of("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
                                      "\"result\":[]}}"),
                           SDW_PROMETHEUS_BY_TIME, see, &out, &err) == SDW_EINPUT,
       "so is a vector");
    sdw_buf_clear(&out);
    n = sdw_prometheus_read(
        sdw_str_of("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
                   "{\"metric\":{},\"values\":[[10,\"1\"],[20,\"2\"]]},"
                   "{\"metric\":{\"a\":\"b\"},\"values\":[[5,\"3\"]]}]}}"),
        SDW_PROMETHEUS_BY_SERIES, see, &out, &err);
    ok(n == 3, "all points of one series may come before those of the next");
    is_text(out.p, "{} {} 10000000 1|{} {} 20000000 2|{a=\"b\"} {\"a\":\"b\"} 5000000 3|",
            "in the order of the answer");
    sdw_buf_clear(&out);
    ok(sdw_prometheus_values(sdw_str_of("{\"status\":\"success\",\"data\":[\"a\",7,\"b c\"]}"),
                             see_value, &out, &err) == 2,
       "values of a label are texts");
    is_text(out.p, "a|b c|", "one after the other");
    ok(sdw_prometheus_values(sdw_str_of("{\"status\":\"success\",\"data\":{}}"), see_value, &out,
                             &err) == SDW_EINPUT,
       "an object is no list of them");
    sdw_prometheus_url(&out, "http://h:9090/x//", "query");
    sdw_prometheus_param(&out, "match[]", sdw_str_of("a{b=\"c d\"}&"));
    sdw_prometheus_moment(&out, "time", 1700000000123456);
    is_text(
        out.p,
        "http://h:9090/x/api/v1/query?match%5B%5D=a%7Bb%3D%22c%20d%22%7D%26&time=1700000000.123",
        "a question is a URL");
    sdw_buf_release(&out);
    return tap_done();
}
