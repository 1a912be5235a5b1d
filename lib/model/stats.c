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

double sdw_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : NAN;
}

double sdw_mean_log1p(const double *values, size_t n, double scale)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log1p(fmax(0, values[i]) / scale);
    return n ? sum / (double)n : NAN;
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

double sdw_normal_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    if (!(p > 0 && p < 1))
        return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
    if (p < 0.02425 || p > 1 - 0.02425) {
        double q = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
        double x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                   ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
        return p < 0.5 ? x : -x;
    }
    double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
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
