/* What is remembered of a series: the week in few bits, the newest day of it among the values. */
#include "core/mem.h"
#include "model/ensemble_state.h"
#include "model/feedback.h"
#include "model/outlook.h"
#include "unit/tap.h"

#include <fenv.h>
#include <math.h>
#include <stdlib.h>

enum { DAY = 288, WEEK = 7 * DAY, SLOT = 3, LAST = 12 };

static double value_at(int64_t t)
{
    return 1000 * (1.5 + sin((double)t / DAY * 6.2831853) * (1 + 0.1 * sin((double)t / 500)));
}

/* A history as it is in the block of a series. */
struct memory {
    struct sdw_ensemble_plan all;
    const struct sdw_history_plan *plan;
    struct sdw_ensemble *e;
    struct sdw_history *h;
};

static void begin(struct memory *m, int64_t from, int64_t to)
{
    const int64_t step_us = INT64_C(300000000), last_us = LAST * step_us;
    sdw_ensemble_plan(&m->all, step_us, &last_us, 1, SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL);
    m->plan = &m->all.history;
    m->e = sdw_xalloc(m->all.bytes);
    sdw_ensemble_init(m->e, &m->all);
    m->h = sdw_history_of(m->e, &m->all);
    for (int64_t t = from; t <= to; t++)
        sdw_history_push(m->h, m->plan, t, value_at(t));
}

/* The greatest error of the week's memory, looked at from each of the next `ahead` steps. */
static double worst_of(const struct memory *m, int64_t ahead)
{
    const struct sdw_history *h = m->h;
    double worst = 0;
    for (int64_t i = h->index + 1; i <= h->index + ahead; i++) {
        double z = sdw_history_week(h, m->plan, i, h->index);
        worst = fmax(worst, fabs(z - sdw_history_z(h, value_at(i - WEEK))));
    }
    return worst;
}

static void a_week_is_remembered(void)
{
    struct memory m;
    /* Slots begin at any step, and steps before the epoch have numbers too. */
    for (int64_t start = -5000; start < -4997; start++) {
        begin(&m, start, start + 10 * DAY + 7);
        double near = worst_of(&m, LAST), all = worst_of(&m, WEEK - SLOT);
        ok(near < 4e-3, "a week ago is known to 0.4 %% (%.1e)", near);
        ok(all < 4e-3, "and so is all since then, the newest day too (%.1e)", all);
        free(m.e);
    }
    begin(&m, 0, WEEK - 1);
    ok(isnan(sdw_history_week(m.h, m.plan, WEEK, WEEK - 1)), "before a week is over there is none");
    free(m.e);
}

static void a_gap_shifts_nothing(void)
{
    struct memory m;
    begin(&m, 0, 8 * DAY);
    for (int64_t t = 8 * DAY + 1; t <= 8 * DAY + 50; t++)
        sdw_history_push(m.h, m.plan, t, (double)NAN);
    for (int64_t t = 8 * DAY + 51; t <= 14 * DAY; t++)
        sdw_history_push(m.h, m.plan, t, value_at(t));
    double before = sdw_history_week(m.h, m.plan, 14 * DAY + 3, 14 * DAY);
    ok(fabs(before - sdw_history_z(m.h, value_at(7 * DAY + 3))) < 4e-3,
       "what was before a gap is known as it was");
    free(m.e);
}

/* Where steps are left out, too many to be gone through, nothing is divided by their number. */
static void a_long_gap_is_passed_over(void)
{
    for (int steps = 1; steps < 3 * DAY; steps++) {
        struct memory m;
        begin(&m, 0, DAY + SLOT - 1);
        feclearexcept(FE_INVALID);
        sdw_history_push(m.h, m.plan, DAY + SLOT - 1 + steps, 1000);
        if (fetestexcept(FE_INVALID)) {
            ok(false, "after %d steps that were left out what is remembered is a number", steps);
            free(m.e);
            return;
        }
        free(m.e);
    }
    ok(true, "after any gap what is remembered are numbers");
}

/* What a series takes at five-minute steps and twelve horizons, beside its name. */
static void a_series_takes_8_kb(void)
{
    int64_t horizon_us[12];
    for (int i = 0; i < 12; i++)
        horizon_us[i] = (i + 1) * INT64_C(300000000);
    struct sdw_cohort *cohort =
        sdw_cohort_new(horizon_us[0], horizon_us, 12, SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL);
    size_t bytes = sdw_cohort_state_bytes(cohort) + sdw_feedback_most(12);
    bytes += sizeof(struct sdw_outlook);
    ok(bytes < 8000, "a series takes less than 8 KB (%zu)", bytes);
    sdw_cohort_free(cohort);
}

int main(void)
{
    a_week_is_remembered();
    a_gap_shifts_nothing();
    a_long_gap_is_passed_over();
    a_series_takes_8_kb();
    return tap_done();
}
