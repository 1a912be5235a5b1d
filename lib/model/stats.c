#include "model/stats.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sdw_sort_reals(double *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof *values, ascending);
}

double sdw_quantile_sorted(const double *sorted, size_t n, double q)
{
    if (n == 0)
        return NAN;
    double at = q * (double)(n - 1);
    size_t below = at <= 0 ? 0 : (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

double sdw_median(double *values, size_t n)
{
    sdw_sort_reals(values, n);
    return sdw_quantile_sorted(values, n, 0.5);
}

double sdw_unlog1p(double level, double scale)
{
    return scale * expm1(level);
}

double sdw_half_sample_mode(const double *sorted, size_t n)
{
    if (n == 0)
        return NAN;
    while (n > 3) {
        size_t half = (n + 1) / 2, best = 0;
        for (size_t i = 1; i + half <= n; i++) {
            if (sorted[i + half - 1] - sorted[i] < sorted[best + half - 1] - sorted[best])
                best = i;
        }
        sorted += best;
        n = half;
    }
    if (n == 3) {
        double left = sorted[1] - sorted[0], right = sorted[2] - sorted[1];
        if (left == right)
            return sorted[1];
        return left < right ? (sorted[0] + sorted[1]) / 2 : (sorted[1] + sorted[2]) / 2;
    }
    return n == 2 ? (sorted[0] + sorted[1]) / 2 : sorted[0];
}

/* P(T <= t) for t >= 0: the incomplete beta function by its continued fraction (Lentz). */
static double student_cdf(double t, double df)
{
    double x = df / (df + t * t), a = df / 2, b = 0.5;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    bool swap = x >= (a + 1) / (a + b + 2);
    double p = swap ? b : a, q = swap ? a : b, z = swap ? 1 - x : x;
    double c = 1, d = 1 - (p + q) * z / (p + 1), h;
    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    h = d;
    for (int m = 1; m < 400; m++) {
        double even = m * (q - m) * z / ((p + 2 * m - 1) * (p + 2 * m));
        d = 1 / (1 + even * d);
        c = 1 + even / c;
        h *= d * c;
        double odd = -(p + m) * (p + q + m) * z / ((p + 2 * m) * (p + 2 * m + 1));
        d = 1 / (1 + odd * d);
        c = 1 + odd / c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-14)
            break;
    }
    double beta = front * h / p;
    double tail = swap ? 1 - beta : beta;
    return 1 - tail / 2;
}

double sdw_student_quantile(double p, double df)
{
    if (!(p > 0 && p < 1) || !(df > 0))
        return NAN;
    if (p < 0.5)
        return -sdw_student_quantile(1 - p, df);
    if (p == 0.5)
        return 0;
    double lo = 0, hi = 1;
    while (student_cdf(hi, df) < p && hi < 1e12)
        hi *= 2;
    for (int i = 0; i < 100; i++) {
        double mid = (lo + hi) / 2;
        *(student_cdf(mid, df) < p ? &lo : &hi) = mid;
    }
    return (lo + hi) / 2;
}
