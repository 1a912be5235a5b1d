#include "model/gru.h"
#include "core/rng.h"

#include <math.h>

enum { U = SDW_GRU_UNITS, I = SDW_GRU_INPUTS, W = SDW_GRU_WINDOW };
enum { KEEP, RESET, CANDIDATE, GATES };
enum { BIAS = I * U, RECURRENT = BIAS + U };
enum { OUTPUT = GATES * SDW_GRU_GATE, OUTPUT_ROW = U + I + 1 };

static const float rate = 0.0015F, first_decay = 0.9F, second_decay = 0.99F;
static const float gradient_most = 1;

/* What one step computed, for the way back. */
struct pass {
    float before[U], gate[GATES][U], recurrent[U];
};

/* A gate's weights are a column of all units for each input, one of biases, and a column for each
 * unit of the state before: so that the units are computed side by side. */
void sdw_gru_init(float *weights)
{
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 16);
    memset(weights, 0, SDW_GRU_FLOATS * sizeof *weights);
    for (int g = 0; g < GATES; g++)
        for (int u = 0; u < U; u++)
            for (int i = 0; i < I + U; i++) {
                float *column = weights + g * SDW_GRU_GATE + (i < I ? i : i + 1) * U;
                column[u] = (float)((sdw_rng_unit(&rng) - 0.5) / 2);
            }
}

static float dot(const float *a, const float *b, int n)
{
    float sum[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

/* sum[U] and the n columns of U, each by its x. */
static void add_columns(float *restrict sum, const float *restrict column, const float *restrict x,
                        int n)
{
    for (int i = 0; i < n; i++, column += U)
        for (int u = 0; u < U; u++)
            sum[u] += x[i] * column[u];
}

/* The other way: to each of the n columns of U, `by` times its x. */
static void spread_columns(float *restrict column, const float *restrict by,
                           const float *restrict x, int n)
{
    for (int i = 0; i < n; i++, column += U)
        for (int u = 0; u < U; u++)
            column[u] += x[i] * by[u];
}

static float sigmoid(float a)
{
    return 1 / (1 + expf(-a));
}

static void step(const float *weights, const float *x, float *hidden, struct pass *pass)
{
    *pass = (struct pass){0};
    memcpy(pass->before, hidden, sizeof pass->before);
    for (int g = 0; g < GATES; g++) {
        const float *gate = weights + g * SDW_GRU_GATE;
        float input[U], recurrent[U] = {0};
        memcpy(input, gate + BIAS, sizeof input);
        add_columns(input, gate, x, I);
        add_columns(recurrent, gate + RECURRENT, pass->before, U);
        for (int u = 0; u < U; u++) {
            float reset = g == CANDIDATE ? pass->gate[RESET][u] : 1;
            float sum = input[u] + reset * recurrent[u];
            pass->gate[g][u] = g == CANDIDATE ? 2 * sigmoid(2 * sum) - 1 : sigmoid(sum);
        }
        memcpy(pass->recurrent, recurrent, sizeof recurrent); /* what stays is the candidate's */
    }
    for (int u = 0; u < U; u++) {
        float keep = pass->gate[KEEP][u];
        hidden[u] = keep * pass->before[u] + (1 - keep) * pass->gate[CANDIDATE][u];
    }
}

void sdw_gru_step(const float *weights, const float *x, float *hidden)
{
    struct pass pass;
    step(weights, x, hidden, &pass);
}

void sdw_gru_output(const float *weights, const float *x, const float *hidden, float *out, int n)
{
    const float *row = weights + OUTPUT;
    for (int o = 0; o < n; o++, row += OUTPUT_ROW)
        out[o] = dot(row, hidden, U) + dot(row + U, x, I) + row[OUTPUT_ROW - 1];
}

static void add(float *sum, float by, const float *a, int n)
{
    for (int i = 0; i < n; i++)
        sum[i] += by * a[i];
}

/* One step back: `slope` is the loss's by the state after the step, and becomes that by the state
 * before it. */
static void back(const float *weights, float *gradient, const float *x, const struct pass *pass,
                 float *slope)
{
    float by[GATES][U], before[U];
    for (int u = 0; u < U; u++) {
        float keep = pass->gate[KEEP][u], reset = pass->gate[RESET][u];
        float candidate = pass->gate[CANDIDATE][u];
        by[CANDIDATE][u] = slope[u] * (1 - keep) * (1 - candidate * candidate);
        by[KEEP][u] = slope[u] * (pass->before[u] - candidate) * keep * (1 - keep);
        by[RESET][u] = by[CANDIDATE][u] * pass->recurrent[u] * reset * (1 - reset);
        before[u] = slope[u] * keep;
    }
    for (int g = 0; g < GATES; g++) {
        const float *gate = weights + g * SDW_GRU_GATE;
        float *into = gradient + g * SDW_GRU_GATE, through[U];
        for (int u = 0; u < U; u++) {
            through[u] = g == CANDIDATE ? by[g][u] * pass->gate[RESET][u] : by[g][u];
            into[BIAS + u] += by[g][u];
        }
        spread_columns(into, by[g], x, I);
        spread_columns(into + RECURRENT, through, pass->before, U);
        for (int u = 0; u < U; u++)
            before[u] += dot(through, gate + RECURRENT + u * U, U);
    }
    memcpy(slope, before, sizeof before);
}

static void adam(float *weights, const float *gradient)
{
    float *first = weights + SDW_GRU_WEIGHTS, *second = first + SDW_GRU_WEIGHTS;
    float *steps = second + SDW_GRU_WEIGHTS;
    if (*steps < 1e6F)
        ++*steps;
    float unbias_first = 1 - powf(first_decay, *steps);
    float unbias_second = 1 - powf(second_decay, *steps);
    float scale = rate * sqrtf(unbias_second) / unbias_first;
    for (int i = 0; i < SDW_GRU_WEIGHTS; i++) {
        float g = gradient[i] < -gradient_most  ? -gradient_most
                  : gradient[i] > gradient_most ? gradient_most
                                                : gradient[i];
        first[i] = first_decay * first[i] + (1 - first_decay) * g;
        second[i] = second_decay * second[i] + (1 - second_decay) * g * g;
        weights[i] -= scale * first[i] / (sqrtf(second[i]) + 1e-6F);
    }
}

void sdw_gru_learn(float *weights, const float *before, const float x[][SDW_GRU_INPUTS],
                   const float *target, int n)
{
    struct pass pass[W];
    float hidden[U], out[SDW_GRU_OUTPUTS], slope[U] = {0}, gradient[SDW_GRU_WEIGHTS] = {0};
    memcpy(hidden, before, sizeof hidden);
    for (int i = 0; i < W; i++)
        step(weights, x[i], hidden, &pass[i]);
    sdw_gru_output(weights, x[W - 1], hidden, out, n);
    for (int o = 0; o < n; o++) {
        if (isnan(target[o]))
            continue;
        float error = fmaxf(-1, fminf(1, out[o] - target[o]));
        const float *row = weights + OUTPUT + o * OUTPUT_ROW;
        float *into = gradient + OUTPUT + o * OUTPUT_ROW;
        add(into, error, hidden, U);
        add(into + U, error, x[W - 1], I);
        into[OUTPUT_ROW - 1] += error;
        add(slope, error, row, U);
    }
    for (int i = W - 1; i >= 0; i--)
        back(weights, gradient, x[i], &pass[i], slope);
    adam(weights, gradient);
}
