#include "net/flow.h"

#include "unit/tap.h"

int main(void)
{
    struct sdw_flow flow;
    struct sdw_err err = {0};
    char text[SDW_ADDRESS_TEXT];
    ok(sdw_flow_parse("192.0.2.1:5000-198.51.100.2:6000/udp", &flow, NULL) == 0 && !flow.tcp,
       "an IPv4 flow is read");
    is_text(sdw_address_text(&flow.src, text), "192.0.2.1", "with its source");
    is_text(sdw_address_text(&flow.dst, text), "198.51.100.2", "its destination");
    ok(sdw_address_port(&flow.src) == 5000 && sdw_address_port(&flow.dst) == 6000, "and ports");
    ok(sdw_flow_parse("[2001:db8::1]:5000-[2001:db8::2]:443/tcp", &flow, NULL) == 0 && flow.tcp &&
           sdw_address_port(&flow.dst) == 443,
       "so is an IPv6 flow");
    static const char *const bad[] = {
        "",
        "/udp",
        "-/udp",
        "192.0.2.1:5000/udp",
        "192.0.2.1:5000-192.0.2.2:6000",
        "192.0.2.1:5000-192.0.2.2:6000/sctp",
        "192.0.2.1-192.0.2.2:6000/udp",
        "192.0.2.1:0-192.0.2.2:6000/udp",
        "192.0.2.1:5000-192.0.2.2:65536/udp",
        "192.0.2.1:5000-192.0.2.2:-1/udp",
        "192.0.2.1:x-192.0.2.2:6000/udp",
        "host:5000-192.0.2.2:6000/udp",
        "192.0.2.1:5000-[2001:db8::2]:443/udp",
        "2001:db8::1:5000-2001:db8::2:443/udp",
        "[192.0.2.1]:5000-[192.0.2.2]:443/udp",
        ":5000-:6000/udp",
        "[]:5000-[]:6000/udp",
    };
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(sdw_flow_parse(bad[i], &flow, &err) == SDW_EUSAGE && strstr(err.text, "flow"),
           "\"%s\" is refused: %s", bad[i], err.text);
    return tap_done();
}
