#include "model/rls.h"

#include <math.h>

void sdw_rls_init(float *state, int n, const double *weight, double spread)
{
    float *p = state + n;
    for (int i = 0; i < n; i++) {
        state[i] = weight ? (float)weight[i] : 0;
        for (int j = i; j < n; j++)
            *p++ = i == j ? (float)spread : 0;
    }
}

double sdw_rls_predict(const float *state, int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)state[i] * x[i];
    return sum;
}

/* Keep the variances at `most` or less. */
static void bound(float *p, int n, double most)
{
    double keep[SDW_RLS_MAX];
    bool high = false;
    const float *diagonal = p;
    for (int i = 0; i < n; diagonal += n - i, i++) {
        keep[i] = (double)*diagonal > most ? sqrt(most / (double)*diagonal) : 1;
        high |= keep[i] < 1;
    }
    for (int i = 0; high && i < n; i++)
        for (int j = i; j < n; j++, p++)
            *p = (float)(keep[i] * keep[j] * (double)*p);
}

void sdw_rls_learn(float *state, int n, const double *x, double error, double forget, double most)
{
    double px[SDW_RLS_MAX] = {0};
    double gain = forget;
    const float *in = state + n;
    for (int i = 0; i < n; i++) {
        px[i] += (double)*in++ * x[i];
        for (int j = i + 1; j < n; j++, in++) {
            px[i] += (double)*in * x[j];
            px[j] += (double)*in * x[i];
        }
    }
    for (int i = 0; i < n; i++)
        gain += px[i] * x[i];
    if (!(gain >= forget && isfinite(gain * error)))
        return;
    float *p = state + n;
    double by = 1 / gain, grown = 1 / forget;
    for (int i = 0; i < n; i++) {
        double share = px[i] * by;
        state[i] += (float)(share * error);
        for (int j = i; j < n; j++, p++)
            *p = (float)(((double)*p - share * px[j]) * grown);
    }
    bound(state + n, n, most);
}
