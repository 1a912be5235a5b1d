/* The watch over many series: which candidates become alarms, incidents, budgets, what is hushed.
 */
#include "model/watch.h"
#include "core/buf.h"
#include "core/rng.h"
#include "model/alarm.h"
#include "model/discovery.h"
#include "model/incident.h"
#include "unit/tap.h"

#include <stdio.h>

static const int64_t second = 1000000, step_us = 300000000;

static struct sdw_watch_settings usual(void)
{
    return (struct sdw_watch_settings){
        .detect = {.threshold = 0.005,
                   .change = 0.4,
                   .min_history = 288,
                   .season = {INT64_C(86400000000), 288}},
        .rule = {.sigma = 3},
        .budget = 2,
        .false_share = 0.1,
        .surge = 0.5,
        .hold = 6,
        .together_us = 600 * second,
        .ttl_us = 604800 * second,
        .max_series = 1000,
    };
}

static struct sdw_sighting give(struct sdw_watch *watch, const char *series, int64_t ts,
                                double value)
{
    struct sdw_reading reading = {.ts = ts, .series = sdw_str_of(series), .value = value};
    struct sdw_sighting out;
    sdw_watch_value(watch, &reading, &out);
    return out;
}

/* Count what is said by state: open, update, close, surge. */
static void tally(const struct sdw_sighting *out, int count[4])
{
    static const char *const states[] = {"open", "update", "close"};
    for (size_t i = 0; i < out->n; i++)
        if (out->said[i].schema == &sdw_surge_schema)
            count[3]++;
        else if (out->said[i].schema == &sdw_anomaly_schema)
            for (int s = 0; s < 3; s++)
                count[s] +=
                    sdw_str_is(((const struct sdw_anomaly *)out->said[i].record)->state, states[s]);
}

static double noisy(struct sdw_rng *rng)
{
    return 1000 * exp(0.02 * sdw_rng_normal(rng));
}

static void an_alarm_has_a_life(void)
{
    struct sdw_watch_settings settings = usual();
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    int count[4] = {0}, i = 0;
    sdw_rng_seed(&rng, 1);
    for (; i < 600; i++) {
        struct sdw_sighting out = give(watch, "link/a/bps", i * step_us, noisy(&rng));
        tally(&out, count);
    }
    ok(count[0] == 0, "a usual series opens nothing");
    for (int j = 0; j < 3; i++, j++) {
        struct sdw_sighting out = give(watch, "link/a/bps", i * step_us, 3000.0 * (j + 1));
        tally(&out, count);
        if (j == 0) {
            const struct sdw_anomaly *a = out.n ? out.said[0].record : NULL;
            ok(out.n == 2 && sdw_str_is(a->state, "open"), "a surge opens an alarm at once");
            ok(a && sdw_str_is(a->parent, "link/a"), "its parent is the thing");
            ok(a && sdw_str_is(a->members, "[\"link/a/bps\"]"), "it is its own only member");
            ok(out.n == 2 && out.said[1].schema == &sdw_surge_schema, "and says surge, at once");
        }
    }
    ok(count[0] == 1 && count[1] >= 1 && count[2] == 0, "what goes on updates it");
    for (int j = 0; j < 40; i++, j++) {
        struct sdw_sighting out = give(watch, "link/a/bps", i * step_us, noisy(&rng));
        tally(&out, count);
    }
    ok(count[2] == 1, "it closes when it is over (%d)", count[2]);
    for (int j = 0; j < 200; i++, j++)
        give(watch, "link/a/bps", i * step_us, noisy(&rng));
    struct sdw_sighting out = give(watch, "link/a/bps", i * step_us, 3000);
    tally(&out, count);
    ok(count[0] >= 2, "and can open again");
    sdw_watch_free(watch);
}

/* 50 series; at the end of 500 steps `hit` of them fall to a third. Returns the number of alarms
 * opened, and of different incidents. */
static int network_event(int hit, int *incidents)
{
    struct sdw_watch_settings settings = usual();
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    char name[50][40], first[17] = "";
    int opened = 0;
    sdw_rng_seed(&rng, 7);
    *incidents = 0;
    for (int s = 0; s < 50; s++)
        snprintf(name[s], sizeof name[s], "site/x/link/%d/bps", s);
    for (int i = 0; i < 503; i++)
        for (int s = 0; s < 50; s++) {
            double value = noisy(&rng) / (i >= 500 && s < hit ? 3 : 1);
            struct sdw_sighting out = give(watch, name[s], i * step_us + s * second, value);
            for (size_t k = 0; k < out.n; k++) {
                const struct sdw_anomaly *a = out.said[k].record;
                if (out.said[k].schema != &sdw_anomaly_schema || !sdw_str_is(a->state, "open"))
                    continue;
                opened++;
                if (!sdw_str_is(a->incident, first)) {
                    ++*incidents;
                    snprintf(first, sizeof first, "%.*s", (int)a->incident.n, a->incident.p);
                }
                if (opened == hit)
                    ok(hit == 1 || sdw_str_is(a->parent, "site/x/link"), "the common parent");
            }
        }
    sdw_watch_free(watch);
    return opened;
}

static void what_begins_together_is_one_incident(void)
{
    int incidents, opened = network_event(50, &incidents);
    ok(opened == 50 && incidents == 1, "an event on 50 series is one incident (%d alarms in %d)",
       opened, incidents);
    opened = network_event(1, &incidents);
    ok(opened == 1 && incidents == 1, "an event on one of 50 series is one alarm (%d)", opened);
}

static void a_budget_makes_alarms_rare(void)
{
    int opened[2];
    for (int b = 0; b < 2; b++) {
        struct sdw_watch_settings settings = usual();
        settings.budget = b ? 0.2 : 0;
        struct sdw_watch *watch = sdw_watch_new(&settings);
        struct sdw_rng rng;
        int count[4] = {0};
        sdw_rng_seed(&rng, 5);
        for (int i = 0; i < 288 * 60; i++) {
            double burst = sdw_rng_unit(&rng) < 0.01 ? 0.3 + sdw_rng_exponential(&rng, 0.4) : 0;
            struct sdw_sighting out = give(watch, "a", i * step_us, noisy(&rng) * exp(burst));
            tally(&out, count);
        }
        opened[b] = count[0];
        sdw_watch_free(watch);
    }
    ok(opened[0] > 40, "a bursty series alarms often (%d in 60 days)", opened[0]);
    ok(opened[1] < opened[0] / 2, "with a budget of 0.2 a day it has to be ever more unusual (%d)",
       opened[1]);
}

/* Values with a jump every sixth of a day, by what the budget lets through. */
static void a_budget_holds(void)
{
    struct sdw_watch_settings settings = usual();
    settings.budget = 2;
    settings.detect.threshold = 0.5;
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    int opened = 0, held = 0, surges = 0, certain = 0, most = 0;
    sdw_rng_seed(&rng, 5);
    for (int day = 0; day < 30; day++) {
        int count[4] = {0};
        for (int i = 0; i < 288; i++) {
            double jump = day > 2 && i % 48 == 7 ? 3 + sdw_rng_unit(&rng) : 1;
            struct sdw_sighting out =
                give(watch, "a", (day * 288 + i) * step_us, noisy(&rng) * jump);
            tally(&out, count);
            held += (int)out.held;
        }
        opened += count[0];
        surges += count[3];
        most = count[0] > most ? count[0] : most;
        certain += count[0] != count[2];
    }
    ok(opened >= 8 && most <= 2, "no more than the budget are told a day (%d, at most %d)", opened,
       most);
    ok(held > 10, "the others are counted (%d)", held);
    ok(surges > opened, "a surge is told all the same (%d)", surges);
    ok(certain == 0, "what was not opened is not closed");
    sdw_watch_free(watch);
}

static void a_day_begins_with_the_first_of_its_alarms(void)
{
    const int64_t hour = 3600 * second;
    struct sdw_alarm alarm = {0};
    ok(sdw_alarm_afford(&alarm, 0, 2) && sdw_alarm_afford(&alarm, hour, 2) &&
           !sdw_alarm_afford(&alarm, 2 * hour, 2) && !sdw_alarm_afford(&alarm, 23 * hour, 2),
       "of a budget of 2 there are two within a day of the first");
    ok(sdw_alarm_afford(&alarm, 24 * hour, 2) && sdw_alarm_afford(&alarm, 25 * hour, 2) &&
           !sdw_alarm_afford(&alarm, 47 * hour, 2),
       "and two more the day after");
    alarm = (struct sdw_alarm){0};
    ok(sdw_alarm_afford(&alarm, 0, 0.1) && !sdw_alarm_afford(&alarm, 239 * hour, 0.1) &&
           sdw_alarm_afford(&alarm, 240 * hour, 0.1),
       "of one of 0.1 there is one in ten days");
    ok(sdw_alarm_afford(&alarm, -hour, 0.1), "a clock that was set back begins a day");
    ok(sdw_alarm_afford(&alarm, 0, 0) && sdw_alarm_afford(&alarm, 0, 0),
       "without one all are told");
}

static void what_becomes_certain_is_told_over_the_budget(void)
{
    struct sdw_watch_settings settings = usual();
    settings.budget = 1;
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    struct sdw_sighting out;
    int first[4] = {0}, held[4] = {0}, told[4] = {0}, closed[4] = {0};
    sdw_rng_seed(&rng, 3);
    for (int i = 0; i < 480; i++) {
        double jump = i == 400 ? 2.5 : i == 460 ? 10 : i == 461 ? 40 : 1;
        out = give(watch, "link/x/bps", i * step_us, noisy(&rng) * jump);
        tally(&out, i < 460 ? first : i == 460 ? held : i == 461 ? told : closed);
        give(watch, "link/x/loss", i * step_us + second, noisy(&rng) * (i == 460 ? 20 : 1));
    }
    ok(first[0] == 1 && first[2] == 1, "the first alarm of a day is told");
    ok(held[0] == 0 && held[3] == 1, "of the second only the surge is");
    ok(told[0] == 1 && told[1] == 0, "it opens when another metric makes it certain");
    ok(closed[2] == 1, "and is closed");
    sdw_watch_free(watch);
}

/* What came of the value that was forecast, or not, and is twice of what was usual. */
static int opened_after(double mid, double width, int64_t horizon_us)
{
    struct sdw_watch_settings settings = usual();
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    int count[4] = {0};
    sdw_rng_seed(&rng, 3);
    for (int i = 0; i < 600; i++) {
        struct sdw_sighting out = give(watch, "a", i * step_us, noisy(&rng));
        tally(&out, count);
    }
    struct sdw_horizon shortest = {horizon_us, mid - width, mid, mid + width, NAN};
    sdw_watch_forecast(watch, sdw_str_of("a"), 599 * step_us, NAN, &shortest);
    sdw_watch_forecast(watch, sdw_str_of("of no series"), 599 * step_us, NAN, &shortest);
    struct sdw_sighting out = give(watch, "a", 600 * step_us, 1900);
    tally(&out, count);
    sdw_watch_free(watch);
    return count[0];
}

static void forecasts_are_what_is_expected(void)
{
    ok(opened_after(1000, 40, 2 * step_us) == 1, "a value that doubles is an alarm");
    ok(opened_after(1000, 40, step_us) == 1, "and so where that was not forecast");
    ok(opened_after(1900, 1200, step_us) == 0, "but not where it was");
    ok(opened_after(1900, 1200, 2 * step_us) == 1, "for that very time");
    ok(opened_after(1900, 1200, step_us + step_us / 3) == 0, "or one near to it");
    ok(opened_after(1900, 1200, INT64_MAX) == 1, "a time beyond all time is none");
}

static void event_of(struct sdw_watch *watch, int64_t ts, const char *kind, const char *failure,
                     const char *link)
{
    struct sdw_event event;
    sdw_rec_init(&sdw_event_schema, &event);
    event.ts = ts;
    event.kind = sdw_str_of(kind);
    event.failure = sdw_str_of(failure);
    event.link = sdw_str_of(link);
    sdw_watch_event(watch, &event);
}

static void maintenance_is_left_alone(void)
{
    struct sdw_watch_settings settings = usual();
    struct sdw_watch *watch = sdw_watch_new(&settings);
    struct sdw_rng rng;
    int i = 0, a[4] = {0}, b[4] = {0};
    sdw_rng_seed(&rng, 2);
    for (; i < 500; i++) {
        give(watch, "link/a/bps", i * step_us, noisy(&rng));
        give(watch, "link/ab/bps", i * step_us, noisy(&rng));
    }
    event_of(watch, i * step_us - 1, "degradation", "maintenance", "a");
    event_of(watch, i * step_us - 1, "degradation", "congestion", "ab");
    struct sdw_sighting out = give(watch, "link/a/bps", i * step_us, 10);
    tally(&out, a);
    ok(out.use == SDW_WATCH_HUSHED && a[0] == 0, "a link in maintenance opens nothing");
    out = give(watch, "link/ab/bps", i * step_us, 10);
    tally(&out, b);
    ok(b[0] == 1, "another link, and another failure, do");
    i++;
    event_of(watch, i * step_us - 1, "recovery", "maintenance", "a");
    out = give(watch, "link/a/bps", i * step_us, 10);
    tally(&out, a);
    ok(a[0] == 1, "after its end it is judged again, by what it was before");
    event_of(watch, i * step_us, "prediction", "gap", NULL);
    out = give(watch, "link/ab/bps", ++i * step_us, 10);
    ok(out.use == SDW_WATCH_HUSHED, "a gap that names nothing is one of all series");
    out = give(watch, "link/ab/bps", i * step_us + settings.ttl_us, 10);
    ok(out.use == SDW_WATCH_USED, "one that never ends ends by itself");
    sdw_watch_free(watch);
}

static void silence_is_missing(void)
{
    struct sdw_watch_settings settings = usual();
    struct sdw_watch *watch = sdw_watch_new(&settings);
    int open = 0, closed = 0, early = 0;
    for (int i = 0; i < 60; i++) {
        bool silent = i >= 40 && i < 50;
        if (!silent) {
            struct sdw_sighting out = give(watch, "quiet", i * step_us, 5);
            for (size_t k = 0; k < out.n; k++)
                closed +=
                    sdw_str_is(((const struct sdw_anomaly *)out.said[k].record)->state, "close");
        }
        struct sdw_sighting out = give(watch, "other", i * step_us, 7);
        for (size_t k = 0; k < out.n; k++) {
            const struct sdw_anomaly *a = out.said[k].record;
            open += sdw_str_is(a->kind, "missing") && sdw_str_is(a->state, "open");
            early += i < 43;
            ok(isnan(a->value) && sdw_str_is(a->series, "quiet"), "it has no value");
        }
    }
    ok(open == 1 && early == 0, "a series that stops is missing, once (%d, %d early)", open, early);
    ok(closed == 1, "until it is back");
    sdw_watch_free(watch);
}

static void old_series_are_forgotten(void)
{
    struct sdw_watch_settings settings = usual();
    settings.max_series = 2;
    settings.ttl_us = 100 * second;
    struct sdw_watch *watch = sdw_watch_new(&settings);
    give(watch, "a", 0, 1);
    give(watch, "b", 0, 1);
    ok(give(watch, "c", second, 1).use == SDW_WATCH_DROPPED, "the third of two series is dropped");
    for (int i = 1; i < 4; i++)
        give(watch, "b", i * 60 * second, 1);
    ok(sdw_watch_series(watch) == 1, "a series that is older than its life is forgotten");
    ok(give(watch, "c", 181 * second, 1).use == SDW_WATCH_USED, "and leaves room");
    sdw_watch_free(watch);
}

static void discoveries_are_benjamini_and_hochbergs(void)
{
    /* Of 15 probabilities (Benjamini and Hochberg, 1995, section 3.2) share 0.05 finds 4. */
    static const double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                               0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
    struct sdw_discovery discovery = {0};
    int found = 0, last = -1;
    bool least_first = true;
    int index[15];
    for (int i = 14; i >= 0; i--) {
        index[i] = i;
        sdw_discovery_add(&discovery, p[i], &index[i]);
    }
    for (int *what; (what = sdw_discovery_take(&discovery, 0.05, 15)) != NULL; found++) {
        least_first = least_first && *what > last;
        last = *what;
    }
    ok(found == 4 && least_first, "4 of the paper's 15 are discoveries, the least first (%d)",
       found);
    sdw_discovery_release(&discovery);
}

static void incidents_know_their_parts(void)
{
    struct sdw_incident *incident = sdw_incident_new(sdw_str_of("link/a-b/bps"), 1);
    ok(!sdw_incident_corroborates(incident, sdw_str_of("link/a-b/bps")),
       "a series does not corroborate itself");
    ok(sdw_incident_corroborates(incident, sdw_str_of("link/a-b/loss")),
       "another metric of the same link does");
    ok(!sdw_incident_corroborates(incident, sdw_str_of("link/a-c/loss")),
       "that of another link does not");
    sdw_incident_join(incident, sdw_str_of("link/a-b/loss"));
    ok(sdw_str_is(sdw_incident_parent(incident), "link/a-b"), "two metrics: the link");
    sdw_incident_join(incident, sdw_str_of("link/a-c/bps"));
    ok(sdw_str_is(sdw_incident_parent(incident), "link"), "two links: what holds them");
    sdw_incident_join(incident, sdw_str_of("app/x/bps"));
    ok(!sdw_incident_parent(incident).p, "nothing in common: no parent");
    for (int i = 0; i < 4; i++)
        sdw_incident_drop(incident);
}

int main(void)
{
    an_alarm_has_a_life();
    what_begins_together_is_one_incident();
    a_budget_makes_alarms_rare();
    a_budget_holds();
    a_day_begins_with_the_first_of_its_alarms();
    what_becomes_certain_is_told_over_the_budget();
    forecasts_are_what_is_expected();
    maintenance_is_left_alone();
    silence_is_missing();
    old_series_are_forgotten();
    discoveries_are_benjamini_and_hochbergs();
    incidents_know_their_parts();
    return tap_done();
}
