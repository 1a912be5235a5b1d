#include "net/flow.h"
#include "core/num.h"

static const char form[] =
    "a flow is written SRC:SPORT-DST:DPORT/udp or /tcp, IPv6 addresses in [ ]";

/* One end, "192.0.2.1:53" or "[2001:db8::1]:53". */
static int parse_end(struct sdw_str text, const char *whole, struct sdw_address *out,
                     struct sdw_err *err)
{
    char host[SDW_ADDRESS_TEXT];
    int64_t port;
    const char *colon = memrchr(text.p, ':', text.n);
    if (!colon)
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: no port; %s", whole, form);
    struct sdw_str number = {colon + 1, (size_t)(text.p + text.n - colon - 1)};
    struct sdw_str name = {text.p, (size_t)(colon - text.p)};
    bool bracketed = name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    if (bracketed)
        name = (struct sdw_str){name.p + 1, name.n - 2};
    if (!sdw_num_int(number, &port) || port < 1 || port > 65535)
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: %.*s is not a port (1 to 65535)", whole,
                           (int)number.n, number.p);
    if (name.n == 0 || name.n >= sizeof host)
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: no address; %s", whole, form);
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    if (!sdw_address_parse(host, (uint16_t)port, out) ||
        bracketed != (sdw_address_family(out) == AF_INET6))
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: %s is not an address; %s", whole, host, form);
    return 0;
}

int sdw_flow_parse(const char *text, struct sdw_flow *flow, struct sdw_err *err)
{
    const char *slash = strrchr(text, '/'), *dash = strchr(text, '-');
    if (!slash || !dash || dash > slash)
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: %s", text, form);
    if (strcmp(slash, "/udp") != 0 && strcmp(slash, "/tcp") != 0)
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: the protocol is udp or tcp, not %s", text,
                           slash + 1);
    flow->tcp = strcmp(slash, "/tcp") == 0;
    int code = parse_end((struct sdw_str){text, (size_t)(dash - text)}, text, &flow->src, err);
    if (code == 0)
        code = parse_end((struct sdw_str){dash + 1, (size_t)(slash - dash - 1)}, text, &flow->dst,
                         err);
    if (code == 0 && sdw_address_family(&flow->src) != sdw_address_family(&flow->dst))
        return sdw_err_set(err, SDW_EUSAGE, "flow %s: both ends are IPv4 or both IPv6", text);
    return code;
}
