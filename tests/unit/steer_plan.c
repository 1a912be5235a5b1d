#include "steer/plan.h"
#include "unit/tap.h"

#define GOOD                                                                                       \
    "{\"type\":\"unit\",\"v\":1,\"ts\":1,\"unit\":\"u\",\"match\":{\"prefix\":\"10.9.0.0/24\"},"   \
    "\"primary\":{\"via\":\"10.0.0.1\",\"dev\":\"a\",\"path_id\":\"P\",\"capacity_bps\":1e6},"     \
    "\"shadows\":[{\"via\":\"10.0.0.2\",\"dev\":\"b\"}],\"watch\":[\"x\",\"y\"],\"load_bps\":5e5}"

/* A unit with these members instead of the usual ones. */
static const char *unit_of(const char *match, const char *primary, const char *shadows,
                           const char *more)
{
    static char line[2048];
    snprintf(line, sizeof line,
             "{\"type\":\"unit\",\"v\":1,\"ts\":1,\"unit\":\"u\",\"match\":%s,\"primary\":%s,"
             "\"shadows\":%s%s}",
             match, primary, shadows, more);
    return line;
}

#define PREFIX4  "{\"prefix\":\"10.9.0.0/24\"}"
#define PREFIX6  "{\"prefix\":\"fd09::/64\"}"
#define PRIMARY4 "{\"via\":\"10.0.0.1\",\"dev\":\"a\"}"
#define HOPS4(more)                                                                                \
    "{\"hops\":[{\"via\":\"10.0.0.1\",\"dev\":\"a\",\"weight\":2},"                                \
    "{\"via\":\"10.0.0.3\",\"dev\":\"a\"}" more "]}"
#define SHADOW4 "[{\"via\":\"10.0.0.2\",\"dev\":\"b\"}]"

static void refused(const char *line, const char *field, const char *what)
{
    struct sdw_steer_plan plan = {0};
    struct sdw_err err = {0};
    int code = sdw_steer_plan_add(&plan, sdw_str_of(line), &err);
    ok(code == SDW_EINPUT && plan.n == 0, "%s is refused", what);
    is_text(err.field, field, "naming the field: %s", err.text);
    sdw_steer_plan_release(&plan);
}

static void test_good(void)
{
    struct sdw_steer_plan plan = {0};
    struct sdw_err err = {0};
    ok(sdw_steer_plan_add(&plan, sdw_str_of(GOOD), &err) == 0 && plan.n == 1, "a unit is read");
    struct sdw_steer_unit *unit = sdw_steer_plan_find(&plan, sdw_str_of("u"));
    ok(unit && unit->n_ways == 2 && unit->n_watch == 2, "with its ways and what it watches");
    is_text(unit ? unit->way[1].name : NULL, "10.0.0.2%b", "a way is named by via and dev");
    is_text(unit ? unit->way[0].path_id : NULL, "P", "path ids are kept");
    ok(sdw_steer_plan_add(&plan, sdw_str_of(GOOD), &err) == SDW_EINPUT,
       "the same unit twice is refused");
    ok(sdw_steer_plan_add(&plan, sdw_str_of("{\"type\":\"end\"}"), &err) == 0 && plan.n == 1,
       "other types are passed over");
    sdw_steer_plan_release(&plan);
    ok(sdw_steer_plan_add(&plan,
                          sdw_str_of(unit_of(PREFIX6, "{\"via\":\"fd00::1\",\"dev\":\"a\"}",
                                             "[{\"via\":\"fd00::2\",\"dev\":\"a\"}]", "")),
                          &err) == 0,
       "IPv6 too");
    sdw_steer_plan_release(&plan);
    ok(sdw_steer_plan_add(&plan,
                          sdw_str_of(unit_of("{\"flow\":\"[fd00::9]:1-[fd09::1]:53/udp\"}",
                                             "{\"via\":\"fd00::1\",\"dev\":\"a\"}",
                                             "[{\"via\":\"fd00::2\",\"dev\":\"a\"}]", "")),
                          &err) == 0 &&
           plan.unit[0].match == SDW_MATCH_FLOW && plan.unit[0].destination_port == 53,
       "a flow is read");
    sdw_steer_plan_release(&plan);
}

static void test_several_hops(void)
{
    struct sdw_steer_plan plan = {0};
    struct sdw_err err = {0};
    ok(sdw_steer_plan_add(&plan, sdw_str_of(unit_of(PREFIX4, HOPS4(""), SHADOW4, "")), &err) == 0,
       "a primary of several next hops is read");
    const struct sdw_steer_unit *unit = sdw_steer_plan_find(&plan, sdw_str_of("u"));
    ok(unit && unit->n_hops == 2 && unit->hop[0].weight == 2 && unit->hop[1].weight == 1,
       "with its weights, 1 where none is said");
    is_text(unit ? unit->way[0].name : NULL, "10.0.0.1%a+1", "it is named by the first of them");
    sdw_steer_plan_release(&plan);
    refused(unit_of(PREFIX4, "{\"hops\":[]}", SHADOW4, ""), "primary", "a primary of no hops");
    refused(unit_of(PREFIX4, "{\"hops\":1}", SHADOW4, ""), "primary", "hops that are a number");
    refused(unit_of(PREFIX4, HOPS4(",1"), SHADOW4, ""), "primary", "a hop that is a number");
    refused(unit_of(PREFIX4, HOPS4(",{\"via\":\"10.0.0.1\",\"dev\":\"a\"}"), SHADOW4, ""),
            "primary", "a hop that is there twice");
    refused(unit_of(PREFIX4, PRIMARY4, SHADOW4, ",\"load_bps\":1,\"load_bps\":2"), "load_bps",
            "a key that is there twice");
    refused(unit_of(PREFIX4, PRIMARY4, "[{\"via\":\"10.0.0.2\",\"dev\":\"b\",\"dev\":\"c\"}]", ""),
            "dev", "a key of a shadow that is there twice");
    refused(unit_of(PREFIX4, HOPS4(",{\"dev\":\"b\",\"weight\":0}"), SHADOW4, ""), "primary",
            "a weight of 0");
    refused(unit_of(PREFIX4, HOPS4(",{\"dev\":\"b\",\"weight\":257}"), SHADOW4, ""), "primary",
            "a weight that the kernel does not have");
    refused(unit_of(PREFIX4, PRIMARY4, "[" HOPS4("") "]", ""), "shadows",
            "a shadow of several hops");
    refused(unit_of(PREFIX4, HOPS4(""), "[{\"via\":\"10.0.0.3\",\"dev\":\"a\"}]", ""), "shadows",
            "a shadow that is one of the primary's hops");
}

static void test_bad(void)
{
    refused("{\"type\":\"unit\",\"v\":1,\"ts\":1}", "unit", "a unit without members");
    refused("{\"type\":\"unit\",", "", "a line that is cut");
    refused(unit_of("{}", PRIMARY4, SHADOW4, ""), "match", "a match of nothing");
    refused(unit_of("{\"prefix\":\"10.9.0.1/24\"}", PRIMARY4, SHADOW4, ""), "match",
            "a prefix with host bits");
    refused(unit_of("{\"prefix\":\"10.9.0.0/33\"}", PRIMARY4, SHADOW4, ""), "match",
            "a prefix longer than its address");
    refused(unit_of("{\"prefix\":\"10.9.0.0/24\",\"table\":0}", PRIMARY4, SHADOW4, ""), "match",
            "a table that is none");
    refused(unit_of("{\"flow\":\"10.0.0.1:1-fd00::1:2/udp\"}", PRIMARY4, SHADOW4, ""), "match",
            "a flow of two families");
    refused(unit_of("{\"flow\":\"10.0.0.1:1-10.0.0.2:0/udp\"}", PRIMARY4, SHADOW4, ""), "match",
            "a flow with port 0");
    refused(unit_of(PREFIX4, "{\"via\":\"fd00::1\",\"dev\":\"a\"}", SHADOW4, ""), "primary",
            "a next hop of the other family");
    refused(unit_of(PREFIX4, "{\"via\":\"10.0.0.1\"}", SHADOW4, ""), "primary",
            "a next hop without interface");
    refused(unit_of(PREFIX4, "{\"dev\":\"averylonginterfacename\"}", SHADOW4, ""), "primary",
            "an interface name that is too long");
    refused(unit_of(PREFIX4, "{\"dev\":\"a\",\"capacity_bps\":-1}", SHADOW4, ""), "primary",
            "a negative capacity");
    refused(unit_of(PREFIX4, "{\"dev\":\"a\",\"capacity_bps\":1e300}", SHADOW4, ""), "primary",
            "a huge capacity");
    refused(unit_of(PREFIX4, "{\"dev\":\"a\",\"capacity_bps\":\"1M\"}", SHADOW4, ""), "primary",
            "a capacity with a unit in it");
    refused(unit_of(PREFIX4, PRIMARY4, "[]", ""), "shadows", "a unit without shadows");
    refused(unit_of(PREFIX4, PRIMARY4, "[" PRIMARY4 "]", ""), "shadows",
            "a shadow that is the primary");
    refused(unit_of(PREFIX4, PRIMARY4, "[1]", ""), "shadows", "a shadow that is a number");
    refused(unit_of(PREFIX4, PRIMARY4, SHADOW4, ",\"watch\":[1]"), "watch",
            "a watched key that is a number");
    refused(unit_of(PREFIX4, PRIMARY4, SHADOW4, ",\"load_bps\":-1"), "load_bps", "a negative load");
    refused(unit_of(PREFIX4, PRIMARY4, SHADOW4, ",\"load_bps\":NaN"), "", "a load of NaN");
}

static void test_prefixes(void)
{
    static const char *const good[] = {"10.0.0.0/8", "0.0.0.0/0", "default",    "::/0",
                                       "10.1.2.3",   "fd00::/8",  "fd00::1/128"};
    static const char *const bad[] = {"",           "10.0.0.0/",   "10.0.0/8", "10.0.0.0/8x",
                                      "fd00::/129", "10.0.0.0/-1", "/8",       "fd00::1/64"};
    struct sdw_fib_route route;
    char text[64];
    for (size_t i = 0; i < SDW_LEN(good); i++)
        ok(sdw_prefix_parse(good[i], &route), "%s is a prefix", good[i]);
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(!sdw_prefix_parse(bad[i], &route), "'%s' is none", bad[i]);
    (void)sdw_prefix_parse("fd09::/64", &route);
    is_text(sdw_prefix_text(&route, text), "fd09::/64", "a prefix reads back as it was");
}

int main(void)
{
    test_good();
    test_several_hops();
    test_bad();
    test_prefixes();
    return tap_done();
}
