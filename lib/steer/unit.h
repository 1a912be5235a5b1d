/*
 * Something steerable, as the plan describes it: a prefix or a flow, the way it takes now and the
 * ways it could take. Nothing in here changes once the plan is read.
 */
#ifndef SDW_STEER_UNIT_H
#define SDW_STEER_UNIT_H

#include "core/base.h"
#include "core/err.h"
#include "core/mem.h"
#include "rec/steering.h"
#include "sys/fib.h"

enum {
    SDW_SHADOWS_MAX = 8,
    SDW_WAYS_MAX = SDW_SHADOWS_MAX + 1, /* way 0 is the primary */
    SDW_WATCH_MAX = 64,
    SDW_KEY_SIZE = 96,
};

/* A next hop and the path behind it. */
struct sdw_way {
    char name[SDW_KEY_SIZE]; /* "192.0.2.1%eth0"; unique within the unit */
    char dev[16];
    char path_id[SDW_KEY_SIZE]; /* "" when the plan names none */
    char probe[SDW_KEY_SIZE];   /* destination of the probes that measure it, or "" */
    double capacity_bps;        /* as the plan says; NAN: not said */
    struct sdw_gateway gateway; /* ifindex 0 until it is looked up */
};

/* One of the next hops of the primary: a route over several spreads its flows by weight. */
struct sdw_primary_hop {
    char dev[16];
    struct sdw_gateway gateway; /* ifindex 0 until it is looked up */
    unsigned weight;            /* 1..256 */
};

enum sdw_match { SDW_MATCH_PREFIX, SDW_MATCH_FLOW };

struct sdw_steer_unit {
    char name[SDW_KEY_SIZE];
    enum sdw_match match;
    struct sdw_fib_route route; /* prefix: family, dst, dst_len, table; flow: its destination */
    char flow[128];             /* flow: as it was written */
    uint8_t source[16];
    uint16_t source_port, destination_port;
    uint8_t protocol; /* IPPROTO_UDP or IPPROTO_TCP */
    size_t n_ways;    /* 1 + shadows */
    struct sdw_way way[SDW_WAYS_MAX];
    size_t n_hops; /* of the primary, mostly 1; hop[0] is the one that way[0] has */
    struct sdw_primary_hop hop[SDW_FIB_HOPS];
    size_t n_watch;
    char (*watch)[SDW_KEY_SIZE];
    double load_bps; /* NAN: not said */
    char load_dev[16];
    char digest[24]; /* "" when the plan has none */
    char *json;      /* the record itself, for the journal */
};

/* Decode and check one `unit` record: match, at least one shadow, all ways of the unit's family,
 * no next hop and no key twice, numbers in range. Whoever gets a unit releases it. SDW_EINPUT with
 * the field.
 */
int sdw_steer_unit_read(struct sdw_steer_unit *unit, struct sdw_str line, struct sdw_err *err);
void sdw_steer_unit_release(struct sdw_steer_unit *unit);

/* "10.9.0.0/24" of a route; out has room for 64 characters. Returns out. */
const char *sdw_prefix_text(const struct sdw_fib_route *route, char out[64]);
/* The reverse; host bits must be zero. False on anything else. */
bool sdw_prefix_parse(const char *text, struct sdw_fib_route *route);
/* Fill in the name of a way from its gateway and dev; more: how many next hops stand beside that
 * ("192.0.2.1%eth0+2"). */
void sdw_way_rename(struct sdw_way *way, size_t more);
/* Whether two next hops are the same, by address and name of the interface. */
bool sdw_hop_same(const struct sdw_gateway *a, const char *a_dev, const struct sdw_gateway *b,
                  const char *b_dev);

/* The states of a unit, in the order of the names in the records. */
enum sdw_unit_state {
    SDW_UNIT_PRIMARY,   /* nothing of ours is in the kernel */
    SDW_UNIT_ARMED,     /* the group is in place and gives all to the primary */
    SDW_UNIT_SHIFTING,  /* moved, and not yet seen healthy */
    SDW_UNIT_SHIFTED,   /* moved, and seen healthy */
    SDW_UNIT_HOLD,      /* the primary looks good; waiting to be sure */
    SDW_UNIT_RETURNING, /* going back step by step */
    SDW_UNIT_BLOCKED,   /* it should move and cannot */
    SDW_UNIT_FROZEN,    /* the operator said so */
    SDW_UNIT_FAILED,    /* the kernel refused, or the plan no longer fits */
    SDW_UNIT_STATES,
};
const char *sdw_unit_state_name(enum sdw_unit_state state);
/* SDW_UNIT_STATES for a name that is none. */
enum sdw_unit_state sdw_unit_state_of(struct sdw_str name);

#endif
