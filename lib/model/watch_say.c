/* The records that a watch says. */
#include "model/watch_book.h"

#include <math.h>

/* Room for one more record, all of it absent. */
static void *say(struct sdw_watch *watch, const struct sdw_schema *schema)
{
    void *record = sdw_arena_alloc(&watch->arena, schema->size);
    sdw_rec_init(schema, record);
    SDW_GROW(watch->said, watch->said_cap, watch->n_said + 1);
    watch->said[watch->n_said++] = (struct sdw_watch_said){schema, record};
    return record;
}

static struct sdw_str copy(struct sdw_watch *watch, struct sdw_str text)
{
    if (!text.p)
        return text;
    char *p = sdw_arena_alloc(&watch->arena, text.n + 1);
    memcpy(p, text.p, text.n);
    return (struct sdw_str){p, text.n};
}

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : NAN;
}

void sdw_watch_say_surge(struct sdw_watch *watch, struct sdw_watched *w)
{
    const struct sdw_detection *seen = &w->seen;
    bool rise = seen->change > 0 && seen->expected > 0 &&
                w->value >= seen->expected * (1 + watch->settings.surge);
    if (!rise || w->alarm.severity <= w->alarm.surge)
        return;
    struct sdw_surge *surge = say(watch, &sdw_surge_schema);
    surge->ts = w->ts;
    surge->series = copy(watch, sdw_str_of(w->name));
    surge->severity = w->alarm.surge = w->alarm.severity;
    surge->value = w->value;
    surge->expected = seen->expected;
    surge->ratio = finite_or_nan(w->value / seen->expected);
    surge->incident = copy(watch, sdw_incident_id(w->alarm.incident));
}

void sdw_watch_say_anomaly(struct sdw_watch *watch, struct sdw_watched *w, int64_t ts,
                           const char *state)
{
    if (w->alarm.held && w->alarm.severity < SDW_WATCH_CERTAIN)
        return;
    if (w->alarm.held)
        state = "open";
    w->alarm.held = false;
    struct sdw_anomaly *anomaly = say(watch, &sdw_anomaly_schema);
    const struct sdw_incident *incident = w->alarm.incident;
    bool missing = ts != w->ts;
    sdw_buf_clear(&watch->json);
    sdw_incident_members(incident, &watch->json);
    anomaly->ts = ts;
    anomaly->series = copy(watch, sdw_str_of(w->name));
    anomaly->state = sdw_str_of(state);
    anomaly->kind = sdw_str_of(sdw_anomaly_kinds[w->alarm.kind - 1]);
    anomaly->severity = w->alarm.severity;
    anomaly->score = w->alarm.score;
    anomaly->p = w->alarm.p;
    anomaly->value = missing ? NAN : w->value;
    anomaly->expected = missing ? NAN : finite_or_nan(w->seen.expected);
    anomaly->lo = missing ? NAN : finite_or_nan(w->seen.lo);
    anomaly->hi = missing ? NAN : finite_or_nan(w->seen.hi);
    anomaly->incident = copy(watch, sdw_incident_id(incident));
    anomaly->parent = copy(watch, sdw_incident_parent(incident));
    anomaly->members = copy(watch, sdw_buf_view(&watch->json));
}

void sdw_watch_say_score(struct sdw_watch *watch, const struct sdw_watched *w,
                         const struct sdw_reading *reading)
{
    struct sdw_anomaly_score *score = say(watch, &sdw_anomaly_score_schema);
    score->ts = reading->ts;
    score->series = copy(watch, reading->series);
    score->value = reading->value;
    score->score = w ? w->seen.score : 0;
    score->p = w ? w->seen.p : NAN;
    score->expected = w ? finite_or_nan(w->seen.expected) : NAN;
}
