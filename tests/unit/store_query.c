#include "core/num.h"
#include "store/aggregate.h"
#include "store/selector.h"
#include "store/when.h"
#include "unit/tap.h"

static struct sdw_err err;

/* --- selectors ----------------------------------------------------------------------------- */

static bool matches(const char *text, const char *name, const char *host)
{
    struct sdw_selector selector;
    struct sdw_labels labels = {host ? 1 : 0, {{{"host", 4}, sdw_str_of(host)}}};
    bool hit = sdw_selector_parse(&selector, sdw_str_of(text), NULL, &err) == 0 &&
               sdw_selector_matches(&selector, sdw_str_of(name), &labels, &err) == 1;
    sdw_selector_release(&selector);
    return hit;
}

static const char *complaint(const char *text)
{
    struct sdw_selector selector;
    err.text[0] = '\0';
    sdw_selector_parse(&selector, sdw_str_of(text), NULL, &err);
    sdw_selector_release(&selector);
    return err.text;
}

static void test_selectors(void)
{
    ok(matches("link/a-b/bps", "link/a-b/bps", NULL), "a name is itself");
    ok(!matches("link/a-b", "link/a-b/bps", NULL), "and not a prefix");
    ok(matches("link/*/bps", "link/a-b/bps", NULL) && !matches("link/?/bps", "link/a-b/bps", NULL),
       "* and ? in a name stand for any text and any character");
    ok(matches("up{host=\"a\"}", "up", "a") && !matches("up{host=\"a\"}", "up", "b"), "= is equal");
    ok(matches("up{host!=\"a\"}", "up", "b") && matches("up{host!='a'}", "up", NULL),
       "!= is not, and an absent label is an empty one");
    ok(matches("{host=~\"a|b.*\"}", "up", "bx") && !matches("{host=~\"a\"}", "up", "ab"),
       "=~ is an expression that fits all of the value");
    ok(matches("{host!~\"a.*\"}", "up", "b") && !matches("{host!~\"a.*\"}", "up", "ab"),
       "!~ is not");
    ok(matches("{__name__=~\"u.\", host=\"a\",}", "up", "a"), "__name__ is the name");
    ok(matches(" up { host = \"a\\\"b\" } ", "up", "a\"b"),
       "strings have escapes, blanks do no harm");
    is_text(complaint("up{host=}"), "selector, character 9: a string in quotes is expected",
            "a missing value is named with its place");
    is_text(complaint("{host=~\"(\"}"), "selector, character 11: missing closing parenthesis",
            "a bad expression too");
    is_text(complaint("{host=~\"((a{50}){200}){200}\"}"),
            "selector, character 29: regular expression is too large",
            "an expression that would fill the memory is refused");
    ok(strstr(complaint("{host=~\"[]](((a{200}){200}){200}])\"}"), "too large"), "so is another");
    ok(complaint("{host=~\"a+++++\"}")[0] != '\0', "a repetition of a repetition of one is none");
    static const char *const slow[] = {
        "{host=~\"((x*)*){50}[yz]\"}",
        "{host=~\"(x?x*){50}[yz]\"}",
        "{host=~\"(x+x+)+[yz]\"}",
    };
    for (size_t i = 0; i < SDW_LEN(slow); i++) {
        err.text[0] = '\0';
        ok(!matches(slow[i], "up", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") &&
               strstr(err.text, "takes too long"),
           "%s is given up", slow[i]);
    }
    ok(matches("{host=~\".{1,3}\"}", "up", "\xc3\xa9\xc3\xa9\xc3\xa9"),
       "a character is one of UTF-8");
    ok(!matches("{host=~\".*\"}", "up", "\xc3("), "and what is none fits nothing");
    ok(matches("{host=~\"a|ab\"}", "up", "ab"), "any of the alternatives may fit");
    ok(matches("{host=~\"[^]a]?[[:alpha:]]{3}[]]{1,2}\"}", "up", "xyz]]"),
       "a ] may be one of the characters in brackets");
    ok(matches("{host=~\"[a-z]+-[0-9]+-([a-z]+|[0-9]+)-[a-z]+-[a-z]+-[a-z]+-[a-z]+-[a-z]+-x+\"}",
               "up", "a-1-b-c-d-e-f-g-x"),
       "but not many of them side by side");
    ok(matches("{host=~\"a{2,100}[{]{1}\\\\{9\"}", "up", "aaa{{9"), "others may repeat");
    is_text(complaint("{}"), "selector, character 3: a name or a condition is expected",
            "nothing at all is no selector");
    is_text(complaint("up{a=\"1\"}[5m]"), "selector, character 10: nothing more is expected",
            "nor is what goes on");
}

/* --- aggregates ---------------------------------------------------------------------------- */

struct out {
    char text[512];
};

static int note(int64_t ts, double value, void *arg)
{
    struct out *out = arg;
    size_t n = strlen(out->text);
    snprintf(out->text + n, sizeof out->text - n, "%s%lld:%g", n ? " " : "", (long long)ts, value);
    return 0;
}

static const int64_t ts[] = {0, 1, 2, 10, 11, 25};
static const double value[] = {4, 1, 7, 3, 5, 2};

static struct sdw_stepper stepper_of(const char *kind, int64_t step, struct out *out)
{
    struct sdw_stepper stepper = {.from_us = INT64_MIN, .step_us = step, .each = note, .arg = out};
    out->text[0] = '\0';
    sdw_aggregate_parse(kind, &stepper.kind, &stepper.quantile);
    sdw_stepper_init(&stepper);
    return stepper;
}

static const char *steps(const char *kind, int64_t step, struct out *out)
{
    struct sdw_stepper stepper = stepper_of(kind, step, out);
    struct sdw_points first = {2, 1, ts, {value}}, rest = {4, 1, ts + 2, {value + 2}};
    sdw_stepper_points(&stepper, &first);
    sdw_stepper_points(&stepper, &rest);
    sdw_stepper_finish(&stepper);
    sdw_stepper_release(&stepper);
    return out->text;
}

static void test_steps(void)
{
    struct out out;
    is_text(steps("avg", 10, &out), "0:4 10:4 20:2", "averages, one for each step that has points");
    is_text(steps("min", 10, &out), "0:1 10:3 20:2", "least values");
    is_text(steps("max", 10, &out), "0:7 10:5 20:2", "greatest values");
    is_text(steps("sum", 10, &out), "0:12 10:8 20:2", "sums");
    is_text(steps("count", 10, &out), "0:3 10:2 20:1", "counts");
    is_text(steps("last", 10, &out), "0:7 10:5 20:2", "last values");
    is_text(steps("p50", 10, &out), "0:4 10:4 20:2", "medians");
    is_text(steps("p25", 0, &out), "0:2.25", "a quantile of all, interpolated");
    is_text(steps("max", 0, &out), "0:7", "without a step there is one value");
    is_text(steps("", 10, &out), "0:4 1:1 2:7 10:3 11:5 25:2", "without a kind, the points");
    /* 4 1 7 | 3 5 | 2: a fall is a restart from 0, so it grew by 1 + 6 in 2 us, 3 + 2 in 9. */
    is_text(steps("rate", 10, &out), "0:3.5e+06 10:555556 20:142857", "rates of a counter");
}

static void test_stats(void)
{
    struct out out;
    int code = 0;
    struct sdw_chunk_stats inside = {0, 9, 1, 7, 12, 7, 3}, across = {8, 12, 1, 7, 12, 7, 3};
    struct sdw_stepper stepper = stepper_of("avg", 10, &out);
    ok(sdw_stepper_stats(&stepper, &inside, &code), "a chunk within a step needs not be read");
    ok(!sdw_stepper_stats(&stepper, &across, &code), "one across steps does");
    sdw_stepper_finish(&stepper);
    is_text(out.text, "0:4", "its statistics are those of its points");
    stepper = stepper_of("p95", 10, &out);
    ok(!sdw_stepper_stats(&stepper, &inside, &code), "quantiles need the points");
}

static void test_kinds(void)
{
    enum sdw_aggregate kind;
    double q = 0;
    ok(sdw_aggregate_parse("p99.9", &kind, &q) && kind == SDW_AGG_QUANTILE && q > 0.9989 && q < 1,
       "a quantile has any percentage");
    ok(!sdw_aggregate_parse("p101", &kind, &q) && !sdw_aggregate_parse("mean", &kind, &q) &&
           !sdw_aggregate_parse("p", &kind, &q),
       "what is none is refused");
}

/* --- moments ------------------------------------------------------------------------------- */

static int64_t when(const char *text)
{
    int64_t us = -1;
    return sdw_when_parse(text, 5000000000, &us) ? us : -1;
}

static void test_when(void)
{
    ok(when("-1h") == 5000000000 - 3600000000, "back from the newest");
    ok(when("2026-11-20T10:00:00Z") == 1795168800000000, "a date and time in UTC");
    ok(when("2026-11-20T10:00:00.25") == 1795168800250000, "with a fraction");
    ok(when("2026-11-20") == 1795132800000000 && when("2026-11-20 10:00") == 1795168800000000,
       "a day, and a minute");
    ok(when("1795168800") == 1795168800000000 && when("1795168800.5") == 1795168800500000,
       "seconds since the epoch");
    ok(when("1795168800123") == 1795168800123000, "milliseconds, as many tools write them");
    ok(when("1795168800123456") == 1795168800123456, "microseconds, as in records");
    ok(when("yesterday") == -1 && when("2026-11-20T10:00:00+01") == -1 && when("") == -1 &&
           when("-") == -1,
       "anything else is refused");
}

int main(void)
{
    test_selectors();
    test_steps();
    test_stats();
    test_kinds();
    test_when();
    return tap_done();
}
