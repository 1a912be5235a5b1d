#include "net/profile.h"
#include "core/mem.h"
#include "net/flowsay.h"
#include "net/flowtable.h"
#include "net/fragments.h"
#include "net/mirrored.h"
#include "net/tcptrack.h"
#include "rec/end.h"

#include <netinet/in.h>
#include <stdlib.h>

/* Packets are looked at some packets after they came: by then what is kept of their flows has been
 * fetched into the cache. */
enum { AHEAD = 24, FETCH = 8, FETCH_TCP = 16 };
enum { IDLE_TELLS = 64 }; /* flows that are told of at a time when no packets wait */

struct coming {
    struct sdw_packet packet; /* points into bytes */
    struct sdw_flowtable_place place;
    int64_t ts_ns;
    struct sdw_buf bytes;
};

struct sdw_profile {
    struct sdw_profile_config config;
    struct sdw_flowtable *table;
    struct sdw_pool tcp;    /* struct sdw_tcp_track */
    struct sdw_pool outers; /* struct sdw_packet_outer */
    struct sdw_fragments *fragments;
    struct sdw_classify *classify; /* NULL: not asked for */
    struct sdw_profile_counts counts;
    uint64_t told_evicted;
    int64_t tick_ns;  /* when the current interval ends; 0: not started */
    int64_t round_ns; /* when the one ended that is being told of; 0: none */
    int code;
    struct sdw_flowsay say;
    struct coming coming[AHEAD];
    uint64_t came, seen; /* packets of flows, in all */
};

static void say(struct sdw_profile *profile, const struct sdw_schema *schema, const void *rec)
{
    if (profile->code == 0)
        profile->code = profile->config.say(profile->config.arg, schema, rec);
}

static void say_of_apps(void *arg, const struct sdw_schema *schema, const void *rec)
{
    say(arg, schema, rec);
}

/* Who talks to whom, about what. */
static void put_who(struct sdw_profile *profile, const struct sdw_biflow *flow, int64_t now_ns)
{
    sdw_flowsay_who(&profile->say, flow, &profile->config.mask, now_ns);
    if (profile->classify)
        profile->say.rec.app = sdw_str_of(sdw_classify_app(profile->classify, flow));
}

/* What counted since the last record is told now. */
static void settle(struct sdw_profile *profile, struct sdw_biflow *flow)
{
    flow->told[0] = flow->count[0];
    flow->told[1] = flow->count[1];
    flow->peak_bps = profile->say.rec.peak_bps;
    if (flow->tcp) {
        sdw_tcp_rtt_told(&flow->tcp->half[0].rtt);
        sdw_tcp_rtt_told(&flow->tcp->half[1].rtt);
    }
}

static void update(struct sdw_profile *profile, struct sdw_biflow *flow, int64_t span_ns,
                   int64_t now_ns)
{
    if (profile->classify)
        sdw_classify_counted(profile->classify, flow);
    put_who(profile, flow, now_ns);
    sdw_flowsay_counts(&profile->say, flow, span_ns);
    say(profile, &sdw_flow_update_schema, &profile->say.rec);
    settle(profile, flow);
}

static void on_touched(void *arg, struct sdw_biflow *flow, int64_t now_ns)
{
    struct sdw_profile *profile = arg;
    update(profile, flow, profile->config.interval_ns, now_ns);
}

static void on_due(void *arg, struct sdw_biflow *flow, int64_t now_ns)
{
    update(arg, flow, now_ns - flow->told_ns, now_ns);
}

static void on_ended(void *arg, struct sdw_biflow *flow, enum sdw_biflow_reason reason,
                     int64_t now_ns)
{
    struct sdw_profile *profile = arg;
    const struct sdw_profile_config *config = &profile->config;
    if (profile->classify)
        sdw_classify_ended(profile->classify, flow, now_ns);
    put_who(profile, flow, now_ns);
    sdw_flowsay_counts(&profile->say, flow, config->interval_ns);
    profile->say.rec.reason = sdw_str_of(sdw_flowsay_reason(reason));
    say(profile, &sdw_flow_end_schema, &profile->say.rec);
    profile->counts.evicted += reason == SDW_ENDED_EVICTED;
    sdw_tcptrack_free(&profile->tcp, flow->tcp);
    flow->tcp = NULL;
    sdw_pool_give(&profile->outers, flow->outer);
    flow->outer = NULL;
}

struct sdw_profile *sdw_profile_new(const struct sdw_profile_config *config)
{
    struct sdw_profile *profile = sdw_xalloc(sizeof *profile);
    struct sdw_flowtable_config table = {.max_flows = config->max_flows,
                                         .idle_ns = config->idle_ns,
                                         .active_ns = config->active_ns,
                                         .hash_key = config->hash_key,
                                         .id_key = config->id_key,
                                         .ended = on_ended,
                                         .due = on_due,
                                         .touched = on_touched,
                                         .arg = profile};
    profile->config = *config;
    profile->tcp.size = sizeof(struct sdw_tcp_track);
    profile->outers.size = sizeof(struct sdw_packet_outer);
    profile->table = sdw_flowtable_new(&table);
    profile->fragments = sdw_fragments_new(config->hash_key);
    return profile;
}

int sdw_profile_classify(struct sdw_profile *profile, struct sdw_classify_config *config,
                         struct sdw_err *err)
{
    config->say = say_of_apps;
    config->arg = profile;
    return sdw_classify_new(&profile->classify, config, err);
}

void sdw_profile_free(struct sdw_profile *profile)
{
    if (!profile)
        return;
    profile->code = SDW_ESTOP; /* nothing is said any more */
    sdw_flowtable_end(profile->table, SDW_ENDED_EOF, 0);
    sdw_flowtable_free(profile->table);
    sdw_pool_release(&profile->tcp);
    sdw_pool_release(&profile->outers);
    sdw_fragments_free(profile->fragments);
    sdw_classify_free(profile->classify);
    for (size_t i = 0; i < AHEAD; i++)
        sdw_buf_release(&profile->coming[i].bytes);
    free(profile);
}

static void say_evicted(struct sdw_profile *profile, int64_t now_ns)
{
    struct sdw_loss loss;
    uint64_t more = profile->counts.evicted - profile->told_evicted;
    if (more == 0)
        return;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = now_ns / 1000;
    loss.tool = sdw_str_of("shadow-profile");
    loss.where = sdw_str_of("table");
    loss.reason = sdw_str_of("more flows than --max-flows: some ended early");
    loss.records = (int64_t)more;
    profile->told_evicted = profile->counts.evicted;
    say(profile, &sdw_loss_schema, &loss);
}

/* Of the records about applications: they have one even where flows are not updated. */
static int64_t interval_of(const struct sdw_profile *profile)
{
    const struct sdw_profile_config *config = &profile->config;
    return config->interval_ns ? config->interval_ns : config->active_ns;
}

/* Intervals end at whole multiples of their length. */
static int64_t next_tick(const struct sdw_profile *profile, int64_t now_ns)
{
    int64_t interval = interval_of(profile);
    return now_ns - now_ns % interval + interval;
}

/* Tell of some flows of the interval that ended; after the last one, of what they were part of.
 * Returns whether there are more. */
static bool tell_interval(struct sdw_profile *profile, size_t most)
{
    int64_t now_ns = profile->round_ns;
    if (now_ns == 0)
        return false;
    if (profile->config.interval_ns && sdw_flowtable_tell(profile->table, most))
        return true;
    profile->round_ns = 0;
    if (profile->classify)
        sdw_classify_interval(profile->classify, now_ns, interval_of(profile));
    say_evicted(profile, now_ns);
    return false;
}

static void end_interval(struct sdw_profile *profile)
{
    (void)tell_interval(profile, SIZE_MAX);
    profile->round_ns = profile->tick_ns;
    sdw_flowtable_advance(profile->table, profile->round_ns);
    if (profile->config.interval_ns)
        sdw_flowtable_round(profile->table, profile->round_ns);
    if (!profile->config.spread)
        (void)tell_interval(profile, SIZE_MAX);
}

static void pass_time(struct sdw_profile *profile, int64_t now_ns)
{
    int64_t interval = interval_of(profile);
    if (now_ns > profile->counts.last_ns)
        profile->counts.last_ns = now_ns;
    /* Started, or started again because the clock was set back. */
    if (profile->tick_ns == 0 || now_ns < profile->tick_ns - interval - profile->config.idle_ns)
        profile->tick_ns = next_tick(profile, now_ns);
    if (now_ns >= profile->tick_ns) {
        end_interval(profile);
        profile->tick_ns = next_tick(profile, now_ns);
    }
    sdw_flowtable_advance(profile->table, now_ns);
}

/* The tunnel of the packets from its source, which may change. Until one of them is seen, it is
 * that of those towards it, turned: the ports of the two directions have nothing to do with each
 * other. */
static void follow_outer(struct sdw_profile *profile, struct sdw_biflow *flow,
                         const struct sdw_packet_outer *outer, enum sdw_direction direction)
{
    if (direction == SDW_REVERSE && flow->outer)
        return;
    if (!flow->outer)
        flow->outer = sdw_pool_take(&profile->outers);
    *flow->outer = *outer;
    if (direction == SDW_FORWARD)
        return;
    memcpy(flow->outer->src, outer->dst, sizeof outer->dst);
    memcpy(flow->outer->dst, outer->src, sizeof outer->src);
    flow->outer->sport = flow->outer->dport = 0;
}

static void follow_tcp(struct sdw_profile *profile, struct sdw_biflow *flow,
                       const struct sdw_packet *packet, enum sdw_direction direction, int64_t ts_ns)
{
    if (!flow->tcp)
        flow->tcp = sdw_tcptrack_new(&profile->tcp);
    sdw_tcptrack_see(flow->tcp, packet, direction, (uint32_t)((ts_ns - flow->first_ns) / 1000));
}

/* A packet of a flow, in its turn. */
static void see(struct sdw_profile *profile, const struct coming *coming)
{
    const struct sdw_packet *packet = &coming->packet;
    enum sdw_direction direction;
    bool fresh;
    pass_time(profile, coming->ts_ns);
    struct sdw_biflow *flow = sdw_flowtable_see(profile->table, &coming->place, packet,
                                                coming->ts_ns, &direction, &fresh);
    if (packet->outer.version)
        follow_outer(profile, flow, &packet->outer, direction);
    if (fresh) {
        profile->counts.flows++;
        if (profile->classify)
            sdw_classify_fresh(profile->classify, flow);
        put_who(profile, flow, coming->ts_ns);
        sdw_flowsay_first(&profile->say, flow, packet);
        say(profile, &sdw_flow_new_schema, &profile->say.rec);
    }
    if (packet->protocol == IPPROTO_TCP && packet->whole)
        follow_tcp(profile, flow, packet, direction, coming->ts_ns);
    if (profile->classify)
        sdw_classify_packet(profile->classify, flow, packet, direction, coming->ts_ns);
    (void)tell_interval(profile, 1);
}

static struct coming *coming_at(struct sdw_profile *profile, uint64_t number)
{
    return &profile->coming[number % AHEAD];
}

/* Look at the packets that came, all but the last `left`. */
static void catch_up(struct sdw_profile *profile, unsigned left)
{
    while (profile->came - profile->seen > left)
        see(profile, coming_at(profile, profile->seen++));
}

void sdw_profile_packet(struct sdw_profile *profile, int64_t ts_ns, struct sdw_str bytes,
                        uint32_t wire_bytes)
{
    catch_up(profile, AHEAD - 1);
    struct coming *coming = coming_at(profile, profile->came);
    sdw_buf_clear(&coming->bytes);
    sdw_buf_str(&coming->bytes, bytes);
    profile->counts.packets++;
    profile->counts.bytes += wire_bytes;
    enum sdw_packet_verdict verdict = sdw_packet_decode(
        profile->config.link, sdw_buf_view(&coming->bytes), wire_bytes, &coming->packet);
    if (verdict != SDW_PACKET_IP) {
        profile->counts.other += verdict == SDW_PACKET_OTHER;
        profile->counts.cut += verdict == SDW_PACKET_SHORT;
        profile->counts.bad += verdict == SDW_PACKET_BAD;
        return;
    }
    if (sdw_packet_mirrored(&coming->packet)) {
        profile->counts.mirrored++;
        return;
    }
    sdw_fragments_join(profile->fragments, &coming->packet, ts_ns);
    coming->ts_ns = ts_ns;
    coming->place = sdw_flowtable_find(profile->table, &coming->packet);
    uint64_t number = profile->came++;
    if (number - profile->seen >= FETCH)
        sdw_flowtable_fetch(profile->table, &coming_at(profile, number - FETCH)->place);
    if (number - profile->seen >= FETCH_TCP)
        sdw_flowtable_fetch_tcp(profile->table, &coming_at(profile, number - FETCH_TCP)->place);
}

bool sdw_profile_time(struct sdw_profile *profile, int64_t now_ns)
{
    catch_up(profile, 0);
    pass_time(profile, now_ns);
    return tell_interval(profile, IDLE_TELLS);
}

void sdw_profile_finish(struct sdw_profile *profile)
{
    catch_up(profile, 0);
    (void)tell_interval(profile, SIZE_MAX);
    sdw_flowtable_end(profile->table, SDW_ENDED_EOF, profile->counts.last_ns);
    if (profile->classify) {
        sdw_classify_interval(profile->classify, profile->counts.last_ns, interval_of(profile));
        sdw_classify_finish(profile->classify, profile->counts.last_ns);
    }
    say_evicted(profile, profile->counts.last_ns);
}

struct sdw_profile_counts sdw_profile_counts(const struct sdw_profile *profile)
{
    struct sdw_profile_counts counts = profile->counts;
    if (profile->classify) {
        counts.skipped = sdw_classify_skipped(profile->classify);
        counts.crowded = sdw_classify_crowded(profile->classify);
    }
    return counts;
}

int sdw_profile_code(const struct sdw_profile *profile)
{
    return profile->code;
}
