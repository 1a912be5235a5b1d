#include "core/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

uint8_t sdw_ip_bits(uint8_t family)
{
    return family == AF_INET ? 32 : 128;
}

size_t sdw_ip_size(uint8_t family)
{
    return family == AF_INET ? 4 : 16;
}

/* The digits after the slash; -1 when they are no length of that family. */
static int parse_length(const char *digits, uint8_t family)
{
    char *end;
    if (digits[0] < '0' || digits[0] > '9')
        return -1;
    long length = strtol(digits, &end, 10);
    return *end || length > sdw_ip_bits(family) ? -1 : (int)length;
}

bool sdw_ip_parse(struct sdw_str text, struct sdw_ip *out)
{
    char copy[SDW_IP_TEXT];
    struct sdw_ip ip = {0};
    if (!text.p || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (strlen(copy) != text.n)
        return false;
    char *slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    ip.family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(ip.family, copy, ip.bytes) != 1)
        return false;
    int length = slash ? parse_length(slash, ip.family) : sdw_ip_bits(ip.family);
    if (length < 0)
        return false;
    ip.length = (uint8_t)length;
    *out = ip;
    return true;
}

const char *sdw_ip_show(const struct sdw_ip *ip, char out[SDW_IP_TEXT])
{
    if (!inet_ntop(ip->family, ip->bytes, out, SDW_IP_TEXT))
        snprintf(out, SDW_IP_TEXT, "none");
    return out;
}

const char *sdw_ip_show_prefix(const struct sdw_ip *ip, char out[SDW_IP_TEXT])
{
    size_t n = strlen(sdw_ip_show(ip, out));
    snprintf(out + n, SDW_IP_TEXT - n, "/%u", ip->length);
    return out;
}

struct sdw_ip sdw_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t length)
{
    return (struct sdw_ip){AF_INET, length, {a, b, c, d}};
}

struct sdw_ip sdw_ip6(uint16_t first, uint16_t second, uint16_t last, uint8_t length)
{
    struct sdw_ip ip = {AF_INET6, length, {0}};
    ip.bytes[0] = (uint8_t)(first >> 8);
    ip.bytes[1] = (uint8_t)first;
    ip.bytes[2] = (uint8_t)(second >> 8);
    ip.bytes[3] = (uint8_t)second;
    ip.bytes[14] = (uint8_t)(last >> 8);
    ip.bytes[15] = (uint8_t)last;
    return ip;
}

struct sdw_ip sdw_ip_host(struct sdw_ip ip)
{
    ip.length = sdw_ip_bits(ip.family);
    return ip;
}

struct sdw_ip sdw_ip_network(struct sdw_ip ip)
{
    for (unsigned bit = ip.length; bit < sdw_ip_bits(ip.family); bit++)
        ip.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    return ip;
}

bool sdw_ip_same(struct sdw_ip a, struct sdw_ip b)
{
    return a.family == b.family && a.length == b.length &&
           memcmp(a.bytes, b.bytes, sdw_ip_size(a.family)) == 0;
}
