#include "rec/steering.h"
#include "rec/table.h"

static const char *const event_kinds[] = {"prediction", "degradation", "recovery", NULL};
static const char *const unit_states[] = {"PRIMARY",   "ARMED",   "SHIFTING", "SHIFTED", "HOLD",
                                          "RETURNING", "BLOCKED", "FROZEN",   "FAILED",  NULL};

#define OF sdw_unit
static const struct sdw_field unit_fields[] = {
    F(SDW_STR, unit, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "its name"),
    F(SDW_RAW, match, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,
      "the traffic: an object with prefix, or with flow"),
    F(SDW_RAW, primary, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,
      "the path in use: an object with via and dev, or hops, and path_id, capacity_bps"),
    F(SDW_RAW, shadows, SDW_F_REQUIRED, NULL, "the standby paths, in order of preference"),
    F(SDW_RAW, watch, 0, NULL, "path ids, links and series that concern it"),
    FN(SDW_REAL, load_bps, 0, 0, 1e13, "bit/s", "live load, where no counter tells"),
    F(SDW_STR, load_dev, 0, NULL, "interface whose counters tell the live load"),
    F(SDW_STR, digest, 0, NULL, "digest of the routes that the plan was made for"),
    {0},
};
#undef OF

#define OF sdw_event
static const struct sdw_field event_fields[] = {
    FV(kind, SDW_F_REQUIRED | SDW_F_COLUMN, event_kinds, "what is happening"),
    F(SDW_STR, failure, SDW_F_COLUMN, NULL, "what fails, or is about to"),
    F(SDW_STR, unit, SDW_F_COLUMN, NULL, "the unit concerned"),
    F(SDW_STR, flow, 0, NULL, "the flow concerned"),
    F(SDW_STR, link, 0, NULL, "the link concerned"),
    F(SDW_STR, path_id, SDW_F_COLUMN, NULL, "the path concerned"),
    F(SDW_STR, series, 0, NULL, "the series concerned"),
    FN(SDW_INT, hop, SDW_F_COLUMN, 1, 255, NULL, "the hop concerned"),
    FN(SDW_INT, severity, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 5, NULL,
       "0 none to 5 certain and severe"),
    F(SDW_MODEL, value, 0, NULL, "the value that crossed the threshold"),
    F(SDW_MODEL, threshold, 0, NULL, "the threshold"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why, in words"),
    {0},
};
#undef OF

#define OF sdw_change
static const struct sdw_field change_fields[] = {
    F(SDW_STR, unit, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the unit"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, unit_states, "the state it enters"),
    F(SDW_RAW, from, SDW_F_NULL, NULL, "share of traffic by next hop before"),
    F(SDW_RAW, to, SDW_F_NULL | SDW_F_COLUMN, NULL, "share of traffic by next hop after"),
    F(SDW_STR, why, SDW_F_COLUMN, NULL, "why, in words"),
    F(SDW_RAW, cause, 0, NULL, "the record that caused it: type, ts and its join key"),
    FN(SDW_MODEL, moved_bps, 0, 0, 1e13, "bit/s", "live load that moves"),
    F(SDW_BOOL, applied, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "false in a dry run or on failure"),
    F(SDW_INT, call_us, 0, "us", "length of the kernel call"),
    F(SDW_INT, latency_us, 0, "us", "from the line read to the kernel call done"),
    F(SDW_INT, seq, 0, NULL, "sequence number in the journal"),
    F(SDW_STR, back_end, 0, NULL, "what carried it out"),
    {0},
};
#undef OF

#define OF sdw_held
static const struct sdw_field held_fields[] = {
    F(SDW_STR, unit, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the unit"),
    FV(state, SDW_F_COLUMN, unit_states, "the state it stays in"),
    F(SDW_STR, guard, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the guard that held"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why, in words"),
    {0},
};
#undef OF

#define OF sdw_alert
static const struct sdw_field alert_fields[] = {
    F(SDW_STR, unit, SDW_F_COLUMN, NULL, "the unit"),
    FN(SDW_INT, severity, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 5, NULL,
       "0 none to 5 certain and severe"),
    F(SDW_STR, reason, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "what an operator should know"),
    {0},
};
#undef OF

#define OF sdw_request
static const struct sdw_field request_fields[] = {
    F(SDW_STR, unit, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the unit"),
    F(SDW_STR, path_id, 0, NULL, "the path that is short"),
    FN(SDW_MODEL, wanted_bps, SDW_F_COLUMN, 0, 1e13, "bit/s", "capacity that is missing"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why, in words"),
    {0},
};
#undef OF

#define OF sdw_reject
static const struct sdw_field reject_fields[] = {
    FN(SDW_INT, line, SDW_F_COLUMN, 0, 0, NULL, "number of the input line"),
    F(SDW_STR, field, SDW_F_COLUMN, NULL, "the key that was wrong"),
    F(SDW_STR, reason, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "why it was refused"),
    {0},
};
#undef OF

const struct sdw_schema sdw_unit_schema = {"unit", "something steerable", sizeof(struct sdw_unit),
                                           unit_fields};
const struct sdw_schema sdw_event_schema = {"event", "something an actor may act on",
                                            sizeof(struct sdw_event), event_fields};
const struct sdw_schema sdw_change_schema = {"change", "a change made, or that would be made",
                                             sizeof(struct sdw_change), change_fields};
const struct sdw_schema sdw_held_schema = {"held", "why nothing was done", sizeof(struct sdw_held),
                                           held_fields};
const struct sdw_schema sdw_alert_schema = {"alert", "what an operator should know",
                                            sizeof(struct sdw_alert), alert_fields};
const struct sdw_schema sdw_request_schema = {"request", "capacity that should be provisioned",
                                              sizeof(struct sdw_request), request_fields};
const struct sdw_schema sdw_reject_schema = {"reject", "input that an actor refused",
                                             sizeof(struct sdw_reject), reject_fields};
