#include "model/detect_rule.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = 288, LEAST = 10 };

struct sdw_rule {
    int64_t n;
    double mean, square; /* of zscore: sum of squared differences; of ewma: the variance */
    double window[];     /* of mad: the last WINDOW values */
};

static const double ewma_weight = 0.05, mad_to_deviation = 1.4826, greatest = 1e150;

size_t sdw_rule_bytes(const struct sdw_rule_settings *settings)
{
    size_t window = settings->method == SDW_RULE_MAD ? WINDOW : 0;
    return sizeof(struct sdw_rule) + window * sizeof(double);
}

void sdw_rule_init(struct sdw_rule *rule)
{
    *rule = (struct sdw_rule){0};
}

double sdw_zscore(const double *now, const double *mean, const double *deviation, size_t n)
{
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double difference = now[i] - mean[i], z = 0;
        if (difference != 0)
            z = deviation[i] > 0 ? difference / deviation[i] : copysign(1e9, difference);
        most = fmax(most, fmax(-1e9, fmin(1e9, z)));
    }
    return most;
}

static void zscore_baseline(const struct sdw_rule *rule, double *mean, double *deviation)
{
    *mean = rule->mean;
    *deviation = sqrt(rule->square / (double)(rule->n > 1 ? rule->n - 1 : 1));
}

static void zscore_learn(struct sdw_rule *rule, double value)
{
    double difference = value - rule->mean;
    rule->mean += difference / (double)++rule->n;
    rule->square += difference * (value - rule->mean);
}

static void ewma_baseline(const struct sdw_rule *rule, double *mean, double *deviation)
{
    *mean = rule->mean;
    *deviation = sqrt(rule->square);
}

static void ewma_learn(struct sdw_rule *rule, double value)
{
    double weight = fmax(ewma_weight, 1 / (double)++rule->n), difference = value - rule->mean;
    rule->mean += weight * difference;
    rule->square = (1 - weight) * (rule->square + weight * difference * difference);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *value, size_t n)
{
    qsort(value, n, sizeof *value, by_value);
    return (value[n / 2] + value[(n - 1) / 2]) / 2;
}

static void mad_baseline(const struct sdw_rule *rule, double *mean, double *deviation)
{
    double value[WINDOW];
    size_t n = rule->n < WINDOW ? (size_t)rule->n : WINDOW;
    for (size_t i = 0; i < n; i++)
        value[i] = rule->window[i];
    *mean = n ? median_of(value, n) : 0;
    for (size_t i = 0; i < n; i++)
        value[i] = fabs(value[i] - *mean);
    *deviation = n ? mad_to_deviation * median_of(value, n) : 0;
}

static void mad_learn(struct sdw_rule *rule, double value)
{
    rule->window[rule->n++ % WINDOW] = value;
}

static const struct {
    void (*baseline)(const struct sdw_rule *rule, double *mean, double *deviation);
    void (*learn)(struct sdw_rule *rule, double value);
} methods[] = {
    [SDW_RULE_ZSCORE] = {zscore_baseline, zscore_learn},
    [SDW_RULE_MAD] = {mad_baseline, mad_learn},
    [SDW_RULE_EWMA] = {ewma_baseline, ewma_learn},
};

void sdw_rule_step(struct sdw_rule *rule, const struct sdw_rule_settings *settings, double value,
                   struct sdw_detection *out)
{
    value = fmax(-greatest, fmin(greatest, value));
    double mean, deviation;
    methods[settings->method].baseline(rule, &mean, &deviation);
    int64_t young = settings->baseline > 0 ? settings->baseline : LEAST;
    bool known = rule->n >= young;
    double z = known ? sdw_zscore(&value, &mean, &deviation, 1) : 0;
    enum sdw_anomaly_kind side = z > 0 ? SDW_ANOMALY_SPIKE : SDW_ANOMALY_DROP;
    *out = (struct sdw_detection){
        .kind = fabs(z) > settings->sigma ? side : SDW_ANOMALY_NONE,
        .p = fmax(erfc(fabs(z) / sqrt(2)), 1e-300),
        .score = fabs(z) / (fabs(z) + settings->sigma),
        .expected = known ? mean : NAN,
        .lo = known ? mean - settings->sigma * deviation : NAN,
        .hi = known ? mean + settings->sigma * deviation : NAN,
        .change = known && mean > 0 && value > 0 ? log(value / mean) : 0,
    };
    if (settings->baseline == 0 || rule->n < settings->baseline)
        methods[settings->method].learn(rule, value);
}

bool sdw_rule_is_sound(const struct sdw_rule *rule)
{
    return rule->n >= 0 && rule->n < INT64_MAX / 2;
}
