#include "tap.h"

#include "io/json.h"

static struct sdw_err err;

static struct sdw_json *parse(const char *text)
{
    memset(&err, 0, sizeof err);
    return sdw_json_parse(sdw_str_of(text), &err);
}

static void round_trip(const char *text, const char *want, const char *behaviour)
{
    struct sdw_json *root = parse(text);
    struct sdw_buf out = {0};
    if (root)
        sdw_json_write(root, &out);
    is_text(root ? out.p : err.text, want, "%s", behaviour);
    sdw_buf_release(&out);
    sdw_json_free(root);
}

static void writing(void)
{
    round_trip("30.923", "30.923", "a real keeps its shortest form");
    round_trip("[0.1,1e300,-2.5e-7,1.7976931348623157e308]",
               "[0.1,1e+300,-2.5e-07,1.7976931348623157e+308]", "reals read back equal");
    round_trip("-0.0", "-0.0", "a negative zero keeps its sign");
    round_trip("9007199254740993", "9007199254740993", "an integer beyond 2^53 is kept");
    round_trip("{\"b\":[1,{\"a\":null}],\"a\":true,\"c\":false}",
               "{\"b\":[1,{\"a\":null}],\"a\":true,\"c\":false}", "keys keep their order");
    round_trip("\"\\u00e9\\n\\u0001\\\"\"", "\"\xc3\xa9\\n\\u0001\\\"\"",
               "strings are escaped where they must be");
    round_trip("{}", "{}", "an empty object is written");
    round_trip("[]", "[]", "an empty array is written");
}

static void refusing(void)
{
    static const char *const bad[] = {
        "",         "{",           "{\"a\":1,\"a\":2}",    "[1,]",
        "NaN",      "-Infinity",   "{\"a\":1} x",          "\"\\ud800\"",
        "\"\xff\"", "\"\\u0000\"", "18446744073709551616", "{'a':1}",
    };
    for (size_t i = 0; i < SDW_LEN(bad); i++) {
        struct sdw_json *root = parse(bad[i]);
        ok(!root && err.code == SDW_EINPUT && err.text[0], "refused with a reason: %s", bad[i]);
        sdw_json_free(root);
    }
    struct sdw_json *root = parse("{\n\"a\":\n?}");
    ok(!root && err.line == 3, "the line of the fault is told");
    sdw_json_free(root);
}

static void nesting(void)
{
    char text[256] = "";
    for (int depth = 31; depth <= 33; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        struct sdw_json *root = parse(text);
        ok(!root == (depth > 32), "%d levels are %s", depth, depth > 32 ? "refused" : "taken");
        sdw_json_free(root);
    }
}

static void access(void)
{
    struct sdw_json *root = parse("{\"n\":7,\"r\":1.5,\"t\":\"x\",\"a\":[1,2,3],\"big\":1e300,"
                                  "\"huge\":9007199254740993}");
    int64_t number = -1;
    double real = -1;
    ok(sdw_json_is_object(root) && sdw_json_len(root) == 6, "members are counted");
    ok(sdw_json_int(sdw_json_get(root, "n"), &number) && number == 7, "an integer is read");
    ok(sdw_json_real(sdw_json_get(root, "n"), &real) && real == 7, "an integer is a real too");
    ok(!sdw_json_int(sdw_json_get(root, "r"), &number) && number == 7,
       "a fraction is no integer, and leaves the value alone");
    ok(!sdw_json_int(sdw_json_get(root, "huge"), &number), "beyond 2^53 is no exact integer");
    is_text(sdw_json_text(sdw_json_get(root, "t")), "x", "a text is read");
    ok(!sdw_json_text(sdw_json_get(root, "n")), "a number is no text");
    ok(!sdw_json_get(root, "none") && !sdw_json_get(sdw_json_get(root, "n"), "x"),
       "what is absent is NULL");
    const struct sdw_json *array = sdw_json_get(root, "a");
    ok(sdw_json_is_array(array) && sdw_json_len(array) == 3 &&
           sdw_json_int(sdw_json_at(array, 2), &number) && number == 3 && !sdw_json_at(array, 3),
       "elements are read by place");
    void *iter = NULL;
    const char *key;
    struct sdw_json *value;
    char keys[64] = "";
    while (sdw_json_member(root, &iter, &key, &value))
        strcat(strcat(keys, key), " ");
    is_text(keys, "n r t a big huge ", "members come in their order");
    sdw_json_free(root);
    ok(!sdw_json_get(NULL, "x") && !sdw_json_text(NULL) && sdw_json_len(NULL) == 0,
       "NULL is an absent value");
}

int main(void)
{
    writing();
    refusing();
    nesting();
    access();
    return tap_done();
}
