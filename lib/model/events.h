/*
 * What is known to come: maintenance, fixtures, holidays. A table of times, read from lines
 *
 *     FROM TO KIND [GLOB]
 *
 * with times as seconds since the epoch or 2026-12-24T18:00:00Z, blank lines and those that begin
 * with '#' aside. Values of a series that the glob matches (none: of every series) teach nothing
 * within an event of kind maintenance. Any other kind is a flag that the models know of before it
 * begins.
 */
#ifndef SDW_MODEL_EVENTS_H
#define SDW_MODEL_EVENTS_H

#include "core/err.h"

struct sdw_events {
    struct sdw_event_time *event;
    size_t n, cap;
    size_t flags; /* of them not maintenance */
};

/* name is for messages. SDW_EUSAGE with the line for one that is wrong. */
int sdw_events_read(struct sdw_events *events, struct sdw_str text, const char *name,
                    struct sdw_err *err);
void sdw_events_release(struct sdw_events *events);

/* Whether the series (a NUL-ended name) is under maintenance at ts. */
bool sdw_events_maintenance(const struct sdw_events *events, const char *series, int64_t ts);
/* Whether another event touches (ts, ts + ahead_us]. */
bool sdw_events_ahead(const struct sdw_events *events, const char *series, int64_t ts,
                      int64_t ahead_us);

/* 2026-12-24T18:00:00Z or seconds since the epoch, as microseconds. */
bool sdw_moment_parse(const char *text, int64_t *us);

#endif
