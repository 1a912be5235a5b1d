#include "model/events.h"
#include "core/mem.h"
#include "core/num.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

struct sdw_event_time {
    int64_t from, to;
    bool maintenance;
    char *glob; /* NULL: every series */
};

/* Days since the epoch of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

bool sdw_moment_parse(const char *text, int64_t *us)
{
    int year, month, day, hour, minute, second, n = 0;
    int64_t seconds;
    if (sdw_num_int(sdw_str_of(text), &seconds)) {
        *us = seconds * 1000000;
        return seconds >= 0 && seconds < SDW_INT_MAX / 1000000;
    }
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour, &minute, &second,
               &n) != 6 ||
        n == 0 || text[n] != '\0' || year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    *us = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000000 +
          second * INT64_C(1000000);
    return true;
}

/* The next word of the line, ended in place; empty at the end. */
static char *word(char **at)
{
    static const char blank[] = " \t\r";
    char *begin = *at + strspn(*at, blank), *end = begin + strcspn(begin, blank);
    *at = *end ? end + 1 : end;
    *end = '\0';
    return begin;
}

static int read_line(struct sdw_events *events, char *line, size_t number, const char *name,
                     struct sdw_err *err)
{
    const char *from = word(&line), *to = word(&line), *kind = word(&line), *glob = word(&line);
    struct sdw_event_time event = {0};
    if (*from == '\0' || *from == '#')
        return 0;
    if (!sdw_moment_parse(from, &event.from) || !sdw_moment_parse(to, &event.to) ||
        event.to < event.from || *kind == '\0' || *word(&line) != '\0')
        return sdw_err_set(err, SDW_EUSAGE,
                           "%s: line %zu: expected FROM TO KIND [GLOB], times such as "
                           "2026-12-24T18:00:00Z",
                           name, number);
    event.maintenance = strcmp(kind, "maintenance") == 0;
    event.glob = *glob ? sdw_xstrdup(glob) : NULL;
    SDW_GROW(events->event, events->cap, events->n + 1);
    events->event[events->n++] = event;
    events->flags += !event.maintenance;
    return 0;
}

int sdw_events_read(struct sdw_events *events, struct sdw_str text, const char *name,
                    struct sdw_err *err)
{
    char *copy = sdw_xstrndup(text.p ? text.p : "", text.n), *line = copy;
    int rc = 0;
    for (size_t number = 1; rc == 0 && line; number++) {
        char *stop = strchr(line, '\n');
        if (stop)
            *stop = '\0';
        rc = read_line(events, line, number, name, err);
        line = stop ? stop + 1 : NULL;
    }
    free(copy);
    return rc;
}

void sdw_events_release(struct sdw_events *events)
{
    for (size_t i = 0; i < events->n; i++)
        free(events->event[i].glob);
    free(events->event);
    *events = (struct sdw_events){0};
}

static bool touches(const struct sdw_events *events, bool maintenance, const char *series,
                    int64_t from, int64_t to)
{
    for (size_t i = 0; i < events->n; i++) {
        const struct sdw_event_time *e = &events->event[i];
        if (e->maintenance == maintenance && e->from <= to && from <= e->to &&
            (!e->glob || fnmatch(e->glob, series, 0) == 0))
            return true;
    }
    return false;
}

bool sdw_events_maintenance(const struct sdw_events *events, const char *series, int64_t ts)
{
    return touches(events, true, series, ts, ts);
}

bool sdw_events_ahead(const struct sdw_events *events, const char *series, int64_t ts,
                      int64_t ahead_us)
{
    return touches(events, false, series, ts, ts + ahead_us);
}
