/* Addresses and prefixes of both families, as values. */
#ifndef SDW_CORE_IP_H
#define SDW_CORE_IP_H

#include "core/base.h"

/* An address with a prefix length (the full length when it stands for one host). */
struct sdw_ip {
    uint8_t family; /* AF_INET or AF_INET6; 0: none */
    uint8_t length; /* of the prefix, 0..32 or 0..128 */
    uint8_t bytes[16];
};

enum { SDW_IP_TEXT = 64 }; /* room for any address or prefix as text */

/* Parse all of `text`: "10.9.0.2", "10.9.0.0/24", "fd00::1/64". False when it is neither. */
bool sdw_ip_parse(struct sdw_str text, struct sdw_ip *out);
/* The address alone, and with its prefix length. Return out. */
const char *sdw_ip_show(const struct sdw_ip *ip, char out[SDW_IP_TEXT]);
const char *sdw_ip_show_prefix(const struct sdw_ip *ip, char out[SDW_IP_TEXT]);

struct sdw_ip sdw_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t length);
/* fdAA:BB::CC as words: the first, the second and the last. */
struct sdw_ip sdw_ip6(uint16_t first, uint16_t second, uint16_t last, uint8_t length);

uint8_t sdw_ip_bits(uint8_t family);                /* 32 or 128 */
size_t sdw_ip_size(uint8_t family);                 /* 4 or 16 bytes */
struct sdw_ip sdw_ip_host(struct sdw_ip ip);        /* the same address, full length */
struct sdw_ip sdw_ip_network(struct sdw_ip ip);     /* bits past the length cleared */
bool sdw_ip_same(struct sdw_ip a, struct sdw_ip b); /* address and length */

#endif
