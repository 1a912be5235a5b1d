#include "model/rls.h"

#include <math.h>

/* Column j of the triangle: the factors above the diagonal, then the variance on it. */
static const float *next_column(const float *column, int j)
{
    return column + j + 1;
}

void sdw_rls_init(float *state, int n, const double *weight, double spread)
{
    float *column = state + n;
    for (int j = 0; j < n; column += ++j) {
        state[j] = weight ? (float)weight[j] : 0;
        memset(column, 0, (size_t)j * sizeof *column);
        column[j] = (float)spread;
    }
}

double sdw_rls_predict(const float *state, int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)state[i] * x[i];
    return sum;
}

/* Keep the variances at `most` or less: the diagonal of the product of the factors. */
static void bound(float *triangle, int n, double most)
{
    double keep[SDW_RLS_MAX] = {0};
    bool high = false;
    const float *in = triangle;
    for (int j = 0; j < n; in = next_column(in, j++)) {
        for (int i = 0; i < j; i++)
            keep[i] += (double)in[i] * (double)in[i] * (double)in[j];
        keep[j] += (double)in[j];
    }
    for (int i = 0; i < n; i++) {
        high |= keep[i] > most;
        keep[i] = keep[i] > most ? sqrt(most / keep[i]) : 1;
    }
    float *out = triangle;
    for (int j = 0; high && j < n; out += ++j) {
        for (int i = 0; i < j; i++)
            out[i] = (float)(keep[i] / keep[j] * (double)out[i]);
        out[j] = (float)(keep[j] * keep[j] * (double)out[j]);
    }
}

void sdw_rls_learn(float *state, int n, const double *x, double error, double forget, double most)
{
    double seen[SDW_RLS_MAX], gain[SDW_RLS_MAX], spread[SDW_RLS_MAX], sum = forget;
    const float *in = state + n;
    for (int j = 0; j < n; in = next_column(in, j++)) {
        seen[j] = x[j];
        for (int i = 0; i < j; i++)
            seen[j] += (double)in[i] * x[i];
        gain[j] = (double)in[j] * seen[j];
        sum += seen[j] * gain[j];
        spread[j] = sum;
    }
    if (!(sum >= forget && isfinite(sum * error)))
        return;
    float *out = state + n;
    double before = forget;
    for (int j = 0; j < n; before = spread[j], out += ++j) {
        double own = gain[j], less = seen[j] / before;
        for (int i = 0; i < j; i++) {
            double factor = (double)out[i];
            out[i] = (float)(factor - less * gain[i]);
            gain[i] += factor * own;
        }
        out[j] = (float)((double)out[j] * before / (spread[j] * forget));
    }
    for (int i = 0; i < n; i++)
        state[i] += (float)(gain[i] / sum * error);
    bound(state + n, n, most);
}
