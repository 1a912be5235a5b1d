#include "net/appmap.h"
#include "core/buf.h"
#include "core/ip.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/num.h"
#include "net/dpi.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const sdw_sensitivities[] = {"low", "medium", "high", NULL};

/* Who waits: people in a conversation or at a console, then people before a page, then nobody.
 * Names are those of libndpi's categories; what is not here is medium. */
static const struct {
    const char *category;
    enum sdw_sensitivity sensitivity;
} ours[] = {
    {"VoIP", SDW_SENSITIVITY_HIGH},          {"Game", SDW_SENSITIVITY_HIGH},
    {"RemoteAccess", SDW_SENSITIVITY_HIGH},  {"IoT-Scada", SDW_SENSITIVITY_HIGH},
    {"VirtAssistant", SDW_SENSITIVITY_HIGH}, {"Network", SDW_SENSITIVITY_HIGH},
    {"Email", SDW_SENSITIVITY_LOW},          {"DataTransfer", SDW_SENSITIVITY_LOW},
    {"Download", SDW_SENSITIVITY_LOW},       {"SoftwareUpdate", SDW_SENSITIVITY_LOW},
    {"FileSharing", SDW_SENSITIVITY_LOW},    {"Advertisement", SDW_SENSITIVITY_LOW},
    {"Mining", SDW_SENSITIVITY_LOW},         {"Malware", SDW_SENSITIVITY_LOW},
    {"ConnCheck", SDW_SENSITIVITY_LOW},
};

enum { FILE_MOST = 16 * 1024 * 1024, WORDS = 4, NO_RULE = 0 };

struct net_rule {
    struct sdw_ip net;
    uint32_t rule;
};

struct port_rule {
    uint16_t first, last;
    uint8_t protocol; /* 0: TCP and UDP */
    uint32_t rule;
};

/* Rules are numbered from 1 in the order of the file. Maps hold numbers as pointers. */
struct sdw_appmap {
    char **apps; /* apps[rule - 1] */
    size_t n_rules, cap_rules;
    struct sdw_map names;               /* suffix -> rule */
    struct sdw_map of_app, of_category; /* -> sensitivity + 1 */
    struct net_rule *nets;
    size_t n_nets, cap_nets;
    struct port_rule *ports;
    size_t n_ports, cap_ports;
};

struct sdw_appmap *sdw_appmap_new(void)
{
    struct sdw_appmap *map = sdw_xalloc(sizeof *map);
    sdw_map_init(&map->names, (uintptr_t)map);
    sdw_map_init(&map->of_app, (uintptr_t)map);
    sdw_map_init(&map->of_category, (uintptr_t)map);
    for (size_t i = 0; i < SDW_LEN(ours); i++)
        *sdw_map_at(&map->of_category, sdw_str_of(ours[i].category)) =
            (void *)(uintptr_t)(ours[i].sensitivity + 1);
    return map;
}

void sdw_appmap_free(struct sdw_appmap *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->n_rules; i++)
        free(map->apps[i]);
    free(map->apps);
    free(map->nets);
    free(map->ports);
    sdw_map_release(&map->names);
    sdw_map_release(&map->of_app);
    sdw_map_release(&map->of_category);
    free(map);
}

static int bad(struct sdw_err *err, const char *what, struct sdw_str word)
{
    return sdw_err_set(err, SDW_EUSAGE, "%s: %.*s", what, (int)(word.n < 64 ? word.n : 64), word.p);
}

static int read_sensitivity(struct sdw_map *map, struct sdw_str key, struct sdw_str word,
                            struct sdw_err *err)
{
    for (uintptr_t i = 0; sdw_sensitivities[i]; i++)
        if (sdw_str_is(word, sdw_sensitivities[i])) {
            *sdw_map_at(map, key) = (void *)(i + 1);
            return 0;
        }
    return bad(err, "a sensitivity is high, medium or low", word);
}

/* A suffix in lower case without leading dot or star; the first rule about it stays. */
static int read_name(struct sdw_appmap *map, struct sdw_str word, uint32_t rule,
                     struct sdw_err *err)
{
    char name[256];
    while (word.n > 0 && (*word.p == '.' || *word.p == '*'))
        word = (struct sdw_str){word.p + 1, word.n - 1};
    if (word.n == 0 || word.n >= sizeof name)
        return bad(err, "not a name", word);
    for (size_t i = 0; i < word.n; i++)
        name[i] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + 32 : word.p[i]);
    void **place = sdw_map_at(&map->names, (struct sdw_str){name, word.n});
    if (!*place)
        *place = (void *)(uintptr_t)rule;
    return 0;
}

static bool take_prefix(struct sdw_str *word, const char *prefix)
{
    size_t n = strlen(prefix);
    if (word->n < n || memcmp(word->p, prefix, n) != 0)
        return false;
    *word = (struct sdw_str){word->p + n, word->n - n};
    return true;
}

static int read_port(struct sdw_appmap *map, struct sdw_str word, uint32_t rule,
                     struct sdw_err *err)
{
    struct sdw_str whole = word;
    struct port_rule port = {.rule = rule};
    if (take_prefix(&word, "tcp/"))
        port.protocol = IPPROTO_TCP;
    else if (take_prefix(&word, "udp/"))
        port.protocol = IPPROTO_UDP;
    const char *dash = memchr(word.p, '-', word.n);
    struct sdw_str first = {word.p, dash ? (size_t)(dash - word.p) : word.n};
    struct sdw_str last = dash ? (struct sdw_str){dash + 1, word.n - first.n - 1} : first;
    int64_t from, to;
    if (!sdw_num_int(first, &from) || !sdw_num_int(last, &to) || from < 1 || to > 65535 ||
        from > to)
        return bad(err, "not a port or range of ports", whole);
    port.first = (uint16_t)from;
    port.last = (uint16_t)to;
    SDW_GROW(map->ports, map->cap_ports, map->n_ports + 1);
    map->ports[map->n_ports++] = port;
    return 0;
}

static int read_net(struct sdw_appmap *map, struct sdw_str word, uint32_t rule, struct sdw_err *err)
{
    struct net_rule net = {.rule = rule};
    if (!sdw_ip_parse(word, &net.net))
        return bad(err, "not an address or prefix", word);
    net.net = sdw_ip_network(net.net);
    SDW_GROW(map->nets, map->cap_nets, map->n_nets + 1);
    map->nets[map->n_nets++] = net;
    return 0;
}

typedef int read_match(struct sdw_appmap *map, struct sdw_str word, uint32_t rule,
                       struct sdw_err *err);

static const struct {
    const char *word;
    read_match *read;
} matches[] = {{"name", read_name}, {"port", read_port}, {"net", read_net}};

/* A rule that gives an application: word[1] is what it matches, word[2] the application. */
static int read_rule(struct sdw_appmap *map, read_match *read, const struct sdw_str *word, size_t n,
                     struct sdw_err *err)
{
    if (n < 3)
        return sdw_err_set(err, SDW_EUSAGE, "the application is missing");
    if (n > 4)
        return bad(err, "more than a rule has", word[4]);
    int code = read(map, word[1], (uint32_t)map->n_rules + 1, err);
    if (code == 0 && n == 4)
        code = read_sensitivity(&map->of_app, word[2], word[3], err);
    if (code == 0) {
        SDW_GROW(map->apps, map->cap_rules, map->n_rules + 1);
        map->apps[map->n_rules++] = sdw_xstrndup(word[2].p, word[2].n);
    }
    return code;
}

static int read_line(struct sdw_appmap *map, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_str word[WORDS + 1] = {{NULL, 0}};
    size_t n = 0;
    for (size_t i = 0; i < line.n && line.p[i] != '#' && n <= WORDS;) {
        size_t from = i;
        while (i < line.n && !strchr(" \t\r#", line.p[i]))
            i++;
        if (i > from)
            word[n++] = (struct sdw_str){line.p + from, i - from};
        else
            i++;
    }
    if (n == 0)
        return 0;
    bool app = sdw_str_is(word[0], "app"), category = sdw_str_is(word[0], "category");
    if (app || category)
        return n == 3
                   ? read_sensitivity(app ? &map->of_app : &map->of_category, word[1], word[2], err)
                   : sdw_err_set(err, SDW_EUSAGE, "give a name and high, medium or low");
    for (size_t i = 0; i < SDW_LEN(matches); i++)
        if (sdw_str_is(word[0], matches[i].word))
            return read_rule(map, matches[i].read, word, n, err);
    return bad(err, "neither name, port, net, app nor category", word[0]);
}

int sdw_appmap_read(struct sdw_appmap *map, struct sdw_str text, struct sdw_err *err)
{
    uint64_t number = 0;
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        struct sdw_str line = {text.p, end ? (size_t)(end - text.p) : text.n};
        size_t step = end ? line.n + 1 : line.n;
        number++;
        int code = read_line(map, line, err);
        if (code < 0) {
            if (err)
                err->line = number;
            return code;
        }
        text = (struct sdw_str){text.p + step, text.n - step};
    }
    return 0;
}

int sdw_appmap_load(struct sdw_appmap *map, const char *path, struct sdw_err *err)
{
    struct sdw_buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sdw_err_sys(err, "%s", path);
    ssize_t got;
    do {
        sdw_buf_reserve(&text, 65536);
        got = read(fd, text.p + text.n, 65536);
        text.n += got > 0 ? (size_t)got : 0;
    } while (got > 0 && text.n <= FILE_MOST);
    int code = got < 0              ? sdw_err_sys(err, "%s", path)
               : text.n > FILE_MOST ? sdw_err_set(err, SDW_EUSAGE, "%s: larger than 16 MiB", path)
                                    : sdw_appmap_read(map, sdw_buf_view(&text), err);
    close(fd);
    sdw_buf_release(&text);
    return code;
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
    return a == NO_RULE || (b != NO_RULE && b < a) ? b : a;
}

static uint32_t find_name(const struct sdw_appmap *map, const char *host)
{
    uint32_t rule = NO_RULE;
    while (*host) {
        void *found = sdw_map_get(&map->names, sdw_str_of(host));
        rule = earlier(rule, (uint32_t)(uintptr_t)found);
        const char *dot = strchr(host, '.');
        if (!dot)
            break;
        host = dot + 1;
    }
    return rule;
}

static bool within(const struct sdw_ip *net, const uint8_t *address)
{
    size_t whole = net->length / 8;
    unsigned rest = net->length % 8;
    return memcmp(net->bytes, address, whole) == 0 &&
           (rest == 0 || ((net->bytes[whole] ^ address[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

const char *sdw_appmap_find(const struct sdw_appmap *map, const struct sdw_appmap_flow *flow)
{
    uint8_t family = flow->version == 4 ? AF_INET : AF_INET6;
    uint32_t rule = map->names.n && flow->host ? find_name(map, flow->host) : NO_RULE;
    for (size_t i = 0; i < map->n_ports; i++) {
        const struct port_rule *port = &map->ports[i];
        if ((port->protocol ? flow->protocol == port->protocol
                            : flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) &&
            ((flow->dport >= port->first && flow->dport <= port->last) ||
             (flow->sport >= port->first && flow->sport <= port->last))) {
            rule = earlier(rule, port->rule);
            break;
        }
    }
    for (size_t i = 0; i < map->n_nets; i++) {
        const struct net_rule *net = &map->nets[i];
        if (net->net.family == family &&
            (within(&net->net, flow->dst) || within(&net->net, flow->src))) {
            rule = earlier(rule, net->rule);
            break;
        }
    }
    return rule == NO_RULE ? NULL : map->apps[rule - 1];
}

bool sdw_appmap_by_name(const struct sdw_appmap *map)
{
    return map->names.n > 0;
}

enum sdw_sensitivity sdw_appmap_sensitivity(const struct sdw_appmap *map, const char *app,
                                            const char *category)
{
    void *found = sdw_map_get(&map->of_app, sdw_str_of(app));
    if (!found)
        found = sdw_map_get(&map->of_category, sdw_str_of(category));
    return found ? (enum sdw_sensitivity)((uintptr_t)found - 1) : SDW_SENSITIVITY_MEDIUM;
}
