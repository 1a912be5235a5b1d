/* When two walks saw one path: silent hops, a far end that does not always answer. */
#include "net/route.h"
#include "unit/tap.h"

#include <stdio.h>

/* A letter for the address of each hop, - where it was silent. */
static struct sdw_route route(enum sdw_far_end far_end, bool reached, const char *hosts)
{
    struct sdw_route route = {
        .hops = (unsigned)strlen(hosts), .reached = reached, .far_end = far_end};
    for (unsigned hop = 1; hop <= route.hops; hop++) {
        char text[SDW_ADDRESS_TEXT];
        (void)snprintf(text, sizeof text, "10.0.0.%d", hosts[hop - 1]);
        if (hosts[hop - 1] != '-' && !sdw_address_parse(text, 0, &route.hop[hop].addr))
            printf("Bail out! %s\n", text);
    }
    return route;
}

static bool shy(enum sdw_far_end far_end, bool reached, const char *walked)
{
    struct sdw_route known = route(far_end, true, "abcz"), now = route(far_end, reached, walked);
    return sdw_route_shy(&known, &now);
}

static void shy_far_ends(void)
{
    ok(shy(SDW_FAR_ICMP, true, "abc----z"), "a far end that was silent at first is not farther");
    ok(shy(SDW_FAR_ICMP, true, "abcz---z"), "nor when its first answer came later");
    ok(shy(SDW_FAR_ICMP, false, "abc"), "nor gone when it was silent all along");
    ok(shy(SDW_FAR_ECHO, true, "a-c----z"), "and routers may have been silent as well");
    ok(!shy(SDW_FAR_ICMP, true, "abcd--z"), "a router where it stood is another path");
    ok(!shy(SDW_FAR_ICMP, true, "axc----z"), "and so is another router before it");
    ok(!shy(SDW_FAR_ICMP, false, "ab-d"), "also when the far end did not answer");
    ok(!shy(SDW_FAR_ICMP, true, "abz"), "a far end that comes nearer is another path");
    ok(!shy(SDW_FAR_STAMP, true, "abc----z"), "a reflector answers always");
    struct sdw_route never = route(SDW_FAR_NONE, false, "abc"),
                     now = route(SDW_FAR_ICMP, true, "abcz");
    ok(!sdw_route_shy(&never, &now), "one that never answered is no shy one");
}

static void same_ways(void)
{
    struct sdw_route a = route(SDW_FAR_ICMP, true, "abcz"), b = route(SDW_FAR_ICMP, true, "a-cz"),
                     c = route(SDW_FAR_ICMP, true, "axcz"), d = route(SDW_FAR_ICMP, true, "abz");
    ok(sdw_route_same(&a, &b), "a silent hop matches any");
    ok(!sdw_route_same(&a, &c), "another router is another way");
    ok(!sdw_route_same(&a, &d), "and so is another length");
}

static void limits(void)
{
    struct sdw_route r = route(SDW_FAR_ECHO, true, "abcz");
    r.hop[2].limited = true;
    ok(sdw_route_limited(&r) && !sdw_route_far_limited(&r),
       "a router's limit is not the far end's");
    r.hop[4].limited = true;
    ok(sdw_route_far_limited(&r), "a far end that stops answering limits its answers");
    struct sdw_route closed = route(SDW_FAR_ICMP, true, "abcz");
    ok(sdw_route_far_limited(&closed), "ICMP errors are limited, seen or not");
    r.far_end = SDW_FAR_STAMP;
    ok(!sdw_route_far_limited(&r), "what a reflector did not answer was lost");
}

int main(void)
{
    shy_far_ends();
    same_ways();
    limits();
    return tap_done();
}
