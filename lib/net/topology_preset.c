#include "io/line.h"
#include "net/topology.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_HOPS 60

/* Everything a preset adds is well formed by construction, except what the sizes decide; errors
 * still travel. */
struct builder {
    struct sdw_topology *topology;
    const struct sdw_preset *preset;
    struct sdw_err *err;
    int code; /* the first failure; nothing is added after it */
};

static struct sdw_lab_node *node(struct builder *b, const char *name, bool router)
{
    struct sdw_lab_node *made = NULL;
    if (b->code == 0)
        b->code = sdw_topology_node(b->topology, name, router, &made, b->err);
    return made;
}

static struct sdw_lab_link *link_of(struct builder *b, const char *from, const char *to)
{
    struct sdw_lab_link *made = NULL;
    if (b->code == 0)
        b->code = sdw_topology_link(b->topology, from, to, &made, b->err);
    return made;
}

static void addr(struct builder *b, struct sdw_lab_node *at, const char *text)
{
    if (b->code == 0)
        b->code = sdw_topology_addr(at, sdw_str_of(text), b->err);
}

static void pin(struct builder *b, struct sdw_lab_node *at, const char *to, const char *via,
                uint32_t priority)
{
    if (b->code == 0)
        b->code = sdw_topology_pin(at, to, via, priority, b->err);
}

/* Shape a link from its first node to its second. */
static void shape(struct builder *b, struct sdw_lab_link *link, double rate_bps, double nominal_bps,
                  double loss)
{
    if (b->code < 0 || !link)
        return;
    link->end[0].rate_bps = rate_bps;
    link->end[0].buffer_bytes = (int64_t)(rate_bps / 8 * (double)b->preset->buffer_us / 1e6);
    link->end[0].loss_share = loss;
    link->burst_bytes = b->preset->burst_bytes;
    link->nominal_bps = nominal_bps;
    link->htb = b->preset->htb;
}

/* Every preset has its source at 10.8.0.2 and fd08::2, its destination at 10.9.0.2 and fd09::2. */
static void add_source(struct builder *b, const char *name)
{
    struct sdw_lab_node *source = node(b, name, false);
    addr(b, source, "10.8.0.2/24");
    addr(b, source, "fd08::2/64");
}

static struct sdw_lab_node *add_destination(struct builder *b, const char *name)
{
    struct sdw_lab_node *destination = node(b, name, false);
    addr(b, destination, "10.9.0.2/24");
    addr(b, destination, "fd09::2/64");
    return destination;
}

/* The name of hop k of a chain: 0 is the client, the one after the last router the server. */
static const char *hop_name(const struct sdw_preset *preset, int64_t k, char out[SDW_NODE_NAME])
{
    if (k == 0)
        return "c";
    if (k > preset->hops)
        return "s";
    snprintf(out, SDW_NODE_NAME, "r%d", (int)k);
    return out;
}

static int check_chain(const struct sdw_preset *preset, int64_t first, struct sdw_err *err)
{
    if (preset->hops < 1 || preset->hops > MAX_HOPS)
        return sdw_err_set(err, SDW_EUSAGE, "--hops %lld: from 1 to %d", (long long)preset->hops,
                           MAX_HOPS);
    if (preset->bottleneck < first || preset->bottleneck > preset->hops + 1)
        return sdw_err_set(err, SDW_EUSAGE, "--bottleneck %lld: from %lld to %lld with %lld hops",
                           (long long)preset->bottleneck, (long long)first,
                           (long long)preset->hops + 1, (long long)preset->hops);
    return 0;
}

/* c - r1 ... rN - s; link k leads into hop k. Stub host xK at each router carries cross traffic
 * that enters just before a link and leaves just after it. narrow_hop 0: none. */
static void build_chain(struct builder *b, int64_t narrow_hop)
{
    const struct sdw_preset *preset = b->preset;
    char from[SDW_NODE_NAME], to[SDW_NODE_NAME];
    add_source(b, "c");
    for (int64_t k = 1; k <= preset->hops; k++)
        node(b, hop_name(preset, k, to), true);
    add_destination(b, "s");
    for (int64_t k = 1; k <= preset->hops + 1; k++) {
        struct sdw_lab_link *link =
            link_of(b, hop_name(preset, k - 1, from), hop_name(preset, k, to));
        if (k == preset->bottleneck && preset->rate_bps > 0)
            shape(b, link, preset->rate_bps, preset->nominal_bps, preset->loss_share);
        else if (k == narrow_hop)
            shape(b, link, preset->narrow_bps, preset->narrow_bps, 0);
    }
    for (int64_t k = 1; k <= preset->hops; k++) {
        char stub[SDW_NODE_NAME];
        snprintf(stub, sizeof stub, "x%d", (int)k);
        node(b, stub, false);
        link_of(b, hop_name(preset, k, from), stub);
    }
}

static void build_plain_chain(struct builder *b)
{
    b->code = check_chain(b->preset, 1, b->err);
    build_chain(b, 0);
}

static void build_trap(struct builder *b)
{
    b->code = check_chain(b->preset, 2, b->err);
    build_chain(b, b->preset->bottleneck - 1);
}

/* s - r1 =(p | b)= r2 - d. The live prefixes take the primary by p, the standby by b is a route
 * of lower preference. 10.9.101.1 and fd09:101::1 always go by p, 10.9.102.1 and fd09:102::1
 * by b, so that both paths can be probed whatever the live traffic does. */
static void build_diamond(struct builder *b)
{
    static const char *const by_p[] = {"10.9.101.0/24", "fd09:101::/64"};
    static const char *const by_b[] = {"10.9.102.0/24", "fd09:102::/64"};
    static const char *const live[] = {"10.9.0.0/24", "fd09::/64"};
    const struct sdw_preset *preset = b->preset;
    double nominal = preset->nominal_bps > 0 ? preset->nominal_bps : preset->rate_bps;
    double standby = preset->standby_bps > 0 ? preset->standby_bps : nominal;
    add_source(b, "s");
    struct sdw_lab_node *r1 = node(b, "r1", true);
    for (size_t i = 0; i < 2 && b->code == 0; i++) {
        pin(b, r1, by_p[i], "p", 0);
        pin(b, r1, by_b[i], "b", 0);
        pin(b, r1, live[i], "b", 2000); /* behind 1024, the kernel's default for IPv6 */
    }
    node(b, "p", true);
    node(b, "b", true);
    node(b, "r2", true);
    struct sdw_lab_node *d = add_destination(b, "d");
    addr(b, d, "10.9.101.1/24");
    addr(b, d, "fd09:101::1/64");
    addr(b, d, "10.9.102.1/24");
    addr(b, d, "fd09:102::1/64");
    link_of(b, "s", "r1");
    shape(b, link_of(b, "r1", "p"), preset->rate_bps, nominal, preset->loss_share);
    link_of(b, "p", "r2");
    struct sdw_lab_link *second = link_of(b, "r1", "b");
    shape(b, second, standby, standby, preset->standby_loss);
    if (b->code == 0)
        second->metric = 2;
    second = link_of(b, "b", "r2");
    if (b->code == 0)
        second->metric = 2;
    link_of(b, "r2", "d");
}

/* c - r1 = e1 | .. | eW = r2 - s at equal cost; the bottleneck is on one branch. */
static void build_ecmp(struct builder *b)
{
    const struct sdw_preset *preset = b->preset;
    if (preset->width < 2 || preset->width > 4)
        b->code =
            sdw_err_set(b->err, SDW_EUSAGE, "--width %lld: from 2 to 4", (long long)preset->width);
    else if (preset->bottleneck < 1 || preset->bottleneck > preset->width)
        b->code = sdw_err_set(b->err, SDW_EUSAGE, "--bottleneck %lld: a branch from 1 to %lld",
                              (long long)preset->bottleneck, (long long)preset->width);
    add_source(b, "c");
    node(b, "r1", true);
    node(b, "r2", true);
    add_destination(b, "s");
    link_of(b, "c", "r1");
    for (int64_t k = 1; k <= preset->width; k++) {
        char branch[SDW_NODE_NAME];
        snprintf(branch, sizeof branch, "e%d", (int)k);
        node(b, branch, true);
        struct sdw_lab_link *in = link_of(b, "r1", branch);
        if (k == preset->bottleneck && preset->rate_bps > 0)
            shape(b, in, preset->rate_bps, preset->nominal_bps, preset->loss_share);
        link_of(b, branch, "r2");
    }
    link_of(b, "r2", "s");
}

static const struct {
    const char *name;
    void (*build)(struct builder *b);
    int64_t bottleneck; /* the usual one */
} presets[] = {
    {"chain", build_plain_chain, 3},
    {"diamond", build_diamond, 1},
    {"trap", build_trap, 4},
    {"ecmp", build_ecmp, 1},
};

static long find_preset(const char *name)
{
    for (size_t i = 0; i < SDW_LEN(presets); i++)
        if (strcmp(presets[i].name, name) == 0)
            return (long)i;
    return -1;
}

int sdw_topology_preset(struct sdw_topology *topology, const char *name,
                        const struct sdw_preset *preset, struct sdw_err *err)
{
    struct sdw_preset chosen = *preset;
    struct builder builder = {topology, &chosen, err, 0};
    long i = find_preset(name);
    if (i < 0)
        return sdw_err_set(err, SDW_EUSAGE, "%s: not a laboratory: chain, diamond, trap or ecmp",
                           name);
    if (chosen.bottleneck == 0) {
        chosen.bottleneck = presets[i].bottleneck;
        if (chosen.hops > 0 && chosen.bottleneck > chosen.hops + 1)
            chosen.bottleneck = chosen.hops + 1;
    }
    presets[i].build(&builder);
    return builder.code < 0 ? builder.code : sdw_topology_finish(topology, err);
}

static int read_plan(struct sdw_topology *topology, int fd, const char *name, struct sdw_err *err)
{
    struct sdw_str line;
    struct sdw_reader *reader = sdw_reader_new(fd, name);
    int code;
    while ((code = sdw_reader_next(reader, &line, err)) > 0 &&
           (code = sdw_topology_take(topology, line, err)) >= 0)
        ;
    if (code == SDW_EINPUT && err && !err->line)
        err->line = sdw_reader_line(reader);
    sdw_reader_free(reader);
    return code < 0 ? code : sdw_topology_finish(topology, err);
}

int sdw_topology_plan(struct sdw_topology *topology, const char *name,
                      const struct sdw_preset *preset, struct sdw_err *err)
{
    if (find_preset(name) >= 0)
        return sdw_topology_preset(topology, name, preset, err);
    if (strcmp(name, "-") == 0)
        return read_plan(topology, STDIN_FILENO, "standard input", err);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? sdw_err_set(err, SDW_EUSAGE,
                                 "%s: neither a file nor one of chain, diamond, trap, ecmp", name)
                   : sdw_err_sys(err, "%s", name);
    int code = read_plan(topology, fd, name, err);
    close(fd);
    return code;
}
