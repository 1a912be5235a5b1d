/* What an answer of Prometheus' query API becomes. */
#include "tap.h"

#include "core/buf.h"
#include "core/err.h"
#include "net/prometheus.h"

static int see(const struct sdw_prometheus_point *point, void *arg)
{
    sdw_buf_printf(arg, "%.*s %.*s %lld %g|", (int)point->name.n, point->name.p,
                   (int)point->labels.n, point->labels.p, (long long)point->ts, point->value);
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
        see, &out, &err);
    ok(n == 3, "points that are no numbers, or of no time, are left out");
    is_text(out.p,
            "up{job=\"a\\\"b\"} {\"job\":\"a\\\"b\"} 10000000 1|{} {} 20500000 2.5|"
            "up{job=\"a\\\"b\"} {\"job\":\"a\\\"b\"} 30000000 3|",
            "series are named as Prometheus names them, and all points go by time");
    ok(sdw_prometheus_read(sdw_str_of("{\"status\":\"error\",\"errorType\":\"bad_data\","
                                      "\"error\":\"parse error\"}"),
                           see, &out, &err) == SDW_EUSAGE &&
           strstr(err.text, "parse error"),
       "a query that was refused is told in its own words");
    ok(sdw_prometheus_read(sdw_str_of("<html>"), see, &out, &err) == SDW_EINPUT, "HTML is bad");
    ok(sdw_prometheus_read(sdw_str_of("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
                                      "\"result\":[]}}"),
                           see, &out, &err) == SDW_EINPUT,
       "so is a vector");
    sdw_buf_release(&out);
    return tap_done();
}
