#include "model/feedback.h"

#include <math.h>
#include <stdlib.h>

enum { NO_DAY = 1000, EXPONENT_BITS = 10, EXPONENT_ZERO = 512 };

/* One forecast as it was written: six digits and a power of ten in each of the quantiles. */
struct kept {
    int32_t q[SDW_QUANTILES];
};

struct sums {
    double error, pinball, bias;
    int32_t covered, n;
};

static int stride(int steps)
{
    return (steps + SDW_FEEDBACK_KEPT - 1) / SDW_FEEDBACK_KEPT;
}

/* Forecasts of a horizon that wait at once. */
static int slots(int steps)
{
    return (steps + stride(steps) - 1) / stride(steps);
}

size_t sdw_feedback_bytes(const struct sdw_ensemble_plan *plan)
{
    size_t kept = 0;
    for (int i = 0; i < plan->n; i++)
        kept += (size_t)slots(plan->steps[i]);
    return (size_t)plan->n * sizeof(struct sums) + kept * sizeof(struct kept);
}

size_t sdw_feedback_most(size_t horizons)
{
    return horizons * (sizeof(struct sums) + SDW_FEEDBACK_KEPT * sizeof(struct kept));
}

/* sums[plan->n], then the kept forecasts of each horizon. */
static struct sums *sums_of(struct sdw_feedback *feedback)
{
    return feedback->kept;
}

static struct kept *first_kept(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan)
{
    return (struct kept *)(void *)(sums_of(feedback) + plan->n);
}

/* 10 to the power n, n >= 0. */
static double ten_to(int n)
{
    static const double power[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return n < (int)SDW_LEN(power) ? power[n] : pow(10, n);
}

/* The power of ten that leaves six digits before the point, or (now and then) seven. */
static int exponent_of(double magnitude)
{
    int two;
    frexp(magnitude, &two);
    return (int)floor((two - 1) * 0.30102999566398) - 5;
}

static long long digits_at(double value, int exponent)
{
    double scale = ten_to(abs(exponent));
    return isfinite(scale) ? llround(exponent < 0 ? value * scale : value / scale) : 0;
}

/* Digits 0 mean that nothing is kept: 0 itself is one digit at another power. */
static int32_t pack(double value)
{
    if (value == 0 || !isfinite(value))
        return 1;
    int exponent = exponent_of(fabs(value));
    long long digits = digits_at(value, exponent);
    if (llabs(digits) >= 1000000)
        digits = digits_at(value, ++exponent);
    return digits == 0 ? 1 : (int32_t)(digits * (1 << EXPONENT_BITS)) + exponent + EXPONENT_ZERO;
}

static double unpack(int32_t packed)
{
    int exponent = (packed & ((1 << EXPONENT_BITS) - 1)) - EXPONENT_ZERO;
    int32_t whole = (packed - exponent - EXPONENT_ZERO) / (1 << EXPONENT_BITS);
    double digits = whole, scale = ten_to(abs(exponent));
    return exponent < 0 ? digits / scale : digits * scale;
}

bool sdw_feedback_keeps(const struct sdw_ensemble_plan *plan, int i, int64_t index)
{
    return index % stride(plan->steps[i]) == 0;
}

void sdw_feedback_keep(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       void *block)
{
    memset(block, 0, sdw_feedback_bytes(plan));
    feedback->kept = block;
}

static void compare(struct sums *sums, const struct kept *kept, double value)
{
    double q[SDW_QUANTILES];
    for (size_t k = 0; k < SDW_QUANTILES; k++) {
        q[k] = unpack(kept->q[k]);
        double over = value - q[k];
        sums->pinball +=
            fmax(sdw_quantile_p[k] * over, (sdw_quantile_p[k] - 1) * over) / SDW_QUANTILES;
    }
    sums->error += fabs(value - q[2]);
    sums->bias += q[2] - value;
    sums->covered += q[0] <= value && value <= q[4];
    sums->n++;
}

/* Where the forecast that was made from step `origin` waits; NULL when it is not one of those
 * that are kept. */
static struct kept *place(struct kept *first, int steps, int64_t origin)
{
    int every = stride(steps);
    if (origin % every != 0)
        return NULL;
    int64_t slot = origin / every % slots(steps);
    return first + (slot < 0 ? slot + slots(steps) : slot);
}

/* What was said of the step is judged. */
static void judge(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                  int64_t index, double value)
{
    struct kept *kept = first_kept(feedback, plan);
    for (int i = 0; i < plan->n; i++) {
        /* What was about steps that never came goes unjudged. */
        int64_t from = feedback->any ? feedback->index + 1 : index;
        if (index - from > plan->steps[i])
            from = index - plan->steps[i];
        for (int64_t due = from; due <= index; due++) {
            struct kept *k = place(kept, plan->steps[i], due - plan->steps[i]);
            if (k && k->q[0] != 0 && due == index && isfinite(value))
                compare(&sums_of(feedback)[i], k, value);
            if (k)
                *k = (struct kept){{0}};
        }
        kept += slots(plan->steps[i]);
    }
}

void sdw_feedback_came(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       int64_t index, double value)
{
    if (feedback->any && index <= feedback->index)
        return;
    if (feedback->kept)
        judge(feedback, plan, index, value);
    if (feedback->any && index == feedback->index + 1 && isfinite(value) &&
        isfinite(feedback->last)) {
        feedback->change += fabs(value - feedback->last);
        feedback->changes++;
    }
    feedback->steps += feedback->any ? index - feedback->index : 1;
    feedback->any = true;
    feedback->index = index;
    feedback->last = value;
}

void sdw_feedback_said(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       int64_t index, const struct sdw_prediction *said)
{
    struct kept *kept = first_kept(feedback, plan);
    for (int i = 0; i < plan->n; i++) {
        struct kept *k = place(kept, plan->steps[i], index);
        for (size_t q = 0; k && q < SDW_QUANTILES; q++)
            k->q[q] = pack(said[i].q[q]);
        kept += slots(plan->steps[i]);
    }
}

bool sdw_feedback_due(const struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan)
{
    return feedback->steps >= (plan->day > 0 ? plan->day : NO_DAY);
}

void sdw_feedback_score(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                        struct sdw_worth *worth)
{
    double scale = feedback->changes > 0 ? feedback->change / feedback->changes : NAN;
    if (!(scale > 0))
        scale = NAN;
    for (int i = 0; i < plan->n; i++) {
        struct sums *sums = &sums_of(feedback)[i];
        double n = sums->n > 0 ? (double)sums->n : (double)NAN;
        worth[i] = (struct sdw_worth){sums->error / n / scale, sums->pinball / n / scale,
                                      sums->covered / n, sums->bias / n / scale, sums->n};
        *sums = (struct sums){0};
    }
    feedback->steps = 0;
}
