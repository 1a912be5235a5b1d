#include "net/mirror_tuple.h"

#include <stdio.h>

static void write_end(const struct sdw_address *end, char *out, size_t size)
{
    char text[SDW_ADDRESS_TEXT];
    bool v6 = sdw_address_family(end) == AF_INET6;
    (void)snprintf(out, size, v6 ? "[%s]:%u" : "%s:%u", sdw_address_text(end, text),
                   sdw_address_port(end));
}

void sdw_mirror_tuple_write(const struct sdw_mirror_tuple *tuple, char out[SDW_MIRROR_FLOW])
{
    char src[SDW_ADDRESS_TEXT + 8], dst[SDW_ADDRESS_TEXT + 8];
    write_end(&tuple->src, src, sizeof src);
    write_end(&tuple->dst, dst, sizeof dst);
    (void)snprintf(out, SDW_MIRROR_FLOW, "%s-%s/%s", src, dst, tuple->tcp ? "tcp" : "udp");
}

static bool read_address(struct sdw_str text, int64_t port, struct sdw_address *out)
{
    char host[SDW_ADDRESS_TEXT];
    if (!text.p || text.n >= sizeof host || port < 1 || port > 65535)
        return false;
    (void)snprintf(host, sizeof host, "%.*s", (int)text.n, text.p);
    return sdw_address_parse(host, (uint16_t)port, out);
}

bool sdw_mirror_tunnelled(const struct sdw_flow_rec *rec)
{
    static const char *const tunnels[] = {"\"gre\"", "\"vxlan\"", "\"ip\""};
    bool found = rec->vni > 0 || rec->outer_dst.p;
    for (size_t i = 0; i < SDW_LEN(tunnels) && rec->around.p && !found; i++)
        found = memmem(rec->around.p, rec->around.n, tunnels[i], strlen(tunnels[i])) != NULL;
    return found;
}

const char *sdw_mirror_tuple_read(const struct sdw_flow_rec *rec, struct sdw_mirror_tuple *tuple)
{
    *tuple = (struct sdw_mirror_tuple){.tcp = sdw_str_is(rec->protocol, "tcp"), .flow_label = -1};
    if (!tuple->tcp && !sdw_str_is(rec->protocol, "udp"))
        return "neither TCP nor UDP";
    if (!read_address(rec->src, rec->sport, &tuple->src) ||
        !read_address(rec->dst, rec->dport, &tuple->dst) ||
        sdw_address_family(&tuple->src) != sdw_address_family(&tuple->dst))
        return "no addresses and ports of one family";
    if (sdw_address_is_group(&tuple->src) || sdw_address_is_group(&tuple->dst))
        return "a group has no one path";
    if (rec->flow_label != SDW_NO_INT)
        tuple->flow_label = (int32_t)rec->flow_label;
    return NULL;
}

const char *sdw_mirror_tuple_outer(const struct sdw_flow_rec *rec,
                                   const struct sdw_mirror_tuple *tunnel,
                                   struct sdw_mirror_tuple *tuple)
{
    struct sdw_mirror_tuple own = {.flow_label = -1};
    *tuple = *tunnel;
    if (!rec->outer_dst.p)
        return NULL;
    if (!sdw_str_is(rec->outer_protocol, "udp"))
        return "in a tunnel of another kind";
    if (!read_address(rec->outer_src, 1, &own.src) || !read_address(rec->outer_dst, 1, &own.dst) ||
        sdw_address_family(&own.src) != sdw_address_family(&own.dst))
        return "no outer addresses of one family";
    if (sdw_address_same_host(&own.src, &tunnel->dst))
        return NULL;
    if (!sdw_address_same_host(&own.dst, &tunnel->dst))
        return "in a tunnel to another far end";
    if (read_address(rec->outer_src, rec->outer_sport, &own.src) &&
        read_address(rec->outer_dst, rec->outer_dport, &own.dst))
        *tuple = own;
    return NULL;
}
