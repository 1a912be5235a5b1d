#include "net/hints.h"
#include "net/wire.h"

#include <netinet/in.h>

/* Sorted by nothing: the table is short and looked at once a flow. */
static const struct port {
    uint16_t port;
    uint8_t protocol; /* 0: both */
    const char *app, *category;
} ports[] = {
    {20, IPPROTO_TCP, "FTP_DATA", "Download"},
    {21, IPPROTO_TCP, "FTP_CONTROL", "Download"},
    {22, IPPROTO_TCP, "SSH", "RemoteAccess"},
    {23, IPPROTO_TCP, "Telnet", "RemoteAccess"},
    {25, IPPROTO_TCP, "SMTP", "Email"},
    {53, 0, "DNS", "Network"},
    {67, IPPROTO_UDP, "DHCP", "Network"},
    {68, IPPROTO_UDP, "DHCP", "Network"},
    {69, IPPROTO_UDP, "TFTP", "DataTransfer"},
    {80, IPPROTO_TCP, "HTTP", "Web"},
    {88, 0, "Kerberos", "Network"},
    {110, IPPROTO_TCP, "POP3", "Email"},
    {123, IPPROTO_UDP, "NTP", "System"},
    {137, IPPROTO_UDP, "NetBIOS", "System"},
    {138, IPPROTO_UDP, "NetBIOS", "System"},
    {143, IPPROTO_TCP, "IMAP", "Email"},
    {161, IPPROTO_UDP, "SNMP", "Network"},
    {162, IPPROTO_UDP, "SNMP", "Network"},
    {179, IPPROTO_TCP, "BGP", "Network"},
    {389, 0, "LDAP", "System"},
    {443, IPPROTO_TCP, "TLS", "Web"},
    {443, IPPROTO_UDP, "QUIC", "Web"},
    {445, IPPROTO_TCP, "SMBv23", "System"},
    {465, IPPROTO_TCP, "SMTPS", "Email"},
    {500, IPPROTO_UDP, "IPsec", "VPN"},
    {514, IPPROTO_UDP, "Syslog", "System"},
    {546, IPPROTO_UDP, "DHCPV6", "Network"},
    {547, IPPROTO_UDP, "DHCPV6", "Network"},
    {554, IPPROTO_TCP, "RTSP", "Media"},
    {587, IPPROTO_TCP, "SMTP", "Email"},
    {636, IPPROTO_TCP, "LDAP", "System"},
    {853, IPPROTO_TCP, "DoH_DoT", "Network"},
    {873, IPPROTO_TCP, "RSYNC", "DataTransfer"},
    {993, IPPROTO_TCP, "IMAPS", "Email"},
    {995, IPPROTO_TCP, "POPS", "Email"},
    {1194, 0, "OpenVPN", "VPN"},
    {1433, IPPROTO_TCP, "MsSQL-TDS", "Database"},
    {1521, IPPROTO_TCP, "Oracle", "Database"},
    {1812, IPPROTO_UDP, "Radius", "Network"},
    {1813, IPPROTO_UDP, "Radius", "Network"},
    {1883, IPPROTO_TCP, "MQTT", "RPC"},
    {1900, IPPROTO_UDP, "SSDP", "System"},
    {2049, 0, "NFS", "DataTransfer"},
    {3306, IPPROTO_TCP, "MySQL", "Database"},
    {3389, 0, "RDP", "RemoteAccess"},
    {3478, 0, "STUN", "Network"},
    {4500, IPPROTO_UDP, "IPsec", "VPN"},
    {5060, 0, "SIP", "VoIP"},
    {5061, IPPROTO_TCP, "SIP", "VoIP"},
    {5201, 0, "iperf3", "Network"},
    {5353, IPPROTO_UDP, "MDNS", "Network"},
    {5355, IPPROTO_UDP, "LLMNR", "Network"},
    {5432, IPPROTO_TCP, "PostgreSQL", "Database"},
    {5671, IPPROTO_TCP, "AMQP", "RPC"},
    {5672, IPPROTO_TCP, "AMQP", "RPC"},
    {5900, IPPROTO_TCP, "VNC", "RemoteAccess"},
    {6379, IPPROTO_TCP, "Redis", "Database"},
    {6881, 0, "BitTorrent", "Download"},
    {8080, IPPROTO_TCP, "HTTP", "Web"},
    {8443, IPPROTO_TCP, "TLS", "Web"},
    {51820, IPPROTO_UDP, "WireGuard", "VPN"},
    {11211, 0, "Memcached", "Network"},
    {27017, IPPROTO_TCP, "MongoDB", "Database"},
};

/* Protocols above IP that have no ports. */
static const struct {
    uint8_t protocol;
    const char *app, *category;
} bare[] = {
    {IPPROTO_ICMP, "ICMP", "Network"},
    {IPPROTO_ICMPV6, "ICMPV6", "Network"},
    {IPPROTO_IGMP, "IGMP", "Network"},
    {IPPROTO_GRE, "GRE", "Network"},
    {IPPROTO_ESP, "IPsec", "VPN"},
    {IPPROTO_AH, "IPsec", "VPN"},
    {IPPROTO_IPIP, "IP_in_IP", "Network"},
    {IPPROTO_SCTP, "SCTP", "Network"},
    {89, "OSPF", "Network"},
    {112, "VRRP", "Network"},
};

static const struct port *find(uint8_t protocol, uint16_t port)
{
    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
        return NULL;
    for (size_t i = 0; i < SDW_LEN(ports); i++)
        if (ports[i].port == port && (!ports[i].protocol || ports[i].protocol == protocol))
            return &ports[i];
    return NULL;
}

bool sdw_hints_worth(const struct sdw_packet *packet)
{
    if (packet->fragment == SDW_FRAGMENT_LATER)
        return false;
    return packet->payload_n > 0 ||
           (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP);
}

void sdw_hints_ports(uint8_t protocol, uint16_t sport, uint16_t dport, struct sdw_dpi_label *label)
{
    *label = (struct sdw_dpi_label){.app = "Unknown", .category = "Unspecified"};
    const struct port *hit = find(protocol, sport < dport ? sport : dport);
    if (!hit)
        hit = find(protocol, sport < dport ? dport : sport);
    if (hit) {
        label->app = hit->app;
        label->category = hit->category;
        label->confidence = SDW_DPI_PORT;
    }
    for (size_t i = 0; i < SDW_LEN(bare); i++)
        if (bare[i].protocol == protocol) {
            label->app = bare[i].app;
            label->category = bare[i].category;
            label->confidence = SDW_DPI_PAYLOAD;
        }
}

/* A cursor over bytes from outside: once something was not there, everything after it is 0. */
struct cursor {
    const uint8_t *p;
    size_t n;
    bool bad;
};

static const uint8_t *skip(struct cursor *c, size_t n)
{
    const uint8_t *at = c->p;
    if (c->bad || n > c->n) {
        c->bad = true;
        return NULL;
    }
    c->p += n;
    c->n -= n;
    return at;
}

static unsigned get8(struct cursor *c)
{
    const uint8_t *p = skip(c, 1);
    return p ? *p : 0;
}

static unsigned get16(struct cursor *c)
{
    const uint8_t *p = skip(c, 2);
    return p ? sdw_get16(p) : 0;
}

/* A name as we keep it: lower case; false when a byte is none of a host's name. */
static bool keep_name(char host[SDW_DPI_HOST], size_t *at, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] + 32) : p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
        if (*at < SDW_DPI_HOST - 1)
            host[(*at)++] = (char)c;
    }
    host[*at] = 0;
    return true;
}

static bool server_name(struct cursor *c, char host[SDW_DPI_HOST])
{
    (void)get16(c); /* length of the list, of which the first entry is taken */
    unsigned kind = get8(c), n = get16(c);
    const uint8_t *name = skip(c, n);
    size_t at = 0;
    return name && kind == 0 && n > 0 && keep_name(host, &at, name, n);
}

bool sdw_hints_tls_name(const uint8_t *p, size_t n, char host[SDW_DPI_HOST], bool *tls)
{
    enum { HANDSHAKE = 22, CLIENT_HELLO = 1, SERVER_NAME = 0 };
    struct cursor c = {p, n, false};
    host[0] = 0;
    unsigned type = get8(&c), major = get8(&c);
    (void)get8(&c);
    (void)get16(&c);
    *tls = !c.bad && type == HANDSHAKE && major == 3;
    if (!*tls || get8(&c) != CLIENT_HELLO)
        return false;
    (void)skip(&c, 3 + 2 + 32); /* length, version, random */
    (void)skip(&c, get8(&c));   /* session */
    (void)skip(&c, get16(&c));  /* ciphers */
    (void)skip(&c, get8(&c));   /* compression */
    (void)get16(&c);            /* length of the extensions, which may go on in the next segment */
    while (!c.bad && c.n > 0) {
        unsigned extension = get16(&c), length = get16(&c);
        const uint8_t *body = skip(&c, length);
        struct cursor inner = {body, body ? length : 0, !body};
        if (body && extension == SERVER_NAME)
            return server_name(&inner, host);
    }
    return false;
}

/* A name of DNS, uncompressed (a question has nothing to point to). */
static bool question(struct cursor *c, char host[SDW_DPI_HOST])
{
    size_t at = 0;
    for (;;) {
        unsigned n = get8(c);
        if (c->bad || n > 63)
            return false;
        if (n == 0)
            return at > 0;
        const uint8_t *label = skip(c, n);
        if (!label || (at > 0 && !keep_name(host, &at, (const uint8_t *)".", 1)) ||
            !keep_name(host, &at, label, n))
            return false;
    }
}

static void skip_name(struct cursor *c)
{
    for (;;) {
        unsigned n = get8(c);
        if (c->bad || n == 0)
            return;
        if (n >= 0xc0) {
            (void)get8(c);
            return;
        }
        (void)skip(c, n);
    }
}

bool sdw_hints_dns(const uint8_t *p, size_t n, char host[SDW_DPI_HOST],
                   void (*answer)(void *arg, const uint8_t *address, size_t bytes), void *arg)
{
    enum { A = 1, AAAA = 28, IN = 1, RESPONSE = 0x8000, OPCODE = 0x7800, RCODE = 0xf };
    struct cursor c = {p, n, false};
    host[0] = 0;
    (void)get16(&c);
    unsigned flags = get16(&c), questions = get16(&c), answers = get16(&c);
    (void)skip(&c, 4);
    if (c.bad || questions != 1 || (flags & OPCODE) || !question(&c, host))
        return false;
    (void)skip(&c, 4); /* type, class */
    if (c.bad)
        return false;
    for (; answer && (flags & RESPONSE) && !(flags & RCODE) && answers > 0 && !c.bad; answers--) {
        skip_name(&c);
        unsigned type = get16(&c), class = get16(&c);
        (void)skip(&c, 4); /* time to live */
        unsigned length = get16(&c);
        const uint8_t *data = skip(&c, length);
        if (data && class == IN && ((type == A && length == 4) || (type == AAAA && length == 16)))
            answer(arg, data, length);
    }
    return true;
}

bool sdw_hints_quic(const uint8_t *p, size_t n)
{
    enum { LONG = 0x80, FIXED = 0x40, CONNECTION_ID_MOST = 20 };
    return n >= 7 && (p[0] & (LONG | FIXED)) == (LONG | FIXED) && sdw_get32(p + 1) != 0 &&
           p[5] <= CONNECTION_ID_MOST;
}
