#include "model/odds.h"

#include <math.h>

/* How uncertain each coefficient is before any outcome: the forecast's own probability is
 * believed, the rest is open. */
static const double prior[SDW_ODDS_FEATURES] = {0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
static const double keep = 0.9998;       /* an outcome's weight after the next one */
static const double lead_memory = 0.997; /* the same of what the lead rests on */
static const double cov_most = 4;        /* forgetting does not open a coefficient beyond this */

void sdw_odds_init(struct sdw_odds *odds)
{
    *odds = (struct sdw_odds){.weight = {1}};
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        odds->cov[i][i] = prior[i];
}

/* A distance in spreads, bounded smoothly; 0 where it is not known. */
static double bounded(double distance, double spread, double most)
{
    double x = distance / spread;
    return isfinite(x) ? most * tanh(x / most) : 0;
}

void sdw_odds_features(const struct sdw_odds_case *c, float x[SDW_ODDS_FEATURES])
{
    double sign = c->above ? 1 : -1;
    double p = isfinite(c->p) ? fmin(0.9995, fmax(0.0005, c->p)) : 0.02;
    double spread = c->spread > 0 ? c->spread : 1e-9 * (1 + fabs(c->limit));
    double now = c->spread_now > 0 ? c->spread_now : spread;
    double tenth = 0.1 * fabs(c->limit) + 1e-300;
    double season = bounded(sign * (c->season - c->limit), spread, 3);
    double forecast = bounded(sign * (c->forecast - c->limit), spread, 3);
    x[0] = (float)log(p / (1 - p));
    x[1] = 1;
    x[2] = (float)bounded(sign * (c->value - c->limit), spread, 3);
    x[3] = (float)season;
    x[4] = (float)forecast;
    x[5] = (float)bounded(sign * (c->value - c->before), spread, 3);
    x[6] = (float)bounded(sign * (c->value - c->limit), now, 3);
    x[7] = (float)(season * forecast / 3);
    x[8] = (float)bounded(sign * (c->value - c->limit), tenth, 3);
    x[9] = (float)bounded(sign * (c->forecast - c->limit), tenth, 3);
}

static double logistic(const struct sdw_odds *odds, const float x[SDW_ODDS_FEATURES])
{
    double sum = 0;
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        sum += odds->weight[i] * (double)x[i];
    return 1 / (1 + exp(-fmin(12, fmax(-12, sum))));
}

static double share_of_raw(const struct sdw_odds *odds)
{
    return 1 / (1 + exp(-odds->lead));
}

double sdw_odds_of(const struct sdw_odds *odds, const float x[SDW_ODDS_FEATURES])
{
    double p = logistic(odds, x), raw = 1 / (1 + exp(-(double)x[0]));
    double share = share_of_raw(odds);
    return share * raw + (1 - share) * p;
}

void sdw_odds_learn(struct sdw_odds *odds, const float x[SDW_ODDS_FEATURES], bool breach)
{
    double p = logistic(odds, x), information = fmax(p * (1 - p), 1e-4);
    double raw = 1 / (1 + exp(-(double)x[0]));
    double gain = breach ? log(raw / p) : log((1 - raw) / (1 - p));
    odds->lead = lead_memory * odds->lead + fmin(1, fmax(-1, gain));
    double cx[SDW_ODDS_FEATURES], total = 1;
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++) {
        cx[i] = 0;
        for (size_t j = 0; j < SDW_ODDS_FEATURES; j++)
            cx[i] += odds->cov[i][j] * (double)x[j];
        total += information * cx[i] * (double)x[i];
    }
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        odds->weight[i] += cx[i] / total * ((breach ? 1 : 0) - p);
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++) {
        double share = information / total * cx[i];
        for (size_t j = 0; j < SDW_ODDS_FEATURES; j++)
            odds->cov[i][j] -= share * cx[j];
    }
    bool open = true;
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        open = open && odds->cov[i][i] < cov_most;
    const double grown = 1 / keep;
    for (size_t i = 0; open && i < SDW_ODDS_FEATURES; i++)
        for (size_t j = 0; j < SDW_ODDS_FEATURES; j++)
            odds->cov[i][j] *= grown;
    odds->n++;
}
