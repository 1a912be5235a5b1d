/* Series that add up: forecasts are reconciled by inverse variance, drivers are found. */
#include "core/rng.h"
#include "model/kin.h"
#include "unit/tap.h"

static struct sdw_prediction prediction(double mean, double var)
{
    double sd = sqrt(var);
    return (struct sdw_prediction){
        mean, {mean - 1.96 * sd, mean - 2.563 / 2 * sd, mean, mean + 2.563 / 2 * sd, mean + 1.96 * sd}};
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
    static const int order[2][3] = {{0, 1, 2}, {2, 0, 1}};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++) {
            int who = order[i][k];
            said[who] = prediction(who == 0 ? 100 : 30 + 10 * who, who == 0 ? 4 : 2 * who - 1);
            sdw_kin_step(kin[who], 60 + i, who == 0 ? 90 : 30 + 10 * who, NAN);
            sdw_kin_reconcile(kin[who], &said[who]);
        }
    is_near(said[0].mean, 95, 1e-9, "a gap of 10 is shared by variance: the parent gives 4/8");
    is_near(said[1].mean, 41.25, 1e-9, "a sure child 1/8");
    is_near(said[2].mean, 53.75, 1e-9, "an unsure one 3/8");
    is_near(said[1].mean + said[2].mean, said[0].mean, 1e-9, "and the sum is the parent's");
    is_near(said[2].q[2], 53.75, 1e-9, "quantiles move along");
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
    struct sdw_prediction said[3] = {prediction(100, 4), prediction(40, 1), prediction(50, 3)};
    for (int i = 0; i < 2; i++)
        for (int k = 2; k >= 0; k--) {
            sdw_kin_step(kin[k], 60 + i, k == 0 ? 120 : 30 + 10 * k, NAN);
            sdw_kin_reconcile(kin[k], &said[k]);
        }
    is_near(said[0].mean, 100, 0, "a link that carries more than its children is left alone");
    for (int k = 0; k < 3; k++)
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
    drivers_are_found();
    return tap_done();
}
