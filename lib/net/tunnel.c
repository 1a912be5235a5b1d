#include "net/tunnel.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/rng.h"
#include "net/egress.h"
#include "net/socket.h"
#include "sys/netns.h"
#include "sys/route.h"
#include "sys/veth.h"
#include "sys/vxlan.h"

static const char device[] = "tunnel";
enum { FIRST_PORT = 49152, PORTS = 65535 - FIRST_PORT }; /* RFC 7348, section 5 */
/* How long an identifier may be in use by a tunnel that is gone; from one look to the next. */
static const int64_t gone_ns = 3000000000, again_ns = 20000000;

static struct sdw_ip ip_of(const struct sdw_address *address)
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(address, &n);
    struct sdw_ip ip = {.family = (uint8_t)sdw_address_family(address), .length = (uint8_t)(n * 8)};
    memcpy(ip.bytes, bytes, n);
    return ip;
}

static uint16_t draw_port(void)
{
    struct sdw_rng rng;
    sdw_rng_seed(&rng, sdw_rng_secret());
    return (uint16_t)(FIRST_PORT + sdw_rng_below(&rng, PORTS));
}

const char *sdw_tunnel_no_end(const struct sdw_address *address)
{
    struct sdw_address source, any = sdw_address_any(sdw_address_family(address), 0);
    struct sdw_err why = {0};
    unsigned interface = 0, loopback = if_nametoindex("lo");
    if (sdw_address_is_group(address))
        return "a group is no far end";
    if (sdw_address_family(address) == AF_INET6 && address->v6.sin6_scope_id)
        return "no path leads to a link's own address";
    if (sdw_address_source(address, NULL, 0, &source, &why) == 0)
        (void)sdw_egress_find(&source, address, 0, 0, &interface, &why);
    return interface == loopback || sdw_address_same_host(address, &any)
               ? "this end itself is no far end"
               : NULL;
}

/* Whether packets may be sent from the address: its owner gets what is answered. */
static bool is_ours(const struct sdw_address *address, const char *interface)
{
    struct sdw_socket_options options = {.interface = interface};
    struct sdw_socket socket;
    struct sdw_err why = {0};
    if (sdw_socket_open(&socket, address, &options, &why) < 0)
        return false;
    sdw_socket_close(&socket);
    return true;
}

/* The ends outside, with their ports. */
static int find_ends(const struct sdw_tunnel_config *config, struct sdw_address *local,
                     struct sdw_address *remote, struct sdw_err *err)
{
    uint16_t port = (uint16_t)config->source_port;
    if (config->marked)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--mark: the kernel gives packets of a tunnel none; use --interface");
    if (!config->remote || !sdw_address_parse(config->remote, (uint16_t)config->port, remote))
        return sdw_err_set(err, SDW_EUSAGE, "--remote %s: the address of the tunnel's far end",
                           config->remote ? config->remote : "is missing");
    const char *reason = sdw_tunnel_no_end(remote);
    if (reason)
        return sdw_err_set(err, SDW_EUSAGE, "--remote %s: %s", config->remote, reason);
    if (port == UINT16_MAX)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--source-port 65535: the kernel sends a tunnel's "
                           "packets from ports up to 65534");
    if (config->source && !sdw_address_parse(config->source, 0, local))
        return sdw_err_set(err, SDW_EUSAGE, "--source %s: not an address", config->source);
    if (config->source && !is_ours(local, config->interface))
        return sdw_err_set(err, SDW_EUSAGE, "--source %s: no address of this host", config->source);
    int code = config->source ? 0 : sdw_address_source(remote, config->interface, 0, local, err);
    if (code < 0)
        return code;
    if (sdw_address_family(local) != sdw_address_family(remote))
        return sdw_err_set(err, SDW_EUSAGE, "the ends of a tunnel are of one family");
    sdw_address_set_port(local, port ? port : draw_port());
    return 0;
}

static void describe(struct sdw_tunnel *tunnel, const struct sdw_tunnel_config *config,
                     const struct sdw_address *local, const struct sdw_address *remote)
{
    char src[SDW_ADDRESS_TEXT], dst[SDW_ADDRESS_TEXT];
    bool v6 = sdw_address_family(remote) == AF_INET6;
    (void)sdw_address_text(local, src);
    (void)sdw_address_text(remote, dst);
    (void)snprintf(tunnel->flow, sizeof tunnel->flow,
                   v6 ? "[%s]:%u-[%s]:%u/udp" : "%s:%u-%s:%u/udp", src, sdw_address_port(local),
                   dst, sdw_address_port(remote));
    (void)snprintf(tunnel->name, sizeof tunnel->name, "vxlan/%lld/%s", (long long)config->vni, dst);
}

/* Give the device its address, and let it carry. */
static int set_up_inside(struct sdw_ip inner, int64_t port, struct sdw_err *err)
{
    struct sdw_netlink netlink;
    int code = sdw_netlink_open(&netlink, 0, err), index;
    if (code < 0)
        return code;
    code = index = sdw_interface_index(device, err);
    if (code > 0)
        code = sdw_addr_add(&netlink, index, inner, err);
    if (code == 0)
        code = sdw_interface_up(&netlink, "lo", true, err);
    if (code == 0)
        code = sdw_interface_up(&netlink, device, true, err);
    if (code < 0 && errno == EADDRINUSE)
        code =
            sdw_err_set(err, SDW_ESYS,
                        "UDP port %lld is in use here, by a program or a VXLAN device of another "
                        "kind: give both ends another (--remote-port)",
                        (long long)port);
    sdw_netlink_close(&netlink);
    return code;
}

static int make_device(const struct sdw_tunnel *tunnel, const struct sdw_tunnel_config *config,
                       const struct sdw_address *local, const struct sdw_address *remote,
                       struct sdw_err *err)
{
    struct sdw_netlink netlink;
    struct sdw_vxlan vxlan = {.name = device,
                              .vni = (uint32_t)config->vni,
                              .remote = ip_of(remote),
                              .local = ip_of(local),
                              .port = (uint16_t)config->port,
                              .source_port = sdw_address_port(local),
                              .link = tunnel->interface};
    int code = sdw_netlink_open(&netlink, 0, err);
    if (code < 0)
        return code;
    /* The kernel removes a device some time after the process that had it. */
    int64_t until_ns = sdw_mono_ns() + gone_ns;
    while ((code = sdw_vxlan_create(&netlink, &vxlan, tunnel->inside, err)) < 0 &&
           errno == EEXIST && sdw_mono_ns() < until_ns)
        sdw_sleep_until(sdw_mono_ns() + again_ns, 0);
    sdw_netlink_close(&netlink);
    return code;
}

int sdw_tunnel_open(struct sdw_tunnel *tunnel, const struct sdw_tunnel_config *config,
                    struct sdw_err *err)
{
    struct sdw_address local = {0}, remote = {0};
    struct sdw_ip inner;
    *tunnel = (struct sdw_tunnel){.inside = -1, .outside = -1};
    if (!config->inner || !strchr(config->inner, '/') ||
        !sdw_ip_parse(sdw_str_of(config->inner), &inner))
        return sdw_err_set(err, SDW_EUSAGE,
                           "--inner %s: the address of this end inside the tunnel, with its prefix "
                           "length (192.168.9.1/24)",
                           config->inner ? config->inner : "is missing");
    int code = 0;
    if (config->interface)
        code = tunnel->interface = sdw_interface_index(config->interface, err);
    if (code >= 0)
        code = find_ends(config, &local, &remote, err);
    if (code < 0)
        return code;
    describe(tunnel, config, &local, &remote);
    tunnel->outside = sdw_netns_open(NULL, err);
    tunnel->inside = tunnel->outside < 0 ? tunnel->outside : sdw_netns_nameless(err);
    code = tunnel->inside < 0 ? tunnel->inside : make_device(tunnel, config, &local, &remote, err);
    if (code == 0)
        code = sdw_tunnel_enter(tunnel, err);
    if (code == 0) {
        code = set_up_inside(inner, config->port, err);
        int left = sdw_tunnel_leave(tunnel, err);
        code = code < 0 ? code : left;
    }
    if (code < 0)
        sdw_tunnel_close(tunnel);
    return code;
}

int sdw_tunnel_enter(const struct sdw_tunnel *tunnel, struct sdw_err *err)
{
    return sdw_netns_return(tunnel->inside, err);
}

int sdw_tunnel_leave(const struct sdw_tunnel *tunnel, struct sdw_err *err)
{
    return sdw_netns_return(tunnel->outside, err);
}

void sdw_tunnel_close(struct sdw_tunnel *tunnel)
{
    if (tunnel->inside >= 0)
        close(tunnel->inside);
    if (tunnel->outside >= 0)
        close(tunnel->outside);
    tunnel->inside = tunnel->outside = -1;
}
