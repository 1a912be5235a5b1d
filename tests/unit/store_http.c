/* What the server reads: requests and the queries in them. */
#include "store/promql.h"
#include "store/request.h"
#include "unit/tap.h"

static struct sdw_arena arena;
static struct sdw_request request;

static long parse(const char *text)
{
    return sdw_request_parse(sdw_str_of(text), &arena, &request);
}

static const char *param(const char *key)
{
    return sdw_request_param(&request, key).p;
}

static void test_requests(void)
{
    static const char get[] =
        "GET /api/v1/label/a%2Fb/values?match%5B%5D=x%7By%3D%22+%22%7D&e HTTP/1.1\r\n"
        "hOST: localhost:9424 \r\n\r\n";
    ok(parse(get) == (long)strlen(get), "a request ends where it ends");
    ok(sdw_str_is(request.method, "GET") && sdw_str_is(request.path, "/api/v1/label/a/b/values"),
       "its path is decoded");
    is_text(param("match[]"), "x{y=\" \"}", "and its parameters");
    is_text(param("e"), "", "one without a value is empty");
    ok(!param("f"), "one that is not there is absent");
    ok(sdw_str_is(request.host, "localhost:9424") && request.keep_alive, "headers in any case");
    size_t wrong = 0;
    for (size_t n = 0; n < strlen(get); n++)
        wrong += sdw_request_parse((struct sdw_str){get, n}, &arena, &request) != 0;
    ok(wrong == 0, "a part of a request is not enough");
    static const char post[] =
        "POST /api/v1/query HTTP/1.1\r\nConnection: close\r\nContent-Length: 9\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\nquery=a+bGET";
    ok(parse(post) == (long)strlen(post) - 3, "a body is part of its request, what follows is not");
    is_text(param("query"), "a b", "a form in it has parameters");
    ok(!request.keep_alive, "close is heard");
    ok(parse("GET / HTTP/1.0\r\n\r\n") > 0 && !request.keep_alive, "HTTP/1.0 closes");
    ok(parse("GET /\r\n\r\n") == -400 && parse("GET x HTTP/1.1\r\n\r\n") == -400 &&
           parse("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n") == -400,
       "nonsense is a bad request");
    ok(parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == -411 &&
           parse("POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n") == -413,
       "a body without a length, or a large one, is refused");
    static char long_head[20000];
    memset(long_head, 'a', sizeof long_head - 1);
    ok(parse(long_head) == -431, "endless headers too");
}

static enum sdw_promql_function function_of(const char *text, int64_t *range_us, double *number)
{
    struct sdw_promql query;
    int code = sdw_promql_parse(&query, sdw_str_of(text), NULL);
    enum sdw_promql_function function = code == 0 ? query.function : (enum sdw_promql_function) - 1;
    *range_us = query.range_us;
    *number = query.number;
    sdw_promql_release(&query);
    return function;
}

static void test_queries(void)
{
    int64_t range;
    double number;
    ok(function_of(" up{a=\"b\"} ", &range, &number) == SDW_PROMQL_INSTANT && range == 300000000,
       "a selector looks back five minutes");
    ok(function_of("rate( link/a-b/bps [1h30m])", &range, &number) == SDW_PROMQL_RATE &&
           range == 5400000000,
       "a function has its own range");
    ok(function_of("up{a=\"[\"}[5m]", &range, &number) == SDW_PROMQL_POINTS && range == 300000000,
       "a range of its own is the points");
    ok(function_of("quantile_over_time(0.9, {a=~\"(b|c)\"}[5m])", &range, &number) ==
               SDW_PROMQL_QUANTILE &&
           number == 0.9,
       "a quantile comes first");
    ok(function_of("sum by (a, b) (rate(up[5m]))", &range, &number) == SDW_PROMQL_RATE &&
           function_of("topk(3, max without(a)(up{b=~\"[)(]\"}))", &range, &number) ==
               SDW_PROMQL_INSTANT &&
           function_of("sum(sum(sum(sum(up)))) by (a)", &range, &number) == SDW_PROMQL_INSTANT &&
           function_of("sum{a=\"b\"}", &range, &number) == SDW_PROMQL_INSTANT,
       "any of these may be aggregated over series");
    ok(function_of("1 + 1.5", &range, &number) == SDW_PROMQL_NUMBER && number == 2.5,
       "numbers are summed");
    static const char *const others[] = {"",
                                         "1e308 + 1e308",
                                         "up[2000000000000000us2000000000000000us]",
                                         "sum(up[5m])",
                                         "sum(1)",
                                         "sum by (up)",
                                         "sum by (a) (up) by (b)",
                                         "sum of (a) (up)",
                                         "sum(up",
                                         "topk(up)",
                                         "topk(-1, up)",
                                         "topk(1, up) by (a)",
                                         "stddev(up)",
                                         "sum(sum(sum(sum(sum(up)))))",
                                         "up + 1",
                                         "rate(up)",
                                         "rate(up[5m]) > 1",
                                         "rate(up[0m])",
                                         "quantile_over_time(2,up[5m])",
                                         "rate(up[5m] offset 1h)",
                                         "up[5m] offset 1h",
                                         "up[5m:1m]",
                                         "(up)"};
    size_t taken = 0;
    for (size_t i = 0; i < SDW_LEN(others); i++)
        taken += function_of(others[i], &range, &number) != (enum sdw_promql_function) - 1;
    ok(taken == 0, "anything else is refused: %zu were not", taken);
}

int main(void)
{
    test_requests();
    test_queries();
    sdw_arena_release(&arena);
    return tap_done();
}
