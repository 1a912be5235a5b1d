#include "net/sockets.h"
#include "core/map.h"
#include "core/mem.h"
#include "net/hints.h"
#include "rec/flow.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>

enum {
    IPV4_TCP = 40, /* bytes of headers */
    IPV6_TCP = 60,
    TIMESTAMPS = 1, /* TCPI_OPT_TIMESTAMPS */
    TIMESTAMPS_BYTES = 12,
};

/* A connection that is followed; cookie 0: free. */
struct entry {
    uint64_t cookie;
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
    uint8_t version;
    uint64_t out, in; /* IP bytes when it was told last */
    uint64_t base;    /* both, when it was first seen */
    uint32_t segments_out, segments_in;
    uint32_t cycle; /* in which it was seen last */
    bool from_here; /* this end opened it */
    int64_t first_us, told_us;
    float peak_bps;
};

struct sdw_sockets {
    struct sdw_sockets_config config;
    struct entry *entries; /* entries[cap], open addressing by cookie */
    size_t n, cap;
    uint64_t dropped;
    size_t looked; /* connections in the last look */
    uint32_t cycle;
    bool first; /* in the first look */
    int64_t ts;
    uint8_t listened[65536 / 8];
    struct sdw_flow_rec rec;
    char id[17], src[SDW_ADDRMASK_TEXT], dst[SDW_ADDRMASK_TEXT];
};

struct sdw_sockets *sdw_sockets_new(const struct sdw_sockets_config *config)
{
    struct sdw_sockets *sockets = sdw_xalloc(sizeof *sockets);
    sockets->config = *config;
    sockets->cap = 1024;
    sockets->entries = sdw_xalloc(sockets->cap * sizeof *sockets->entries);
    return sockets;
}

void sdw_sockets_free(struct sdw_sockets *sockets)
{
    if (!sockets)
        return;
    free(sockets->entries);
    free(sockets);
}

/* The kernel counts cookies up: their order is spread by a multiplication. */
static size_t home(const struct sdw_sockets *sockets, uint64_t cookie)
{
    return (size_t)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (sockets->cap - 1);
}

/* The entry of a cookie, or the free place for it. */
static struct entry *find(const struct sdw_sockets *sockets, uint64_t cookie)
{
    size_t at = home(sockets, cookie);
    while (sockets->entries[at].cookie && sockets->entries[at].cookie != cookie)
        at = (at + 1) & (sockets->cap - 1);
    return &sockets->entries[at];
}

static void grow(struct sdw_sockets *sockets)
{
    struct entry *old = sockets->entries;
    size_t had = sockets->cap;
    sockets->cap *= 2;
    sockets->entries = sdw_xalloc(sockets->cap * sizeof *sockets->entries);
    for (size_t i = 0; i < had; i++)
        if (old[i].cookie)
            *find(sockets, old[i].cookie) = old[i];
    free(old);
}

/* Take an entry out and close the gap (Knuth, volume 3, 6.4, algorithm R). */
static void drop(struct sdw_sockets *sockets, struct entry *entry)
{
    size_t mask = sockets->cap - 1, gap = (size_t)(entry - sockets->entries), at = gap;
    for (;;) {
        at = (at + 1) & mask;
        const struct entry *next = &sockets->entries[at];
        if (!next->cookie)
            break;
        if (((at - home(sockets, next->cookie)) & mask) >= ((at - gap) & mask)) {
            sockets->entries[gap] = *next;
            gap = at;
        }
    }
    sockets->entries[gap] = (struct entry){0};
    sockets->n--;
}

static uint64_t ip_bytes(const struct sdw_sockdiag_socket *socket, uint64_t payload,
                         uint32_t segments)
{
    uint64_t header = socket->version == 4 ? IPV4_TCP : IPV6_TCP;
    if (socket->info.tcpi_options & TIMESTAMPS)
        header += TIMESTAMPS_BYTES;
    return payload + segments * header;
}

static void put_hex(uint64_t value, char out[17])
{
    for (int i = 16; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
    out[16] = '\0';
}

static const char *app_of(const struct sdw_sockets *sockets, const struct entry *entry)
{
    bool from_here = entry->from_here;
    struct sdw_appmap_flow flow = {.src = from_here ? entry->local : entry->remote,
                                   .dst = from_here ? entry->remote : entry->local,
                                   .sport = from_here ? entry->local_port : entry->remote_port,
                                   .dport = from_here ? entry->remote_port : entry->local_port,
                                   .version = entry->version,
                                   .protocol = IPPROTO_TCP,
                                   .host = ""};
    const char *app = sdw_appmap_find(sockets->config.map, &flow);
    struct sdw_dpi_label label;
    if (app)
        return app;
    sdw_hints_ports(IPPROTO_TCP, flow.sport, flow.dport, &label);
    return label.confidence == SDW_DPI_UNKNOWN ? NULL : label.app;
}

/* Who talks to whom; all else is absent. */
static void put_who(struct sdw_sockets *sockets, const struct entry *entry)
{
    struct sdw_flow_rec *rec = &sockets->rec;
    const struct sdw_addrmask *mask = &sockets->config.mask;
    const uint8_t *src = entry->from_here ? entry->local : entry->remote;
    const uint8_t *dst = entry->from_here ? entry->remote : entry->local;
    *rec = sdw_flow_rec_none;
    put_hex(sdw_hash(&entry->cookie, sizeof entry->cookie, sockets->config.id_key), sockets->id);
    rec->ts = sockets->ts;
    rec->flow_id = (struct sdw_str){sockets->id, 16};
    rec->src = sdw_str_of(sdw_addrmask_show(mask, entry->version, src, sockets->src));
    rec->dst = sdw_str_of(sdw_addrmask_show(mask, entry->version, dst, sockets->dst));
    rec->sport = entry->from_here ? entry->local_port : entry->remote_port;
    rec->dport = entry->from_here ? entry->remote_port : entry->local_port;
    rec->protocol = (struct sdw_str){"tcp", 3};
    rec->app = sdw_str_of(app_of(sockets, entry));
}

/* What the kernel knows of the way out: in the members of this end's direction. */
static void put_tcp(struct sdw_flow_rec *rec, const struct sdw_sockdiag_socket *socket,
                    bool from_here)
{
    const struct tcp_info *info = &socket->info;
    double rtt = info->tcpi_rtt ? (double)info->tcpi_rtt : NAN;
    int64_t least = info->tcpi_min_rtt == 0 || info->tcpi_min_rtt == UINT32_MAX
                        ? SDW_NO_INT
                        : (int64_t)info->tcpi_min_rtt;
    *(from_here ? &rec->rtt_fwd_us : &rec->rtt_rev_us) = rtt;
    *(from_here ? &rec->rtt_fwd_min_us : &rec->rtt_rev_min_us) = least;
    rec->rtt_min_us = least;
    *(from_here ? &rec->retransmitted_fwd : &rec->retransmitted_rev) = info->tcpi_total_retrans;
    *(from_here ? &rec->retransmitted_bytes_fwd : &rec->retransmitted_bytes_rev) =
        (int64_t)info->tcpi_bytes_retrans;
    *(from_here ? &rec->reordered_fwd : &rec->reordered_rev) = info->tcpi_reord_seen;
    *(from_here ? &rec->window_fwd_bytes : &rec->window_rev_bytes) = info->tcpi_snd_wnd;
    rec->tcp_confidence = (struct sdw_str){"high", 4};
}

/* As they were told last. */
static void put_counts(struct sdw_flow_rec *rec, const struct entry *entry)
{
    bool from_here = entry->from_here;
    rec->packets_fwd = from_here ? entry->segments_out : entry->segments_in;
    rec->packets_rev = from_here ? entry->segments_in : entry->segments_out;
    rec->bytes_fwd = (int64_t)(from_here ? entry->out : entry->in);
    rec->bytes_rev = (int64_t)(from_here ? entry->in : entry->out);
}

/* Rates since it was told last, and over all of its time. */
static void put_rates(struct sdw_flow_rec *rec, struct entry *entry, uint64_t since, int64_t ts)
{
    if (ts > entry->told_us) {
        rec->current_bps = (double)since * 8e6 / (double)(ts - entry->told_us);
        if (rec->current_bps > (double)entry->peak_bps)
            entry->peak_bps = (float)rec->current_bps;
        rec->peak_bps = (double)entry->peak_bps;
    }
    rec->duration_us = ts - entry->first_us;
    if (rec->duration_us > 0)
        rec->average_bps =
            (double)(entry->out + entry->in - entry->base) * 8e6 / (double)rec->duration_us;
}

/* Take over its counts; returns by how many bytes they grew. */
static uint64_t settle(struct entry *entry, const struct sdw_sockdiag_socket *socket)
{
    uint64_t before = entry->out + entry->in;
    entry->out = ip_bytes(socket, socket->info.tcpi_bytes_sent, socket->info.tcpi_segs_out);
    entry->in = ip_bytes(socket, socket->info.tcpi_bytes_received, socket->info.tcpi_segs_in);
    entry->segments_out = socket->info.tcpi_segs_out;
    entry->segments_in = socket->info.tcpi_segs_in;
    return entry->out + entry->in - before;
}

static bool opened_here(const struct sdw_sockets *sockets, const struct sdw_sockdiag_socket *socket)
{
    return !(sockets->listened[socket->local_port / 8] >> socket->local_port % 8 & 1);
}

static struct entry entry_of(const struct sdw_sockets *sockets,
                             const struct sdw_sockdiag_socket *socket)
{
    struct entry entry = {.cookie = socket->cookie,
                          .local_port = socket->local_port,
                          .remote_port = socket->remote_port,
                          .version = socket->version,
                          .cycle = sockets->cycle,
                          .from_here = opened_here(sockets, socket),
                          .first_us = sockets->ts,
                          .told_us = sockets->ts};
    memcpy(entry.local, socket->local, sizeof entry.local);
    memcpy(entry.remote, socket->remote, sizeof entry.remote);
    return entry;
}

/* Begin to follow a connection. What was there at the first look was under way; what came later
 * counts from its beginning. NULL: there are too many. */
static struct entry *begin(struct sdw_sockets *sockets, const struct sdw_sockdiag_socket *socket)
{
    if (sockets->n >= sockets->config.max_flows)
        return NULL;
    if (4 * (sockets->n + 1) > 3 * sockets->cap)
        grow(sockets);
    struct entry *entry = find(sockets, socket->cookie);
    *entry = entry_of(sockets, socket);
    if (sockets->first)
        entry->base = settle(entry, socket);
    sockets->n++;
    return entry;
}

static int say(struct sdw_sockets *sockets, const struct sdw_schema *schema)
{
    return sockets->config.say(sockets->config.arg, schema, &sockets->rec);
}

static int say_new(struct sdw_sockets *sockets, const struct entry *entry)
{
    put_who(sockets, entry);
    sockets->rec.midflow = sockets->first;
    return say(sockets, &sdw_flow_new_schema);
}

static int say_state(struct sdw_sockets *sockets, const struct sdw_schema *schema,
                     const struct sdw_sockdiag_socket *socket, struct entry *entry)
{
    uint64_t since = settle(entry, socket);
    put_who(sockets, entry);
    put_counts(&sockets->rec, entry);
    put_tcp(&sockets->rec, socket, entry->from_here);
    put_rates(&sockets->rec, entry, since, sockets->ts);
    entry->told_us = sockets->ts;
    if (schema == &sdw_flow_end_schema)
        sockets->rec.reason = sdw_str_of("closed");
    return say(sockets, schema);
}

/* Note which ports are listened on; true when that is all there is to a socket. */
static bool only_listens(struct sdw_sockets *sockets, const struct sdw_sockdiag_socket *socket)
{
    if (socket->listens)
        sockets->listened[socket->local_port / 8] |= (uint8_t)(1U << socket->local_port % 8);
    return socket->listens;
}

static int see(const struct sdw_sockdiag_socket *socket, void *arg)
{
    struct sdw_sockets *sockets = arg;
    if (only_listens(sockets, socket))
        return 0;
    sockets->looked++;
    struct entry *entry = find(sockets, socket->cookie);
    bool fresh = !entry->cookie;
    if (fresh && !(entry = begin(sockets, socket))) {
        sockets->dropped++;
        return 0;
    }
    int code = fresh ? say_new(sockets, entry) : 0;
    entry->cycle = sockets->cycle;
    bool moved = entry->segments_out != socket->info.tcpi_segs_out ||
                 entry->segments_in != socket->info.tcpi_segs_in;
    if (code == 0 && (fresh || moved || sockets->ts - entry->told_us >= sockets->config.active_us))
        code = say_state(sockets, &sdw_flow_update_schema, socket, entry);
    return code;
}

/* What was not seen in this look closed without our being told: its last counts are those that
 * were told before. */
static int end_unseen(struct sdw_sockets *sockets)
{
    int code = 0;
    for (size_t i = 0; i < sockets->cap && code == 0;) {
        struct entry *entry = &sockets->entries[i];
        if (!entry->cookie || entry->cycle == sockets->cycle) {
            i++;
            continue;
        }
        put_who(sockets, entry);
        put_counts(&sockets->rec, entry);
        put_rates(&sockets->rec, entry, 0, sockets->ts);
        sockets->rec.current_bps = NAN;
        sockets->rec.reason = sdw_str_of("closed");
        code = say(sockets, &sdw_flow_end_schema);
        drop(sockets, entry); /* another may have moved to this place */
    }
    return code;
}

int sdw_sockets_cycle(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                      struct sdw_err *err)
{
    sockets->ts = ts;
    sockets->cycle++;
    sockets->looked = 0;
    memset(sockets->listened, 0, sizeof sockets->listened);
    sockets->first = sockets->cycle == 1;
    int code = sdw_sockdiag_dump(diag, see, sockets, err);
    sockets->first = false;
    return code == 0 ? end_unseen(sockets) : code;
}

/* A socket that closed between two looks may never have been seen open. */
static int see_closed(const struct sdw_sockdiag_socket *socket, void *arg)
{
    struct sdw_sockets *sockets = arg;
    struct entry *entry = find(sockets, socket->cookie);
    int code = 0;
    if (socket->remote_port == 0)
        return 0;
    if (!entry->cookie) {
        if (!(entry = begin(sockets, socket))) {
            sockets->dropped++;
            return 0;
        }
        code = say_new(sockets, entry);
    }
    if (code == 0)
        code = say_state(sockets, &sdw_flow_end_schema, socket, entry);
    drop(sockets, entry);
    return code;
}

int sdw_sockets_closed(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                       struct sdw_err *err)
{
    sockets->ts = ts;
    return sdw_sockdiag_closed(diag, see_closed, sockets, err);
}

static int see_once(const struct sdw_sockdiag_socket *socket, void *arg)
{
    struct sdw_sockets *sockets = arg;
    if (only_listens(sockets, socket))
        return 0;
    sockets->looked++;
    struct entry entry = entry_of(sockets, socket);
    return say_state(sockets, &sdw_flow_update_schema, socket, &entry);
}

int sdw_sockets_once(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                     struct sdw_err *err)
{
    sockets->ts = ts;
    sockets->looked = 0;
    return sdw_sockdiag_dump(diag, see_once, sockets, err);
}

size_t sdw_sockets_count(const struct sdw_sockets *sockets)
{
    return sockets->looked;
}

uint64_t sdw_sockets_dropped(const struct sdw_sockets *sockets)
{
    return sockets->dropped;
}
