/* Series that add up: forecasts are reconciled by inverse variance, drivers are found. */
#include "core/rng.h"
#include "model/kin.h"
#include "unit/tap.h"

static struct sdw_prediction prediction(double mean, double var)
{
    double sd = sqrt(var);
    return (struct sdw_prediction){
        mean,
        {mean - 1.96 * sd, mean - 2.563 / 2 * sd, mean, mean + 2.563 / 2 * sd, mean + 1.96 * sd}};
}

/* A parent of two children that add up, after enough steps to know it. */
static void family(struct sdw_kin *kin[3], double off)
{
    for (int k = 0; k < 3; k++)
        kin[k] = sdw_kin_new(1, (uint64_t)k, NULL);
    ok(sdw_kin_link(kin[1], kin[0]) && sdw_kin_link(kin[2], kin[0]), "children are linked");
    ok(!sdw_kin_link(kin[0], kin[1]), "nobody is the parent of a parent of its own");
    for (int i = 0; i < 60; i++) {
        sdw_kin_step(kin[1], i, 40, NAN);
        sdw_kin_step(kin[0], i, 90 + off, NAN);
        sdw_kin_step(kin[2], i, 50, NAN);
    }
}

static void by_inverse_variance(void)
{
    struct sdw_kin *kin[3];
    family(kin, 0);
    struct sdw_prediction said[3] = {prediction(100, 4), prediction(40, 1), prediction(50, 3)};
    ok(sdw_kin_root(kin[1]) == kin[0] && sdw_kin_complete(kin[0], 59) &&
           !sdw_kin_complete(kin[0], 60),
       "a family is complete when all have come");
    for (int k = 0; k < 3; k++)
        sdw_kin_say(kin[k], &said[k]);
    sdw_kin_reconcile(kin[0]);
    for (int k = 0; k < 3; k++)
        sdw_kin_move(kin[k], &said[k]);
    is_near(said[0].mean, 95, 1e-6, "a gap of 10 is shared by variance: the parent gives 4/8");
    is_near(said[1].mean, 41.25, 1e-6, "a sure child 1/8");
    is_near(said[2].mean, 53.75, 1e-6, "an unsure one 3/8");
    is_near(said[1].mean + said[2].mean, said[0].mean, 1e-9, "and the sum is the parent's");
    is_near(said[2].q[2], 53.75, 1e-6, "quantiles move along");
    sdw_kin_free(kin[1]);
    ok(kin[0]->children == 1, "who is freed leaves the family");
    sdw_kin_free(kin[0]);
    ok(!kin[2]->parent, "and leaves no parent behind");
    sdw_kin_free(kin[2]);
}

static void what_does_not_add_up_is_left_alone(void)
{
    struct sdw_kin *kin[3];
    family(kin, 30);
    ok(sdw_kin_root(kin[1]) == kin[1] && !sdw_kin_adds_up(kin[0]),
       "a link that carries more than its children is left alone");
    for (int k = 0; k < 3; k++)
        sdw_kin_free(kin[k]);
}

/* Three generations: the solution is that of weighted least squares, from the normal equations. */
static void over_three_generations(void)
{
    struct sdw_kin *kin[4]; /* backbone 0 of link 1 of applications 2 and 3 */
    static const double value[] = {90, 90, 40, 50};
    for (int k = 0; k < 4; k++)
        kin[k] = sdw_kin_new(1, (uint64_t)k, NULL);
    sdw_kin_link(kin[2], kin[1]);
    sdw_kin_link(kin[3], kin[1]);
    sdw_kin_link(kin[1], kin[0]);
    for (int i = 0; i < 60; i++)
        for (int k = 0; k < 4; k++)
            sdw_kin_step(kin[k], i, value[k], NAN);
    struct sdw_prediction said[4] = {prediction(110, 4), prediction(100, 4), prediction(40, 1),
                                     prediction(50, 3)};
    for (int k = 0; k < 4; k++)
        sdw_kin_say(kin[k], &said[k]);
    sdw_kin_reconcile(kin[0]);
    for (int k = 0; k < 4; k++)
        sdw_kin_move(kin[k], &said[k]);
    /* Minimise (a-40)^2/1 + (b-50)^2/3 + (s-100)^2/4 + (s-110)^2/4 for s = a + b. */
    is_near(said[0].mean, 100, 1e-6, "three generations are weighed at once");
    is_near(said[1].mean, 100, 1e-6, "to the same sum");
    is_near(said[2].mean, 42.5, 1e-6, "for each child its part");
    is_near(said[3].mean, 57.5, 1e-6, "by its variance");
    for (int k = 0; k < 4; k++)
        sdw_kin_free(kin[k]);
}

static void drivers_are_found(void)
{
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 7);
    struct sdw_kin *kin[3];
    for (int k = 0; k < 3; k++)
        kin[k] = sdw_kin_new(1, (uint64_t)k, NULL);
    sdw_kin_link(kin[1], kin[0]);
    sdw_kin_link(kin[2], kin[0]);
    double driver[2000];
    for (int i = 0; i < 2000; i++) {
        driver[i] = sdw_rng_normal(&rng);
        double other = sdw_rng_normal(&rng), own = sdw_rng_normal(&rng);
        sdw_kin_step(kin[1], i, 1, driver[i]);
        sdw_kin_step(kin[2], i, 1, other);
        sdw_kin_step(kin[0], i, 1, own + (i >= 2 ? 0.5 * driver[i - 2] : 0));
    }
    struct sdw_kin_correlation one = sdw_kin_correlate(kin[1]), two = sdw_kin_correlate(kin[2]);
    ok(one.lag == 2 && one.p_value < 1e-6, "a driver two steps ahead is found (lag %d)", one.lag);
    is_near(one.r, 0.5 / sqrt(1.25), 0.06, "with its correlation");
    ok(two.p_value > 0.01, "one that is none is not (p %.3f)", two.p_value);
    for (int k = 0; k < 3; k++)
        sdw_kin_free(kin[k]);
}

int main(void)
{
    by_inverse_variance();
    what_does_not_add_up_is_left_alone();
    over_three_generations();
    drivers_are_found();
    return tap_done();
}
