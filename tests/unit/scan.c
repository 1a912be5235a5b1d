#include "io/scan.h"
#include "unit/tap.h"

static int scans(const char *text)
{
    struct sdw_err err;
    return sdw_scan_find(sdw_str_of(text), NULL, 0, NULL, &err);
}

static void bad_lines_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "[1,2]",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 2}",
        "{\"a\":nul}",
        "{\"a\":\"x}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "{\"a\":NaN}",
        "{\"a\":+1}",
        "nonsense",
        "{\"a\":1}x",
        "{,}",
        "{\"a\":\"\x01\"}",
        "{\"a\":'1'}",
        "{\"a\":1;\"b\":2}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":1-2}",
        "{\"a\":[1 2]}",
        "{\"a\":[1,]}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{1:2}}",
        "{\"a\":[,]}",
        "{\"a\":[tru]}",
        "{\"a\":{\"b\":}}",
        "{\"a\":[[1]",
        "{\"a\":{\"b\":1,}}",
    };
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(scans(bad[i]) == SDW_EINPUT, "refused: %s", bad[i]);
    char deep[128] = "{\"a\":";
    memset(deep + 5, '[', 33);
    memset(deep + 38, ']', 33);
    memcpy(deep + 71, "}", 2);
    ok(scans(deep) == SDW_EINPUT, "nesting deeper than 32 is refused");
}

static void good_lines_are_taken(void)
{
    static const char *const good[] = {
        "{}",
        " { } ",
        "{\"a\":1}",
        "{ \"a\" : [1, {\"b\":\"]\"}] , \"c\":null }\r",
        "{\"a\\\"b\":true,\"c\":false}",
        "{\"a\":-1.5e+3}",
        "{\"a\":[],\"b\":{}}",
        "{\"a\":[ ]}",
        "{\"a\":[1,[2,{\"b\":[]}],-0.5e-7]}",
        "{\"a\":{ \"b\" : {\"c\":null} }}",
    };
    for (size_t i = 0; i < SDW_LEN(good); i++)
        ok(scans(good[i]) == 0, "taken: %s", good[i]);
}

static void members_are_found(void)
{
    const struct sdw_str keys[] = {{"rtt_us", 6}, {"addr", 4}, {"none", 4}};
    struct sdw_member m[3];
    const char *line = "{\"type\":\"slot\",\"rtt_us\":1,\"addr\":\"x\",\"rtt_us\":2}";
    ok(sdw_scan_find(sdw_str_of(line), keys, 3, m, NULL) == 0, "a line with duplicates is taken");
    ok(sdw_str_is(m[0].value, "2"), "the last of duplicate keys wins");
    ok(sdw_str_is(m[1].value, "\"x\"") && m[1].kind == SDW_SCAN_STRING, "a string is found");
    ok(!m[2].key.p, "an absent key is absent");
    line = "{\"rtt\\u005fus\":3}";
    ok(sdw_scan_find(sdw_str_of(line), keys, 1, m, NULL) == 0 && sdw_str_is(m[0].value, "3"),
       "a key written with escapes is recognised");
    line = "{\"a\":{\"rtt_us\":3}}";
    ok(sdw_scan_find(sdw_str_of(line), keys, 1, m, NULL) == 0 && !m[0].key.p,
       "a nested key is not taken for one of the record");
}

static void types_are_seen(void)
{
    ok(sdw_str_is(sdw_scan_type(sdw_str_of("{\"type\":\"slot\",\"v\":1}")), "slot"),
       "a leading type is seen");
    ok(sdw_str_is(sdw_scan_type(sdw_str_of("{\"v\":1, \"type\": \"slot\"}")), "slot"),
       "a type elsewhere too");
    ok(!sdw_scan_type(sdw_str_of("{\"v\":1}")).p, "none is none");
    ok(!sdw_scan_type(sdw_str_of("{\"type\":5}")).p, "a type that is no string is none");
}

static void strings_are_unescaped(void)
{
    struct sdw_buf out = {0};
    ok(sdw_scan_unescape(sdw_str_of("\"a\\n\\u00e9\\ud83d\\ude00\\/\""), &out, NULL) == 0,
       "escapes are taken");
    is_text(out.p, "a\n\xc3\xa9\xf0\x9f\x98\x80/", "and become UTF-8");
    static const char *const bad[] = {"\"\\ud800\"",  "\"\\udc00x\"",     "\"\\u0000\"",
                                      "\"\\x\"",      "\"\\u12\"",        "\"\xff\"",
                                      "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\""};
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(sdw_scan_unescape(sdw_str_of(bad[i]), &out, NULL) == SDW_EINPUT, "refused: string %zu",
           i);
    sdw_buf_release(&out);
}

static void members_are_spliced(void)
{
    struct sdw_buf out = {0};
    sdw_scan_splice(sdw_str_of("{\"a\":30.9230, \"b\":[1] }"), sdw_str_of("\"c\":3"), &out);
    is_text(out.p, "{\"a\":30.9230, \"b\":[1] ,\"c\":3}", "a member is added, the rest untouched");
    sdw_buf_clear(&out);
    sdw_scan_splice(sdw_str_of("{}"), sdw_str_of("\"c\":3"), &out);
    is_text(out.p, "{\"c\":3}", "to an empty object without a comma");
    sdw_buf_release(&out);
}

int main(void)
{
    bad_lines_are_refused();
    good_lines_are_taken();
    members_are_found();
    types_are_seen();
    strings_are_unescaped();
    members_are_spliced();
    return tap_done();
}
