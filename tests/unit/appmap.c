#include "net/appmap.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/tap.h"

static const uint8_t client[16] = {10, 0, 0, 1}, server[16] = {10, 20, 0, 5};

static const char *find(const struct sdw_appmap *map, uint8_t protocol, uint16_t port,
                        const char *host)
{
    const char *app = sdw_appmap_find(map, &(struct sdw_appmap_flow){.src = client,
                                                                     .dst = server,
                                                                     .sport = 50000,
                                                                     .dport = port,
                                                                     .version = 4,
                                                                     .protocol = protocol,
                                                                     .host = host});
    return app ? app : "none";
}

static struct sdw_appmap *map_of(const char *text)
{
    struct sdw_err err = {0};
    struct sdw_appmap *map = sdw_appmap_new();
    if (sdw_appmap_read(map, sdw_str_of(text), &err) < 0)
        printf("# %s\n", err.text);
    return map;
}

static void rules(void)
{
    struct sdw_appmap *map = map_of("# ours\n"
                                    "\n"
                                    "name .wiki.example  Wiki   high # people read it\n"
                                    "port udp/4000-4010  Feed\r\n"
                                    "net  10.20.0.0/16   Site low\n"
                                    "name example        Other\n"
                                    "port 9000           Late\n");
    is_text(find(map, IPPROTO_TCP, 443, "a.wiki.example"), "Wiki", "a name below a suffix matches");
    is_text(find(map, IPPROTO_TCP, 443, "wiki.example"), "Wiki", "so does the suffix itself");
    is_text(find(map, IPPROTO_TCP, 443, "xwiki.example"), "Site", "but not what ends like it");
    is_text(find(map, IPPROTO_UDP, 4010, ""), "Feed", "a port of a range matches");
    is_text(find(map, IPPROTO_TCP, 4010, ""), "Site", "not with the other protocol");
    is_text(find(map, IPPROTO_UDP, 4011, ""), "Site", "nor one behind the range");
    is_text(find(map, IPPROTO_UDP, 9000, "b.example"), "Site",
            "the first rule of the file that matches counts");
    ok(sdw_appmap_by_name(map), "the map goes by name");
    ok(sdw_appmap_sensitivity(map, "Wiki", "Web") == SDW_SENSITIVITY_HIGH &&
           sdw_appmap_sensitivity(map, "Site", "VoIP") == SDW_SENSITIVITY_LOW,
       "a rule gives its application a sensitivity");
    sdw_appmap_free(map);
}

static void either_end(void)
{
    struct sdw_appmap *map = map_of("net 10.0.0.1 Me\nnet 2001:db8::/33 Six\nport 50000 Odd\n");
    const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, 0x7f}, far[16] = {0x20, 1, 0xd, 0xb8, 0x80};
    struct sdw_appmap_flow flow = {.src = far, .dst = six, .version = 6, .host = NULL};
    is_text(find(map, IPPROTO_TCP, 1, ""), "Me", "the source is looked at too");
    is_text(sdw_appmap_find(map, &flow), "Six", "a prefix of IPv6 matches to the bit");
    flow.dst = far;
    ok(!sdw_appmap_find(map, &flow), "and no further");
    ok(!sdw_appmap_by_name(map), "this map does not go by name");
    sdw_appmap_free(map);
    map = map_of("port 50000 Odd\n");
    is_text(find(map, IPPROTO_TCP, 1, ""), "Odd", "so is the source's port");
    is_text(find(map, IPPROTO_ICMP, 1, ""), "none", "of protocols that have ports");
    sdw_appmap_free(map);
}

static void sensitivities(void)
{
    struct sdw_appmap *map = map_of("category Web high\napp Skype low\n");
    ok(sdw_appmap_sensitivity(map, "x", "VoIP") == SDW_SENSITIVITY_HIGH, "calls are sensitive");
    ok(sdw_appmap_sensitivity(map, "x", "Download") == SDW_SENSITIVITY_LOW, "downloads are not");
    ok(sdw_appmap_sensitivity(map, "x", "Streaming") == SDW_SENSITIVITY_MEDIUM,
       "the rest is in between");
    ok(sdw_appmap_sensitivity(map, "x", "Web") == SDW_SENSITIVITY_HIGH,
       "the user's word on a category counts");
    ok(sdw_appmap_sensitivity(map, "Skype", "VoIP") == SDW_SENSITIVITY_LOW,
       "and that on an application more");
    sdw_appmap_free(map);
}

static void refuses(const char *text, uint64_t line, const char *message)
{
    struct sdw_err err = {0};
    struct sdw_appmap *map = sdw_appmap_new();
    int code = sdw_appmap_read(map, sdw_str_of(text), &err);
    ok(code == SDW_EUSAGE && err.line == line, "line %d is refused", (int)line);
    is_text(err.text, message, "and it is said why");
    sdw_appmap_free(map);
}

int main(void)
{
    rules();
    either_end();
    sensitivities();
    refuses("port 80 Web\nport 70000 X\n", 2, "not a port or range of ports: 70000");
    refuses("port 20-10 X\n", 1, "not a port or range of ports: 20-10");
    refuses("\n\nnet 10.0.0.0/33 X\n", 3, "not an address or prefix: 10.0.0.0/33");
    refuses("name . X\n", 1, "not a name: ");
    refuses("name a.example\n", 1, "the application is missing");
    refuses("port 80 Web urgent\n", 1, "a sensitivity is high, medium or low: urgent");
    refuses("port 80 Web high low\n", 1, "more than a rule has: low");
    refuses("category Web\n", 1, "give a name and high, medium or low");
    refuses("cidr 10.0.0.0/8 X\n", 1, "neither name, port, net, app nor category: cidr");
    struct sdw_err err = {0};
    struct sdw_appmap *map = sdw_appmap_new();
    ok(sdw_appmap_load(map, "/nonexistent/apps", &err) == SDW_ESYS,
       "a file that is not there is an error of the system");
    sdw_appmap_free(map);
    return tap_done();
}
