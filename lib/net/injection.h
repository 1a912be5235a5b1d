/*
 * Within net/session and net/injection: the state of a session, and what is injected in one slot:
 * its plan, its guard, its cost, and its records. net/session.c says when and why.
 */
#ifndef SDW_NET_INJECTION_H
#define SDW_NET_INJECTION_H

#include "net/aim.h"
#include "net/lockin.h"
#include "net/session.h"
#include "net/window.h"

enum sdw_phase { SDW_PHASE_FIND, SDW_PHASE_REHEARSE, SDW_PHASE_MEASURE, SDW_PHASE_DONE };

/* Ladders of a slot; most load packets that expire at one router in a scoped one. */
enum { SDW_SLOT_LADDERS = 2, SDW_SCOPED_LOAD = 30 };

struct sdw_session {
    struct sdw_session_config config;
    struct sdw_budget *budget;
    struct sdw_sink sink;
    struct sdw_carrier *carrier;
    struct sdw_carrier *spare; /* echo, in case that the far end does not reflect; NULL: none */
    struct sdw_route route;
    struct sdw_aim aim;
    struct sdw_window window;
    struct sdw_lockin lockin;
    struct sdw_rng rng;
    struct sdw_plan plan;
    struct sdw_run run;
    struct sdw_buf scratch;
    struct sdw_session_counts counts;
    struct sdw_ticket ticket;
    enum sdw_phase phase;
    bool ticket_open;                  /* the ticket's slot is still to be done */
    bool known;                        /* a path record was written */
    unsigned rehearsals, steady, lost; /* steady: trains in a row that saw what the last saw */
    double rehearsed_bps;              /* sum of what was available after each train */
    unsigned aborts;                   /* trains in a row that met a long queue */
    unsigned restarts;                 /* windows begun anew in a row: the path had changed */
    unsigned silences;                 /* walks in a row that did not reach a shy far end */
    uint32_t next_id;
    int64_t due_ns, slot_ns; /* next step; start of the current slot's period */
    int64_t period_ns;
    int64_t chirp_base_ns, window_spent;
    int64_t scoped_train_ns[2]; /* length of the last scoped train, [1]: that reached the far end */
    const char *reason;
};

/* Bytes and packets that were sent for this session. */
void sdw_injection_account(struct sdw_session *session, int64_t bytes, int64_t packets);
/* Schedules of a constant rate that rises from window to window. */
bool sdw_injection_climbs(const struct sdw_session *session);

/* One train of no window: how much is there, roughly? */
int sdw_injection_rehearse(struct sdw_session *session, struct sdw_err *err);

/* Length of a slot of load and ladders spread over it; of the schedules that climb, that of the
 * step reached. */
int64_t sdw_injection_slot_ns(const struct sdw_session *session);
/* About what the slot of session->ticket costs. */
int64_t sdw_injection_bytes(const struct sdw_session *session);
/* Plan, send and report that slot. Returns 0 or a negative code; *same_path: not when the answers
 * came from another path than the session's. */
int sdw_injection_slot(struct sdw_session *session, bool *same_path, struct sdw_err *err);

#endif
