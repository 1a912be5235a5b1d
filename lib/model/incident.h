/*
 * An incident: alarms of several series that began together. Its name is made from its first
 * series and time, so that the same input names it the same. Owned by those who share it: each
 * member that takes part holds one reference.
 */
#ifndef SDW_MODEL_INCIDENT_H
#define SDW_MODEL_INCIDENT_H

#include "core/buf.h"

enum { SDW_MEMBERS_MAX = 64 }; /* that are named; more take part unnamed */

struct sdw_incident;

/* With its first member, whose reference is the caller's. */
struct sdw_incident *sdw_incident_new(struct sdw_str series, int64_t ts);
/* One more member; a series that is named already only takes another reference. */
void sdw_incident_join(struct sdw_incident *incident, struct sdw_str series);
void sdw_incident_hold(struct sdw_incident *incident);
void sdw_incident_drop(struct sdw_incident *incident); /* NULL is allowed */

int64_t sdw_incident_ts(const struct sdw_incident *incident); /* when it began */
struct sdw_str sdw_incident_id(const struct sdw_incident *incident);

/* What the names of its series have in common, in whole steps (a/b/c and a/b/d: a/b); of a single
 * series all but its last step. p is NULL when that is nothing. */
struct sdw_str sdw_incident_parent(const struct sdw_incident *incident);

/* Its named members as a JSON array, appended to json. */
void sdw_incident_members(const struct sdw_incident *incident, struct sdw_buf *json);

/* Whether another metric of the same thing takes part: link/a-b/loss for link/a-b/bps. */
bool sdw_incident_corroborates(const struct sdw_incident *incident, struct sdw_str series);

/* As bytes, without its references; and back, with one: the caller's. NULL when the bytes are not
 * those of an incident. */
void sdw_incident_save(const struct sdw_incident *incident, struct sdw_buf *out);
struct sdw_incident *sdw_incident_load(struct sdw_str *bytes);

#endif
