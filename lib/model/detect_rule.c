#include "model/detect_rule.h"

#include "model/holt_winters.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = 288, LEAST = 10, REMEMBERED = 9 };

struct sdw_rule {
    int64_t n;
    uint32_t beyond; /* of the last values, the newest lowest: out of bounds */
    int32_t slot;    /* of holtwinters: of the season, in which the value to judge comes */
    double mean;     /* of holtwinters: of the size of values */
    double square;   /* of zscore: sum of squared differences; of ewma: the variance */
    double more[];   /* of mad: the last WINDOW values; of holtwinters: its state */
};

struct seasonal {
    struct sdw_holt_winters_gain gain;
    struct sdw_holt_winters hw;
    struct sdw_holt_winters_slot slot[];
};

static const double ewma_weight = 0.05, mad_to_deviation = 1.4826, greatest = 1e150;
static const double rounding = 1e-9; /* of the size of values: less is no deviation */
static const struct sdw_holt_winters_gain winters = {0.1, 0.0035, 0.1, 0.1};
static const struct sdw_holt_winters_gain winters_without_season = {0.1, 0.0035, 0, 0.1};

static int slots_of(const struct sdw_rule_settings *settings)
{
    return settings->season.slots > 0 ? settings->season.slots : 1;
}

static size_t more_bytes(const struct sdw_rule_settings *settings)
{
    if (settings->method == SDW_RULE_MAD)
        return WINDOW * sizeof(double);
    if (settings->method == SDW_RULE_HOLT_WINTERS)
        return sizeof(struct seasonal) +
               (size_t)slots_of(settings) * sizeof(struct sdw_holt_winters_slot);
    return 0;
}

static struct seasonal *seasonal_of(struct sdw_rule *rule)
{
    return (struct seasonal *)(void *)rule->more;
}

static const struct seasonal *seasonal_see(const struct sdw_rule *rule)
{
    return (const struct seasonal *)(const void *)rule->more;
}

size_t sdw_rule_bytes(const struct sdw_rule_settings *settings)
{
    return sizeof(struct sdw_rule) + more_bytes(settings);
}

void sdw_rule_init(struct sdw_rule *rule, const struct sdw_rule_settings *settings)
{
    *rule = (struct sdw_rule){0};
    if (settings->method != SDW_RULE_HOLT_WINTERS)
        return;
    struct seasonal *s = seasonal_of(rule);
    s->gain = settings->season.slots > 0 ? winters : winters_without_season;
    sdw_holt_winters_init(&s->hw, s->slot, slots_of(settings));
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
        value[i] = rule->more[i];
    *mean = n ? median_of(value, n) : 0;
    for (size_t i = 0; i < n; i++)
        value[i] = fabs(value[i] - *mean);
    *deviation = n ? mad_to_deviation * median_of(value, n) : 0;
}

static void mad_learn(struct sdw_rule *rule, double value)
{
    rule->more[rule->n++ % WINDOW] = value;
}

static void winters_baseline(const struct sdw_rule *rule, double *mean, double *deviation)
{
    const struct seasonal *s = seasonal_see(rule);
    *mean = sdw_holt_winters_expect(&s->hw, &s->slot[rule->slot]);
    *deviation = s->slot[rule->slot].deviation;
    if (*deviation < rounding * rule->mean)
        *deviation = rounding * rule->mean;
}

static void winters_learn(struct sdw_rule *rule, double value)
{
    struct seasonal *s = seasonal_of(rule);
    sdw_holt_winters_learn(&s->hw, &s->slot[rule->slot], &s->gain, value);
    rule->mean += (fabs(value) - rule->mean) / (double)++rule->n;
}

/* An anomaly: `least` of the last `of` values are out of bounds. A deviation is so many standard
 * ones of a normal distribution. */
static const struct {
    void (*baseline)(const struct sdw_rule *rule, double *mean, double *deviation);
    void (*learn)(struct sdw_rule *rule, double value);
    int least, of;
    double standard;
} methods[] = {
    [SDW_RULE_ZSCORE] = {zscore_baseline, zscore_learn, 1, 1, 1},
    [SDW_RULE_MAD] = {mad_baseline, mad_learn, 1, 1, 1},
    [SDW_RULE_EWMA] = {ewma_baseline, ewma_learn, 1, 1, 1},
    [SDW_RULE_HOLT_WINTERS] = {winters_baseline, winters_learn, 7, REMEMBERED, 0.79788456},
};

/* Whether this value, out of bounds or not, and those before it are an anomaly. */
static bool is_aberrant(struct sdw_rule *rule, enum sdw_rule_method method, bool beyond)
{
    int sum = 0;
    rule->beyond = (rule->beyond << 1 | beyond) & ((1U << REMEMBERED) - 1);
    for (int i = 0; i < methods[method].of; i++)
        sum += (int)(rule->beyond >> i & 1);
    return sum >= methods[method].least;
}

void sdw_rule_step(struct sdw_rule *rule, const struct sdw_rule_settings *settings, int64_t ts,
                   double value, struct sdw_detection *out)
{
    value = fmax(-greatest, fmin(greatest, value));
    double mean, deviation;
    rule->slot = sdw_season_slot(&settings->season, ts);
    methods[settings->method].baseline(rule, &mean, &deviation);
    int64_t young = settings->baseline > 0 ? settings->baseline : LEAST;
    bool known = rule->n >= young && !isnan(deviation);
    double z = known ? sdw_zscore(&value, &mean, &deviation, 1) : 0;
    bool aberrant = is_aberrant(rule, settings->method, fabs(z) > settings->sigma);
    enum sdw_anomaly_kind side = z > 0 ? SDW_ANOMALY_SPIKE : SDW_ANOMALY_DROP;
    *out = (struct sdw_detection){
        .kind = aberrant ? side : SDW_ANOMALY_NONE,
        .p = fmax(erfc(fabs(z) * methods[settings->method].standard / sqrt(2)), 1e-300),
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
