/* Forecasts are kept until their value comes, in the digits they were written with. */
#include "core/buf.h"
#include "core/mem.h"
#include "core/num.h"
#include "model/feedback.h"
#include "unit/tap.h"

#include <stdlib.h>

static struct sdw_ensemble_plan plan_of(const int64_t *horizon_steps, size_t n)
{
    struct sdw_ensemble_plan plan;
    int64_t horizon_us[8];
    for (size_t i = 0; i < n; i++)
        horizon_us[i] = horizon_steps[i] * INT64_C(300000000);
    sdw_ensemble_plan(&plan, INT64_C(300000000), horizon_us, n, SDW_SEASON_DAY, 0, NULL);
    return plan;
}

static struct sdw_prediction flat(double value)
{
    return (struct sdw_prediction){value, {value, value, value, value, value}};
}

/* What a reader gets of a number that was written with six digits. */
static double as_written(double value)
{
    struct sdw_buf text = {0};
    double back = 0;
    sdw_buf_model(&text, value);
    sdw_num_real(sdw_buf_view(&text), &back);
    sdw_buf_release(&text);
    return back;
}

static void digits_are_those_written(void)
{
    static const double values[] = {0,          1,        -1,     123456.5, 1234567, 999999.5,
                                    9.99999951, 0.001,    1e-9,   -7.25e12, 1e149,   5e-324,
                                    0.1234565,  99999.95, 3e-300, 1e15};
    static const int64_t steps[] = {1};
    struct sdw_ensemble_plan plan = plan_of(steps, 1);
    void *block = sdw_xalloc(sdw_feedback_bytes(&plan));
    for (size_t i = 0; i < SDW_LEN(values); i++) {
        struct sdw_prediction said[1] = {flat(values[i])};
        struct sdw_worth worth;
        struct sdw_feedback f = {0}, *feedback = &f;
        sdw_feedback_keep(feedback, &plan, block);
        sdw_feedback_came(feedback, &plan, 0, 0);
        sdw_feedback_said(feedback, &plan, 0, said);
        sdw_feedback_came(feedback, &plan, 1, 1);
        sdw_feedback_score(feedback, &plan, &worth);
        double want = as_written(values[i]) - 1;
        is_near(worth.bias, want, 1e-12 * fabs(want), "%g is kept as it is written", values[i]);
    }
    free(block);
}

static void steps_that_never_come_are_not_judged(void)
{
    static const int64_t steps[] = {1, 3, 20};
    struct sdw_ensemble_plan plan = plan_of(steps, 3);
    void *block = sdw_xalloc(sdw_feedback_bytes(&plan));
    struct sdw_worth worth[3];
    struct sdw_feedback f = {0}, *feedback = &f;
    sdw_feedback_keep(feedback, &plan, block);
    for (int i = 0; i < 100; i++) {
        struct sdw_prediction said[3] = {flat(i), flat(i), flat(i)};
        if (i >= 40 && i < 60)
            continue;
        sdw_feedback_came(feedback, &plan, i, i == 70 ? (double)NAN : (double)i);
        if (i != 70)
            sdw_feedback_said(feedback, &plan, i, said);
    }
    sdw_feedback_score(feedback, &plan, worth);
    is_near((double)worth[0].n, 99 - 21 - 1 - 1, 0, "a gap of twenty and a missing value");
    is_near(worth[0].bias, -1, 1e-12, "a ramp is missed by one step after one");
    is_near(worth[1].bias, -3, 1e-12, "and by three after three");
    is_near(worth[2].bias, -20, 1e-12, "and by twenty after twenty");
    is_near((double)worth[2].n, 3, 0, "of which one in ten is kept");
    sdw_feedback_score(feedback, &plan, worth);
    ok(worth[0].n == 0, "a score begins anew");
    free(block);
}

int main(void)
{
    digits_are_those_written();
    steps_that_never_come_are_not_judged();
    return tap_done();
}
