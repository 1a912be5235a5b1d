/* What the ensemble's experts are made of, against closed forms and against R. */
#include "core/rng.h"
#include "model/gru.h"
#include "model/rls.h"
#include "model/smoothing.h"
#include "model/tracker.h"
#include "unit/tap.h"

#include <stdlib.h>

/* x <- c(12,15,...) */
static const double x[] = {12, 15, 14, 18, 21, 19, 24, 23, 27, 26, 30, 33,
                           29, 35, 34, 38, 37, 41, 40, 44, 39, 42, 46, 45};
enum { N = sizeof x / sizeof *x };

/* The forecast of R's model from the same initial state. */
static double smooth(struct sdw_smoothing_gain gain, double level, double trend, int from,
                     int steps)
{
    double last = from > 0 ? x[from - 1] : 0;
    struct sdw_smoothing s = {level - last, trend};
    for (int i = from; i < N; i++) {
        sdw_smoothing_step(&s, &gain, x[i] - last);
        last = x[i];
    }
    return last + sdw_smoothing_ahead(&s, &gain, steps);
}

static void smoothing_agrees_with_R(void)
{
    /* HoltWinters(x, alpha=a, beta=FALSE, gamma=FALSE)$coefficients */
    is_near(smooth((struct sdw_smoothing_gain){0.15, 0, 1}, x[0], 0, 1, 1), 38.7666490306, 1e-9,
            "simple smoothing is R's, alpha 0.15");
    is_near(smooth((struct sdw_smoothing_gain){0.4, 0, 1}, x[0], 0, 1, 5), 43.7449772423, 1e-9,
            "simple smoothing is R's, alpha 0.4, at any horizon");
    is_near(smooth((struct sdw_smoothing_gain){0.8, 0, 1}, x[0], 0, 1, 1), 45.0227333048, 1e-9,
            "simple smoothing is R's, alpha 0.8");
    /* HoltWinters(x, alpha=.5, beta=.1, gamma=FALSE, l.start=12, b.start=0)$coefficients: a, b.
     * It starts at the third value. */
    struct sdw_smoothing_gain holt = {0.5, 0.05, 1};
    is_near(smooth(holt, 12, 0, 2, 1), 45.50786693025 + 1.18794234474, 1e-9,
            "Holt's trend is R's, a step ahead");
    is_near(smooth(holt, 12, 0, 2, 4), 45.50786693025 + 4 * 1.18794234474, 1e-9,
            "Holt's trend is R's, four steps ahead");
    /* f <- ets(ts(x), model="AAN", damped=TRUE, alpha=.5, beta=.05, phi=.9, opt.crit="mse");
     * f$states[1,]; forecast(f, h=3)$mean */
    struct sdw_smoothing_gain damped = {0.5, 0.05, 0.9};
    is_near(smooth(damped, 8.68041448935, 3.15821522274, 0, 1), 45.4291191755, 1e-8,
            "the damped trend is R's ets, a step ahead");
    is_near(smooth(damped, 8.68041448935, 3.15821522274, 0, 3), 46.3759912706, 1e-8,
            "the damped trend is R's ets, three steps ahead");
}

/* Ordinary least squares of two weights by the normal equations. */
static void least_squares_is_exact(void)
{
    struct sdw_rng rng;
    float state[SDW_RLS_FLOATS(2)];
    double a11 = 0, a12 = 0, a22 = 0, b1 = 0, b2 = 0;
    sdw_rng_seed(&rng, 3);
    sdw_rls_init(state, 2, NULL, 1e4);
    for (int i = 0; i < 500; i++) {
        double in[2] = {1, sdw_rng_normal(&rng)};
        double y = 3 - 2 * in[1] + 0.1 * sdw_rng_normal(&rng);
        a11 += 1;
        a12 += in[1];
        a22 += in[1] * in[1];
        b1 += y;
        b2 += in[1] * y;
        sdw_rls_learn(state, 2, in, y - sdw_rls_predict(state, 2, in), 1, 1e6);
    }
    double det = a11 * a22 - a12 * a12;
    is_near(sdw_rls_predict(state, 2, (double[]){1, 0}), (a22 * b1 - a12 * b2) / det, 1e-4,
            "without forgetting the constant is that of least squares");
    is_near(sdw_rls_predict(state, 2, (double[]){0, 1}), (a11 * b2 - a12 * b1) / det, 1e-4,
            "and so is the slope");
}

/* y <- round(arima.sim(list(ar=c(.6,.2)), 200), 3) after set.seed(1): every value counts. */
static const double y[] = {
    -0.929, 0.314,  0.766,  0.358,  0.115,  0.837,  1.082,  0.128,  -0.414, 0.142,  0.771,  0.378,
    1.262,  1.231,  0.379,  0.815,  -0.565, 1.257,  2.622,  1.457,  0.355,  1.074,  0.58,   2.965,
    1.856,  2.396,  1.837,  0.838,  1.059,  -1.002, 1.076,  0.599,  2.747,  2.243,  1.185,  1.771,
    0.365,  -0.68,  -0.044, -0.606, -0.371, -0.269, -0.825, -1.118, -0.971, 0.372,  -1.495, -0.228,
    -0.103, 0.956,  0.249,  0.71,   0.743,  0.045,  1.384,  2,      2.177,  3.293,  2.97,   1.164,
    0.719,  -0.561, -0.666, -1.132, -0.77,  -1.6,   -0.956, -1.548, 0.647,  0.796,  1.517,  1.453,
    2.858,  1.37,   0.932,  2.265,  0.895,  0.782,  0.256,  -0.01,  -0.234, 0.352,  -0.013, -0.443,
    1.074,  0.341,  0.24,   0.112,  0.828,  0.446,  0.395,  -0.355, -0.458, -0.286, -0.852, -0.037,
    -1.711, -0.727, -2.315, -1.836, -2.093, -2.275, -1.84,  -3.473, -1.276, -3.125, -2.594, -3.297,
    -3.248, -0.521, -0.945, -1.957, -3.004, -1.744, -1.666, -1.666, -2.262, -3.178, -3.434, -1.696,
    -2.326, -3.119, -0.467, -0.479, -0.62,  0.591,  1.117,  0.169,  2.531,  1.297,  -0.14,  0.031,
    0.198,  2.433,  1.605,  1.907,  1.388,  0.88,   0.771,  1.426,  3.085,  3.164,  3.723,  1.635,
    2.71,   2.173,  0.378,  1.183,  0.627,  2.077,  0.605,  0.348,  -0.596, -0.465, 0.004,  -0.822,
    0.338,  -1.17,  -1.682, 0.198,  -1.234, -0.289, -0.801, -0.129, 1.451,  2.432,  1.418,  -0.948,
    2.213,  1.805,  2.067,  1.588,  1.876,  1.279,  1.563,  0.793,  -0.581, 0.798,  1.882,  0.98,
    -0.289, 0.665,  0.296,  -1.422, -0.792, -1.39,  -1.333, -2.235, 0.196,  -0.661, -1.963, -1.113,
    -0.797, -1.686, -4.06,  -3.414, -2.29,  -2.116, -1.826, -0.958};
enum { LENGTH = sizeof y / sizeof *y };

/* R's conditional log-likelihood, of innovations whose squares sum to `squares`. */
static double likelihood(double squares)
{
    return -0.5 * LENGTH * (1 + log(2 * M_PI * squares / (LENGTH - 2)));
}

/* One pass over y: the sum of the squares of what could not be foreseen, learned from or not. */
static double pass(float *state, bool learns)
{
    double squares = 0;
    for (int i = 2; i < LENGTH; i++) {
        double in[3] = {1, y[i - 1], y[i - 2]};
        double error = y[i] - sdw_rls_predict(state, 3, in);
        squares += error * error;
        if (learns)
            sdw_rls_learn(state, 3, in, error, 1, 1e8);
    }
    return squares;
}

static double ahead_three(const float *state)
{
    double path[5] = {y[LENGTH - 2], y[LENGTH - 1]};
    for (int i = 2; i < 5; i++)
        path[i] = sdw_rls_predict(state, 3, (double[]){1, path[i - 1], path[i - 2]});
    return path[4];
}

/* m <- arima(y, order=c(2,0,0), method="CSS", optim.control=list(reltol=1e-15)): the greatest
 * conditional likelihood. coef(m), the constant, intercept * (1 - ar1 - ar2); m$loglik;
 * predict(m, n.ahead=3)$pred. Then the same of
 * arima(y, order=c(2,0,0), method="CSS", fixed=c(.5,.25,.125), transform.pars=FALSE). */
static void autoregression_has_the_likelihood_of_R(void)
{
    float state[SDW_RLS_FLOATS(3)];
    sdw_rls_init(state, 3, (double[]){0.03125, 0.5, 0.25}, 1);
    is_near(likelihood(pass(state, false)), -280.11229619569, 1e-9,
            "with coefficients given an autoregression is as likely as R's arima says");
    is_near(ahead_three(state), -0.525, 1e-9, "and says what that says three steps ahead");
    sdw_rls_init(state, 3, NULL, 1e7);
    pass(state, true);
    is_near((double)state[1], 0.5824091170, 1e-6, "the first coefficient is that of R's arima");
    is_near((double)state[2], 0.2376481240, 1e-6, "the second one too");
    is_near((double)state[0], 0.0100799093, 1e-6, "and the constant");
    is_near(likelihood(pass(state, false)), -278.740119601, 1e-6, "so is the likelihood");
    is_near(ahead_three(state), -0.683002387455, 1e-6, "and the forecast three steps ahead");
}

/* Two inputs that hardly differ, a thousand times forgotten: the covariance's triangle is what
 * keeps the weights apart. */
static void close_inputs_are_told_apart(void)
{
    struct sdw_rng rng;
    float state[SDW_RLS_FLOATS(3)];
    bool good = true;
    sdw_rng_seed(&rng, 11);
    sdw_rls_init(state, 3, NULL, 1e4);
    for (int i = 0; i < 100000; i++) {
        double a = sdw_rng_normal(&rng), in[3] = {1, a, a + 0.0003 * sdw_rng_normal(&rng)};
        double error = 1 + 3 * in[1] - 2 * in[2] - sdw_rls_predict(state, 3, in);
        sdw_rls_learn(state, 3, in, error, 0.99, 1e8);
        good &=
            i < 1000 || (fabs((double)state[1] - 3) < 1e-2 && fabs((double)state[2] + 2) < 1e-2);
    }
    ok(good, "inputs that hardly differ keep weights of their own (%.4f, %.4f)", (double)state[1],
       (double)state[2]);
}

static void covariance_is_bounded(void)
{
    float state[SDW_RLS_FLOATS(2)];
    double in[2] = {1, 0};
    sdw_rls_init(state, 2, NULL, 10);
    for (int i = 0; i < 200000; i++)
        sdw_rls_learn(state, 2, in, 1 - sdw_rls_predict(state, 2, in), 0.999, 1000);
    bool good = true;
    for (size_t i = 0; i < sizeof state / sizeof *state; i++)
        good &= isfinite(state[i]) && fabsf(state[i]) <= 1001;
    ok(good, "an input that never varies does not blow up what is not known");
    is_near(sdw_rls_predict(state, 2, in), 1, 1e-4, "and what is known stays");
    float before[SDW_RLS_FLOATS(2)];
    memcpy(before, state, sizeof state);
    sdw_rls_learn(state, 2, (double[]){1, INFINITY}, 1, 0.999, 1000);
    sdw_rls_learn(state, 2, in, NAN, 0.999, 1000);
    ok(memcmp(before, state, sizeof state) == 0, "what is not finite is not learned");
}

static void tracker_finds_quantiles(void)
{
    struct sdw_tracker tracker;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 5);
    sdw_tracker_init(&tracker);
    for (int i = 0; i < 20000; i++)
        sdw_tracker_learn(&tracker, sdw_rng_exponential(&rng, 1));
    const double p[] = {0.1, 0.5, 0.9, 0.975};
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        double q = sdw_tracker_quantile(&tracker, &tracker, 0, p[i]);
        is_near(1 - exp(-q), p[i], 0.04, "quantile %g of an exponential stream", p[i]);
        is_near(sdw_tracker_below(&tracker, &tracker, 0, q), p[i], 1e-3,
                "and the probability there is %g", p[i]);
    }
    ok(sdw_tracker_quantile(&tracker, &tracker, 0, 0.95) >
           sdw_tracker_quantile(&tracker, &tracker, 0, 0.94),
       "quantiles in between rise");
    ok(sdw_tracker_below(&tracker, &tracker, 0, 1e9) <= 1 &&
           sdw_tracker_below(&tracker, &tracker, 0, -1e9) >= 0,
       "probabilities stay between 0 and 1");
}

/* What came three steps before, which only a memory can know. */
static void gru_learns_to_remember(void)
{
    float *weights = calloc(SDW_GRU_FLOATS, sizeof *weights);
    float in[SDW_GRU_WINDOW][SDW_GRU_INPUTS] = {{0}}, before[SDW_GRU_UNITS] = {0};
    struct sdw_rng rng;
    double early = 0, late = 0;
    sdw_rng_seed(&rng, 7);
    sdw_gru_init(weights);
    for (int i = 0; i < 12000; i++) {
        for (int k = 0; k < SDW_GRU_WINDOW; k++)
            in[k][0] = sdw_rng_unit(&rng) < 0.5 ? -1 : 1;
        float hidden[SDW_GRU_UNITS] = {0}, out, target = in[0][0];
        for (int k = 0; k < SDW_GRU_WINDOW; k++)
            sdw_gru_step(weights, in[k], hidden);
        sdw_gru_output(weights, in[SDW_GRU_WINDOW - 1], hidden, &out, 1);
        if (i < 100 || i >= 11900)
            *(i < 100 ? &early : &late) += fabs((double)(out - target)) / 100;
        sdw_gru_learn(weights, before, (const float(*)[SDW_GRU_INPUTS])in, &target, 1);
    }
    ok(early > 0.8, "before it has learned, the unit is wrong (%.3f)", early);
    ok(late < 0.1, "then it knows what came three steps before (%.3f)", late);
    float out, hidden[SDW_GRU_UNITS] = {0}, target = NAN;
    sdw_gru_learn(weights, before, (const float(*)[SDW_GRU_INPUTS])in, &target, 1);
    sdw_gru_output(weights, in[0], hidden, &out, 1);
    ok(isfinite(out), "an unknown target teaches nothing");
    free(weights);
}

int main(void)
{
    smoothing_agrees_with_R();
    least_squares_is_exact();
    autoregression_has_the_likelihood_of_R();
    close_inputs_are_told_apart();
    covariance_is_bounded();
    tracker_finds_quantiles();
    gru_learns_to_remember();
    return tap_done();
}
