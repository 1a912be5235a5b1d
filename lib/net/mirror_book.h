/* Within net/mirror: shadows, their paths, and what is under way for them. */
#ifndef SDW_NET_MIRROR_BOOK_H
#define SDW_NET_MIRROR_BOOK_H

#include "net/aim.h"
#include "net/flight.h"
#include "net/mirror.h"
#include "net/mirror_inside.h"
#include "net/mirror_wire.h"
#include "net/router.h"
#include "net/window.h"

enum {
    SDW_MIRROR_FLIGHTS = 128, /* traces and slots under way at once */
    SDW_MIRROR_SHADOWS = 1 << 16,
    SDW_MIRROR_PATHS = 4096,
    SDW_MIRROR_GOALS = 1 << 17, /* destinations remembered; then all are found anew */
    SDW_MIRROR_APPS = 4096,     /* whose sensitivity was told */
    SDW_MIRROR_MARKER = 66,     /* IP bytes of a packet without load, at most: IPv6 and UDP */
    SDW_MIRROR_BEYOND = 3,      /* TTLs asked beyond the last router that answered */
    SDW_MIRROR_ID = 40,
    SDW_MIRROR_APP = 48,
    SDW_MIRROR_CLASSES = 3,         /* of sensitivity */
    SDW_MIRROR_LOADED = 64,         /* more trains than there can be in a second */
    SDW_MIRROR_ABORT_NS = 20000000, /* of delay above the base: load would hurt */
};

struct sdw_mirror_path;

/* A live flow that is mirrored. It is in one list: of its path, or of those to be traced. */
struct sdw_shadow {
    char flow_id[SDW_MIRROR_ID];
    char flow[SDW_MIRROR_FLOW];
    char app[SDW_MIRROR_APP], category[SDW_MIRROR_APP];
    struct sdw_mirror_tuple tuple;
    enum sdw_sensitivity sensitivity;
    struct sdw_mirror_path *path; /* NULL: to be traced */
    struct sdw_shadow *before, *after;
    struct sdw_shadow *inside; /* through a tunnel: the flow's other shadow, that goes with it */
    struct sdw_shadow *outer;  /* of that other shadow: the flow's first; else NULL */
    bool served;               /* a slot was said for it */
    bool verified;             /* its own packets went the path */
    bool tracing;              /* a trace is under way */
    bool moved;                /* its path changed while it was open */
    unsigned failed;           /* times that it was put off */
    int64_t heard_ns;          /* monotonic: a record told of it */
    int64_t trace_ns;          /* not to be traced before */
};

struct sdw_shadow_list {
    struct sdw_shadow *first, *last;
    size_t n;
};

/* What shadows are told of their path's pace. */
enum sdw_mirror_pace { SDW_PACE_KEPT, SDW_PACE_LOWERED, SDW_PACE_SUSPENDED };

/* A path that shadows share: up to the last router, which stands for the far end. */
struct sdw_mirror_path {
    struct sdw_route route;
    struct sdw_router *router[SDW_HOPS_MAX + 1]; /* by hop; NULL: silent, or no router */
    struct sdw_carrier *carrier;                 /* inside a tunnel, to its far end; else NULL */
    int64_t chirp_base_ns;                       /* taken off the delays of load, in this window */
    struct sdw_shadow_list shadows;              /* the first carries the next slot */
    size_t unserved, unverified;                 /* how many of them wait for either */
    size_t ranks[SDW_MIRROR_CLASSES];            /* how many of each sensitivity */
    enum sdw_sensitivity sensitivity;            /* the most sensitive one's */
    struct sdw_window window;
    struct sdw_ticket ticket; /* the slot to come */
    struct sdw_aim aim;
    int64_t windows, slots;       /* windows begun; slots in this one */
    int64_t due_ns, period_ns;    /* the next slot */
    int64_t slot_ns, regular_ns;  /* when the last one began; not counting those between */
    int64_t hold_ns, hold_for_ns; /* no load until; how long the last hold was */
    int64_t emptied_ns, paced_ns; /* since when it has no shadow; when its pace was last told */
    unsigned silent, strangers;   /* slots in a row without any answer; with those of others */
    unsigned flights;
    struct { /* the last slot that was fit to be judged */
        bool known;
        int64_t begun_ns;
        struct sdw_slot_about about;
        struct sdw_rungs rungs;
        struct sdw_plan plan;
        struct sdw_run run;
    } last;
    unsigned in_time; /* slots in a row */
    enum sdw_mirror_pace pace;
};

/* A trace of a shadow, or a slot of a path with one of its shadows' packets. */
struct sdw_mirror_flight {
    struct sdw_flight flight;
    uint32_t serial;               /* 0: not in use */
    struct sdw_shadow *shadow;     /* NULL: closed meanwhile */
    struct sdw_mirror_path *path;  /* NULL: a trace */
    struct sdw_mirror_tuple tuple; /* its packets' */
    char flow_id[SDW_MIRROR_ID];
    struct sdw_craft *craft;
    struct sdw_carrier *carrier; /* inside a tunnel, where craft is NULL; else NULL */
    struct sdw_rungs rungs;      /* of a slot */
    struct sdw_ticket ticket;    /* of a slot */
    double target_bps;
    int64_t promised_bytes;   /* of the budget, and not spent yet */
    unsigned top, reach, far; /* of a trace: highest TTL asked, answered by a router; the TTL that
                                 the destination itself answered, 0 none */
    int64_t asked_ns;         /* of a trace: when it asked last */
    bool known;               /* of a trace: no TTL beyond what the destination is known for */
};

/* What is known of a destination; of the packets that flows share in a tunnel, apart from others.
 */
struct sdw_mirror_goal {
    struct sdw_mirror_path *path; /* that a flow to it took */
    bool several;                 /* flows to it take more than one */
    unsigned traces;              /* under way */
    unsigned failed;              /* traces in a row that found nothing */
    int64_t trace_ns;             /* after them: not to be traced before */
};

struct sdw_mirror {
    struct sdw_mirror_config config;
    struct sdw_mirror_wire *wire;
    struct sdw_mirror_inside *inside; /* NULL: no tunnel */
    struct sdw_appmap *appmap;
    struct sdw_map shadows, goals, sensitivities; /* by flow id; by address; by application */
    struct sdw_map labels; /* by flow id, of flows that are not wanted yet: flow label + 1 */
    struct sdw_shadow_list traces[SDW_MIRROR_CLASSES];
    struct sdw_mirror_path **paths;
    size_t n_paths, cap_paths;
    struct sdw_routers routers;
    struct sdw_gate ladders;                      /* of all paths: their first routers may be one */
    struct sdw_gate traced;                       /* traces that have ended: when they asked last */
    struct sdw_router *loaded[SDW_MIRROR_LOADED]; /* where trains died lately; a ring */
    size_t next_loaded;
    bool trace_waits; /* one could not begin: no train takes what it waits for */
    struct sdw_mirror_flight flights[SDW_MIRROR_FLIGHTS];
    size_t n_flights;
    bool train; /* one is under way */
    uint32_t serial;
    int64_t launch_ns, care_ns; /* when to look for what may begin; for what has aged */
    size_t met_most;            /* packets of one trace that one router got, the most of late */
    int64_t met_ns;             /* when it last got more than one */
    struct sdw_rng rng;
    struct sdw_buf scratch;
    struct sdw_arena arena;
    struct sdw_mirror_counts counts;
};

/* mirror_book.c: who is on which path. */
void sdw_shadow_unlist(struct sdw_shadow_list *list, struct sdw_shadow *shadow);
void sdw_shadow_first(struct sdw_shadow_list *list, struct sdw_shadow *shadow);
void sdw_shadow_last(struct sdw_shadow_list *list, struct sdw_shadow *shadow);
struct sdw_mirror_goal *sdw_mirror_goal(struct sdw_mirror *mirror,
                                        const struct sdw_mirror_tuple *tuple, bool make);
bool sdw_mirror_same_goal(const struct sdw_mirror_tuple *a, const struct sdw_mirror_tuple *b);
void sdw_mirror_forget_goals(struct sdw_mirror *mirror);
/* All that wait for the destination of this one, whose only path has been found, are on it. */
int sdw_mirror_place_others(struct sdw_mirror *mirror, const struct sdw_shadow *found);
/* No router answers on its way: it waits until then. */
int sdw_mirror_put_off(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t until_ns);
/* Find the shadow a path: that of its destination when there is only one, or else a trace. */
int sdw_mirror_place(struct sdw_mirror *mirror, struct sdw_shadow *shadow);
int sdw_mirror_attach(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                      struct sdw_mirror_path *path, bool verified);
/* The next slot of the path comes sooner while shadows wait for one. */
void sdw_mirror_hasten(struct sdw_mirror_path *path, int64_t now_ns);
/* Take it off its path, to be traced. */
void sdw_mirror_detach(struct sdw_mirror *mirror, struct sdw_shadow *shadow);
/* The sensitivity of its application has become known or changed. */
void sdw_mirror_rank(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                     enum sdw_sensitivity sensitivity);
int sdw_mirror_drop(struct sdw_mirror *mirror, struct sdw_shadow *shadow, const char *reason);
/* The path that a traced route is, NULL when it is new; and a new one, NULL when there are too
 * many.
 */
struct sdw_mirror_path *sdw_mirror_path_known(struct sdw_mirror *mirror,
                                              const struct sdw_route *route);
struct sdw_mirror_path *sdw_mirror_path_new(struct sdw_mirror *mirror,
                                            const struct sdw_route *route);
void sdw_mirror_path_free(struct sdw_mirror_path *path);
/* Close flows that nothing was heard of, forget paths that nobody takes, tell of slow ones. */
int sdw_mirror_care(struct sdw_mirror *mirror, int64_t now_ns);

/* mirror_trace.c, mirror_slot.c and mirror_slotted.c: begin one (0: not now, 1: begun), and what
 * follows its end. */
int sdw_mirror_trace(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t now_ns,
                     struct sdw_err *err);
/* Packets of traces that have asked within the last second that any router may have got: which ones
 * they meet is not known before they do. Nothing else may take their places. One of each trace, and
 * more where routers of late got more: in circles, and where one answers at two hops. */
size_t sdw_mirror_traced_lately(const struct sdw_mirror *mirror, int64_t now_ns);
void sdw_mirror_trace_answer(struct sdw_mirror *mirror, struct sdw_mirror_flight *flight,
                             size_t shot, int64_t now_ns);
/* 1: it goes on. */
int sdw_mirror_traced(struct sdw_mirror *mirror, struct sdw_mirror_flight *flight, int64_t now_ns);
int sdw_mirror_slot(struct sdw_mirror *mirror, struct sdw_mirror_path *path, int64_t now_ns,
                    struct sdw_err *err);
/* Say the last slot of the path for every shadow that has had none but `carrier`, who has. */
int sdw_mirror_share(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                     const struct sdw_shadow *carrier);
int sdw_mirror_slotted(struct sdw_mirror *mirror, struct sdw_mirror_flight *flight, int64_t now_ns);

/* A free place, with packets of the shadow's tuple, which may send so many bytes; NULL: none, or
 * (err set) no memory of libnet.
 */
struct sdw_mirror_flight *sdw_mirror_flight(struct sdw_mirror *mirror, struct sdw_shadow *shadow,
                                            int64_t bytes, struct sdw_err *err);

/* Inside the tunnel that there is. */
static inline bool sdw_shadow_inside(const struct sdw_shadow *shadow)
{
    return shadow->outer != NULL;
}

/* mirror_say.c: records. */
int sdw_mirror_say(struct sdw_mirror *mirror, const struct sdw_shadow *shadow, const char *state,
                   const char *reason);
int sdw_mirror_say_path(struct sdw_mirror *mirror, const struct sdw_shadow *shadow,
                        const char *reason, bool hops);

#endif
