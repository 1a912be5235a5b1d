/* The ensemble: plans, what it makes of ordinary and of impossible series, gaps, checkpoints. */
#include "core/rng.h"
#include "model/ensemble_state.h"
#include "unit/tap.h"

#include <float.h>
#include <stdlib.h>

static const int64_t minute = 60000000;
enum { DAY = 288, HOUR = 12 };

/* A series of 5-minute values with a plan of its own. */
struct stand {
    struct sdw_ensemble_plan plan;
    struct sdw_ensemble *e;
    struct sdw_ensemble_shared *shared;
    int64_t index;
};

static struct stand stand_new(int companions)
{
    struct stand s = {.index = 100000};
    int64_t horizon[HOUR];
    for (int i = 0; i < HOUR; i++)
        horizon[i] = (i + 1) * 5 * minute;
    sdw_ensemble_plan(&s.plan, 5 * minute, horizon, HOUR, SDW_SEASON_DAY | SDW_SEASON_WEEK,
                      companions, NULL);
    s.e = malloc(s.plan.bytes);
    s.shared = malloc(s.plan.shared_bytes);
    sdw_ensemble_init(s.e, &s.plan);
    sdw_ensemble_shared_init(s.shared, &s.plan);
    return s;
}

static void stand_free(struct stand *s)
{
    free(s->e);
    free(s->shared);
}

static bool feed(struct stand *s, double value)
{
    struct sdw_ensemble_input input = {s->index++, value, NULL};
    return sdw_ensemble_learn(s->e, &s->plan, s->shared, &input);
}

/* Finite, ascending, between the bounds. */
static bool sane(const struct stand *s, double least, double most)
{
    struct sdw_prediction p[HOUR];
    double weight[SDW_EXPERTS];
    bool good = true;
    sdw_ensemble_forecast(s->e, &s->plan, p);
    for (int i = 0; i < s->plan.n; i++) {
        double sum = 0;
        good &= isfinite(p[i].mean) && p[i].mean >= least && p[i].mean <= most;
        for (int j = 0; j < SDW_QUANTILES; j++)
            good &=
                p[i].q[j] >= least && p[i].q[j] <= most && (j == 0 || p[i].q[j - 1] <= p[i].q[j]);
        sdw_ensemble_weights(s->e, &s->plan, i, weight);
        for (int k = 0; k < SDW_EXPERTS; k++) {
            sum += weight[k];
            good &= weight[k] >= 0;
        }
        double odds = sdw_ensemble_window_beyond(s->e, &s->plan, i, true, p[i].q[2]);
        good &= fabs(sum - 1) < 1e-6 && odds >= 0 && odds <= 1;
        good &= isfinite(sdw_ensemble_window_quantile(s->e, &s->plan, i, false, 0.01));
    }
    return good && isfinite(sdw_ensemble_season(s->e, &s->plan, 6));
}

static void plans_are_checked(void)
{
    struct sdw_ensemble_plan plan;
    struct sdw_err err = {0};
    int64_t hour = 60 * minute, two[2] = {minute, minute + 1}, long_one = 5000 * minute;
    ok(sdw_ensemble_plan(&plan, 5 * minute, &hour, 0, 0, 0, &err) == SDW_EUSAGE,
       "no horizon is refused: %s", err.text);
    ok(sdw_ensemble_plan(&plan, 5 * minute, two, 2, 0, 0, &err) == SDW_EUSAGE,
       "two horizons within a step are refused: %s", err.text);
    ok(sdw_ensemble_plan(&plan, minute, &long_one, 1, 0, 0, &err) == SDW_EUSAGE,
       "too many steps are refused: %s", err.text);
    ok(sdw_ensemble_plan(&plan, 1, &hour, 1, 0, 0, &err) == SDW_EUSAGE,
       "a step of a microsecond is refused: %s", err.text);
    ok(sdw_ensemble_plan(&plan, minute, &hour, 1, 0, 9, &err) == SDW_EUSAGE,
       "nine companions are refused: %s", err.text);
    struct stand s = stand_new(0);
    ok(s.plan.anchors == 4 && s.plan.anchor[0] == 1 && s.plan.anchor[3] == HOUR,
       "an hour of 5-minute steps has four anchors, from the first step to the last");
    ok(s.plan.bytes <= 8192, "a series takes %zu bytes, at most 8192", s.plan.bytes);
    stand_free(&s);
    int64_t day[24];
    for (int i = 0; i < 24; i++)
        day[i] = (i + 1) * 60 * minute;
    sdw_ensemble_plan(&plan, 60 * minute, day, 24, SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL);
    ok(plan.anchors == SDW_ANCHORS_MAX && plan.bytes <= 11264,
       "a day of hours has %d anchors in %zu bytes, at most 11264", plan.anchors, plan.bytes);
}

static double impossible(int kind, int i, struct sdw_rng *rng)
{
    switch (kind) {
    case 0:
        return 42;
    case 1:
        return 0;
    case 2:
        return NAN;
    case 3:
        return i == 0 ? 5 : NAN;
    case 4:
        return i % 2 ? 1e308 : -1e308;
    case 5:
        return i % 7 == 3 ? 1e308 : 1;
    case 6:
        return i % 2 ? 1 : -1;
    case 7:
        return i % 3 ? 1e-308 : 0;
    case 8:
        return i % 5 ? sdw_rng_normal(rng) : (i % 2 ? INFINITY : -INFINITY);
    case 9:
        return exp(i / 5.0) < 1e300 ? exp(i / 5.0) : 1e300;
    default:
        return sdw_rng_unit(rng) < 0.5 ? NAN : sdw_rng_normal(rng) * pow(10, i % 40);
    }
}

/* Whether what each expert said last is a number within the series' own range. */
static bool experts_are_sane(const struct stand *s)
{
    const struct sdw_history *h = sdw_history_see(s->e, &s->plan);
    double least = sdw_history_z(h, sdw_history_floor(h));
    double most = sdw_history_z(h, sdw_history_ceiling(h));
    double room =
        1e-2 * fmax(1, fmax(fabs(least), fabs(most))); /* they are kept to a share of that */
    bool good = true;
    for (int a = 0; a < s->plan.anchors; a++) {
        struct sdw_pending said = {0};
        sdw_waiting_get(sdw_waiting_of(s->e, &s->plan, a, h->index), &s->plan, &said);
        for (int i = 0; i < SDW_EXPERTS && said.scale > 0; i++)
            good &= s->plan.without & (1U << i) || ((double)said.expert[i] >= least - room &&
                                                    (double)said.expert[i] <= most + room);
    }
    return good;
}

/* Days of an impossible series with itself as its companion, foreseen by all experts but
 * `without`: nothing but numbers, within twice the range. */
static bool survives(int kind, unsigned without)
{
    struct stand s = stand_new(1);
    struct sdw_rng rng;
    double least = INFINITY, most = -INFINITY;
    bool good = true;
    s.plan.without = without;
    sdw_rng_seed(&rng, 11);
    for (int i = 0; i < 3 * DAY; i++) {
        double value = impossible(kind, i, &rng);
        struct sdw_ensemble_input input = {s.index++, value, &value};
        good &= sdw_ensemble_learn(s.e, &s.plan, s.shared, &input);
        if (isfinite(value)) {
            least = fmin(least, value);
            most = fmax(most, value);
        }
        double room = (most / 2 - least / 2) * (1 + 1e-9);
        if (sdw_ensemble_cold(s.e, &s.plan))
            room = fmax(room, fmax(fabs(least), fabs(most)) / 2);
        if (isfinite(least))
            good &= sane(&s, fmax(-DBL_MAX, least - room), fmin(DBL_MAX, most + room)) &&
                    experts_are_sane(&s);
    }
    if (kind == 2) {
        struct sdw_prediction p[HOUR];
        sdw_ensemble_forecast(s.e, &s.plan, p);
        good &= isnan(p[0].mean) && sdw_ensemble_values(s.e, &s.plan) == 0;
    }
    stand_free(&s);
    return good;
}

static unsigned only(const char *expert)
{
    unsigned mask = 0;
    for (int i = 0; i < SDW_EXPERTS; i++)
        mask |= strcmp(sdw_expert_name(i), expert) == 0 ? 0 : 1U << i;
    return mask;
}

static void nothing_impossible_leaves(void)
{
    static const char *const name[] = {"constant",
                                       "all zero",
                                       "all missing",
                                       "one value",
                                       "1e308 and -1e308",
                                       "bursts of 1e308",
                                       "alternating sign",
                                       "almost nothing",
                                       "infinite values",
                                       "growing from 1 to 1e300",
                                       "half missing, of all sizes"};
    for (int kind = 0; kind < (int)(sizeof name / sizeof *name); kind++) {
        ok(survives(kind, 0), "%s: nothing but numbers, within twice the range", name[kind]);
        for (int i = 0; i < SDW_EXPERTS; i++)
            ok(survives(kind, only(sdw_expert_name(i))), "%s: nor by %s alone", name[kind],
               sdw_expert_name(i));
    }
}

/* Load over the day with noise that remembers and, if wanted, bursts. */
static double load(struct sdw_rng *rng, double *noise, int t, double bursts)
{
    *noise = 0.8 * *noise + sdw_rng_normal(rng);
    double value = 100 * (1 + 0.6 * sin(2 * 3.14159265358979 * t / DAY)) * (1 + 0.04 * *noise);
    return sdw_rng_unit(rng) < bursts ? 3 * value : value;
}

struct tally {
    double error, naive;
    int n, in_80, in_95, beyond;
    double odds;
};

/* `days` of load, scaled by `factor` from day `shift` on; tallied from day `from` to `to`. */
static struct tally tally(double bursts, double factor, int shift, int from, int to)
{
    struct stand s = stand_new(0);
    struct tally sum = {0};
    struct sdw_rng rng;
    double noise = 0, *value = malloc((size_t)(to * DAY) * sizeof *value);
    sdw_rng_seed(&rng, 13);
    for (int t = 0; t < to * DAY; t++)
        value[t] = load(&rng, &noise, t, bursts) * (t >= shift * DAY ? factor : 1);
    for (int t = 0; t < to * DAY - HOUR; t++) {
        struct sdw_prediction p[HOUR];
        feed(&s, value[t]);
        if (t < from * DAY)
            continue;
        sdw_ensemble_forecast(s.e, &s.plan, p);
        double most = 0, limit = 1.05 * value[t];
        for (int h = 1; h <= HOUR; h++) {
            double v = value[t + h];
            const double *q = p[h - 1].q;
            most = fmax(most, v);
            sum.n++;
            sum.in_80 += q[1] <= v && v <= q[3];
            sum.in_95 += q[0] <= v && v <= q[4];
            sum.error += fabs(v - q[2]);
            sum.naive += fabs(v - value[t]);
        }
        sum.beyond += most > limit;
        sum.odds += sdw_ensemble_window_beyond(s.e, &s.plan, HOUR - 1, true, limit);
    }
    free(value);
    stand_free(&s);
    return sum;
}

/* What each expert is for: a series, and the error of its hour alone to that of the last value. */
static double walk(struct sdw_rng *rng, double *past, int t)
{
    (void)t;
    past[0] += 0.01 * sdw_rng_normal(rng);
    return 100 * exp(past[0]);
}

static double noise_around_a_level(struct sdw_rng *rng, double *past, int t)
{
    past[0] += t % (2 * DAY) == 0 ? 0.3 * sdw_rng_normal(rng) : 0;
    return 100 * exp(past[0] + 0.1 * sdw_rng_normal(rng));
}

static double day_and_distance(struct sdw_rng *rng, double *past, int t)
{
    past[0] = 0.95 * past[0] + 0.02 * sdw_rng_normal(rng);
    return 100 * exp(sin(2 * M_PI * 3 * t / DAY) + past[0]);
}

static double week_of_other_days(struct sdw_rng *rng, double *past, int t)
{
    (void)past;
    double day = t / DAY % 7 < 5 ? sin(2 * M_PI * 2 * t / DAY) : -0.5;
    return 100 * exp(day + 0.02 * sdw_rng_normal(rng));
}

static double oscillation(struct sdw_rng *rng, double *past, int t)
{
    (void)t;
    double now = 1.6 * past[0] - 0.9 * past[1] + 0.02 * sdw_rng_normal(rng);
    past[1] = past[0];
    past[0] = now;
    return 100 * exp(now);
}

static double alone(const char *expert, double (*value_of)(struct sdw_rng *, double *, int))
{
    enum { DAYS = 28, FROM = 15 };
    struct stand s = stand_new(0);
    struct sdw_rng rng;
    double past[2] = {0}, error = 0, naive = 0, *value = malloc(DAYS * DAY * sizeof *value);
    s.plan.without = only(expert);
    sdw_rng_seed(&rng, 41);
    for (int t = 0; t < DAYS * DAY; t++)
        value[t] = value_of(&rng, past, t);
    for (int t = 0; t < DAYS * DAY - HOUR; t++) {
        struct sdw_prediction p[HOUR];
        feed(&s, value[t]);
        if (t < FROM * DAY)
            continue;
        sdw_ensemble_forecast(s.e, &s.plan, p);
        for (int h = 1; h <= HOUR; h++) {
            error += fabs(value[t + h] - p[h - 1].q[2]);
            naive += fabs(value[t + h] - value[t]);
        }
    }
    free(value);
    stand_free(&s);
    return error / naive;
}

static void each_expert_knows_its_own(void)
{
    static const struct {
        const char *expert, *series;
        double (*value_of)(struct sdw_rng *, double *, int);
        double bar;
    } own[] = {
        {"naive", "a random walk", walk, 1.05},
        {"damped", "noise around a level", noise_around_a_level, 0.9},
        {"profile", "a day and a distance from it", day_and_distance, 0.5},
        {"seasonal", "a week of other days", week_of_other_days, 0.5},
        {"regression", "a week of other days", week_of_other_days, 0.5},
        {"autoregression", "an oscillation", oscillation, 0.7},
        {"recurrent", "an oscillation", oscillation, 0.75},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        double ratio = alone(own[i].expert, own[i].value_of);
        ok(ratio < own[i].bar, "%s alone foresees %s: %.2f of the last value's error, below %g",
           own[i].expert, own[i].series, ratio, own[i].bar);
    }
}

static void intervals_cover(void)
{
    for (int bursts = 0; bursts < 2; bursts++) {
        struct tally t = tally(bursts * 0.02, 1, 99, 8, 20);
        double n = t.n / 100.0, steps = t.n / (double)HOUR;
        is_near(t.in_95 / n, 95, 2, "a load %s bursts is within its 95 %% interval so often",
                bursts ? "with" : "without");
        is_near(t.in_80 / n, 80, 3, "and within its 80 %% interval so often");
        ok(t.error < 0.85 * t.naive, "and foreseen better than by its last value (%.2f)",
           t.error / t.naive);
        is_near(t.odds / steps, t.beyond / steps, 0.05,
                "the odds of a window's maximum are as it then is");
    }
    for (int down = 0; down < 2; down++) {
        struct tally t = tally(0, down ? 0.5 : 2, 15, 16, 17);
        double share = 100.0 * t.in_95 / t.n;
        ok(share >= 90 && share <= 99, "a day after a load %s, %.1f %% is within the interval",
           down ? "halved" : "doubled", share);
    }
}

static void other_levels_agree(void)
{
    struct stand s = stand_new(0);
    struct sdw_rng rng;
    struct sdw_prediction p[HOUR];
    double noise = 0;
    sdw_rng_seed(&rng, 17);
    for (int t = 0; t < 9 * DAY; t++)
        feed(&s, load(&rng, &noise, t, 0));
    sdw_ensemble_forecast(s.e, &s.plan, p);
    bool same = true, rising = true;
    for (int i = 0; i < HOUR; i++)
        for (int j = 0; j < SDW_QUANTILES; j++)
            same &= sdw_ensemble_quantile(s.e, &s.plan, i, sdw_quantile_p[j]) == p[i].q[j];
    ok(same, "a quantile asked for is the one that the forecast has");
    for (double q = 0.01; q < 0.985; q += 0.01)
        rising &= sdw_ensemble_quantile(s.e, &s.plan, 5, q) <=
                  sdw_ensemble_quantile(s.e, &s.plan, 5, q + 0.01);
    ok(rising, "quantiles of any level rise");
    double low = sdw_ensemble_window_quantile(s.e, &s.plan, 11, true, 0.2);
    double high = sdw_ensemble_window_quantile(s.e, &s.plan, 11, true, 0.8);
    is_near(sdw_ensemble_window_beyond(s.e, &s.plan, 11, true, low), 0.8, 1e-2,
            "odds and quantiles of a window's maximum agree");
    is_near(sdw_ensemble_window_beyond(s.e, &s.plan, 11, true, high), 0.2, 1e-2,
            "at both ends of it");
    double least = sdw_ensemble_window_quantile(s.e, &s.plan, 11, false, 0.5);
    ok(least < low, "a window's minimum is below its maximum");
    is_near(sdw_ensemble_window_beyond(s.e, &s.plan, 11, false, least), 0.5, 1e-2,
            "odds of falling below it agree too");
    stand_free(&s);
}

static void surprise_is_that_of_the_step_before(void)
{
    struct stand s = stand_new(0);
    struct sdw_rng rng;
    struct sdw_prediction p[HOUR];
    double noise = 0;
    sdw_rng_seed(&rng, 19);
    feed(&s, 1);
    ok(isnan(sdw_ensemble_surprise(s.e)) && sdw_ensemble_cold(s.e, &s.plan),
       "a series that is cold surprises nobody");
    for (int t = 0; t < 5 * DAY; t++)
        feed(&s, load(&rng, &noise, t, 0));
    sdw_ensemble_forecast(s.e, &s.plan, p);
    feed(&s, 3 * p[0].q[2]);
    ok(sdw_ensemble_surprise(s.e) > 5, "three times what was expected is a surprise (%.1f)",
       sdw_ensemble_surprise(s.e));
    sdw_ensemble_forecast(s.e, &s.plan, p);
    feed(&s, p[0].q[2]);
    is_near(sdw_ensemble_surprise(s.e), 0, 1e-3, "the median of the step before is none");
    feed(&s, NAN);
    ok(isnan(sdw_ensemble_surprise(s.e)), "a missing value is none");
    stand_free(&s);
}

static void gaps_are_bridged(void)
{
    struct stand s = stand_new(0);
    struct sdw_rng rng;
    struct sdw_prediction before[HOUR], after[HOUR];
    double noise = 0;
    int t = 0;
    sdw_rng_seed(&rng, 23);
    for (; t < 10 * DAY; t++)
        feed(&s, load(&rng, &noise, t, 0));
    sdw_ensemble_forecast(s.e, &s.plan, before);
    struct sdw_ensemble_input late = {s.index - 1, 1, NULL};
    ok(!sdw_ensemble_learn(s.e, &s.plan, s.shared, &late), "a value that is not later is refused");
    feed(&s, NAN);
    feed(&s, NAN);
    sdw_ensemble_forecast(s.e, &s.plan, after);
    ok(after[0].q[4] - after[0].q[0] > 1.2 * (before[0].q[4] - before[0].q[0]),
       "what is missing widens the interval");
    s.index += DAY / 2;
    t += 2 + DAY / 2;
    feed(&s, load(&rng, &noise, t, 0));
    for (int i = 0; i < HOUR; i++)
        feed(&s, load(&rng, &noise, ++t, 0));
    double season = sdw_ensemble_season(s.e, &s.plan, 1);
    double want = 100 * (1 + 0.6 * sin(2 * 3.14159265358979 * (t + 1) / DAY));
    is_near(season, want, 0.15 * want, "after half a day without values the phase is right");
    s.index += INT64_C(1) << 40;
    feed(&s, 100);
    ok(sane(&s, -1000, 1000), "a gap of a million years is passed over");
    stand_free(&s);
}

static void checkpoint_is_a_copy(void)
{
    struct stand a = stand_new(0), b = stand_new(0);
    struct sdw_rng rng;
    struct sdw_prediction p[HOUR], q[HOUR];
    double noise = 0, value[2 * DAY];
    sdw_rng_seed(&rng, 29);
    for (int t = 0; t < 4 * DAY; t++)
        feed(&a, load(&rng, &noise, t, 0.01));
    memcpy(b.e, a.e, a.plan.bytes);
    memcpy(b.shared, a.shared, a.plan.shared_bytes);
    b.index = a.index;
    for (int t = 0; t < 2 * DAY; t++)
        feed(&a, value[t] = load(&rng, &noise, t, 0.01));
    for (int t = 0; t < 2 * DAY; t++)
        feed(&b, value[t]);
    sdw_ensemble_forecast(a.e, &a.plan, p);
    sdw_ensemble_forecast(b.e, &b.plan, q);
    ok(memcmp(p, q, sizeof p) == 0 && memcmp(a.e, b.e, a.plan.bytes) == 0,
       "from a copy of its bytes a series goes on to the same bytes");
    stand_free(&a);
    stand_free(&b);
}

/* The series follows its companion two steps later. */
static void companions_help(void)
{
    double error[2] = {0};
    for (int with = 0; with < 2; with++) {
        struct stand s = stand_new(1);
        struct sdw_rng rng;
        double ahead[2] = {100, 100};
        sdw_rng_seed(&rng, 31);
        s.plan.without = with ? 0 : 1U << (SDW_EXPERTS - 1);
        for (int t = 0; t < 10 * DAY; t++) {
            struct sdw_prediction p[HOUR];
            double companion = 100 * exp(0.3 * sdw_rng_normal(&rng));
            double value = ahead[0] * exp(0.02 * sdw_rng_normal(&rng));
            sdw_ensemble_learn(s.e, &s.plan, s.shared,
                               &(struct sdw_ensemble_input){s.index++, value, &companion});
            sdw_ensemble_forecast(s.e, &s.plan, p);
            ahead[0] = ahead[1];
            ahead[1] = companion;
            if (t > 3 * DAY)
                error[with] += fabs(p[0].q[2] - ahead[0]);
        }
        stand_free(&s);
    }
    ok(strcmp(sdw_expert_name(SDW_EXPERTS - 1), "companions") == 0 && error[1] < 0.6 * error[0],
       "what came with the values is used where it tells (%.2f of the error without)",
       error[1] / error[0]);
}

static void a_new_series_starts_as_others_are(void)
{
    struct stand s = stand_new(0);
    struct sdw_rng rng;
    struct sdw_prediction alone[HOUR], pooled[HOUR];
    sdw_rng_seed(&rng, 37);
    feed(&s, 100);
    sdw_ensemble_forecast(s.e, &s.plan, alone);
    for (int t = 0; t < 2 * DAY; t++)
        feed(&s, 100 + 0.1 * sdw_rng_normal(&rng));
    sdw_ensemble_init(s.e, &s.plan);
    feed(&s, 100);
    sdw_ensemble_forecast(s.e, &s.plan, pooled);
    ok(sdw_ensemble_cold(s.e, &s.plan) && sane(&s, 0, 200), "the first value gives a forecast");
    ok(pooled[0].q[4] - pooled[0].q[0] < (alone[0].q[4] - alone[0].q[0]) / 4 &&
           pooled[0].q[4] > pooled[0].q[0],
       "as sure as others of its kind have shown to be");
    stand_free(&s);
}

int main(void)
{
    plans_are_checked();
    nothing_impossible_leaves();
    each_expert_knows_its_own();
    intervals_cover();
    other_levels_agree();
    surprise_is_that_of_the_step_before();
    gaps_are_bridged();
    checkpoint_is_a_copy();
    companions_help();
    a_new_series_starts_as_others_are();
    return tap_done();
}
