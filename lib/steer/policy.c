#include "steer/policy.h"

#include <math.h>

/* Down to the grid for what a shadow may take at most, up for what should move at least. */
static double grid_down(double share)
{
    return floor(share * SDW_SHARE_STEPS + 1e-6) / SDW_SHARE_STEPS;
}

static double grid_up(double share)
{
    return ceil(share * SDW_SHARE_STEPS - 1e-6) / SDW_SHARE_STEPS;
}

static void start(const struct sdw_policy_ask *ask, struct sdw_policy_answer *answer)
{
    *answer = (struct sdw_policy_answer){0};
    memcpy(answer->share, ask->share, ask->n * sizeof ask->share[0]);
}

/* Give up to `want` of the primary's share to way i; returns what was given. */
static double give(struct sdw_policy_answer *answer, size_t i, double want)
{
    double part = fmin(want, answer->share[0]);
    if (part <= 0)
        return 0;
    answer->share[i] += part;
    answer->share[0] -= part;
    if (answer->share[0] < 1e-9)
        answer->share[0] = 0;
    return part;
}

static double room_share(const struct sdw_policy_ask *ask, size_t i)
{
    double share = ask->usable[i] ? fmax(ask->room_bps[i], 0) / ask->load_bps : 0;
    return grid_down(fmin(share, 1));
}

/* All has to go: what found no room follows where there is most. */
static void force_rest(const struct sdw_policy_ask *ask, struct sdw_policy_answer *answer)
{
    double rest = answer->share[0], sum = 0;
    size_t usable = 0, last = 0;
    for (size_t i = 1; i < ask->n; i++)
        if (ask->usable[i]) {
            sum += fmax(ask->room_bps[i], 0);
            usable++;
            last = i;
        }
    if (usable == 0)
        return;
    for (size_t i = 1; i < last; i++)
        if (ask->usable[i]) {
            double part = sum > 0 ? fmax(ask->room_bps[i], 0) / sum : 1.0 / (double)usable;
            (void)give(answer, i, grid_down(rest * fmin(part, 1)));
        }
    (void)give(answer, last, answer->share[0]);
}

void sdw_policy_excess(const struct sdw_policy_ask *ask, struct sdw_policy_answer *answer)
{
    start(ask, answer);
    bool all = isinf(ask->excess_bps);
    if (ask->excess_bps <= 0)
        return;
    double want = all ? ask->share[0] : fmax(ask->excess_bps / ask->load_bps, ask->least_share);
    want = fmin(grid_up(want), ask->share[0]);
    double left = want;
    for (size_t i = 1; i < ask->n && left > 1e-9; i++)
        left -= give(answer, i, fmin(left, room_share(ask, i)));
    answer->missing_bps = left > 1e-9 ? left * ask->load_bps : 0;
    if (all)
        force_rest(ask, answer);
    answer->moved_bps = (ask->share[0] - answer->share[0]) * ask->load_bps;
}

void sdw_policy_seed(const struct sdw_policy_ask *ask, double prediction, double anomaly,
                     struct sdw_policy_answer *answer)
{
    start(ask, answer);
    double target = fmin(50, fmax(10, (prediction + anomaly) * 10)) / 100;
    size_t usable = 0;
    for (size_t i = 1; i < ask->n; i++)
        usable += ask->usable[i];
    double away = 1 - ask->share[0];
    if (usable == 0 || away >= target - 1e-9) {
        answer->missing_bps = usable ? 0 : fmax(target - away, 0) * ask->load_bps;
        return;
    }
    double each = grid_up((target - away) / (double)usable);
    double given = 0;
    for (size_t i = 1; i < ask->n; i++)
        if (ask->usable[i])
            given += give(answer, i, fmin(fmin(each, target - away - given), room_share(ask, i)));
    answer->moved_bps = given * ask->load_bps;
    answer->missing_bps = fmax(target - away - given, 0) * ask->load_bps;
}

void sdw_policy_return(const struct sdw_policy_ask *ask, double step,
                       struct sdw_policy_answer *answer)
{
    start(ask, answer);
    double away = 1 - ask->share[0];
    double back = fmin(grid_up(step), away);
    double left = back;
    for (size_t i = ask->n - 1; i >= 1 && left > 1e-9; i--) {
        double part = fmin(answer->share[i], left);
        answer->share[i] -= part;
        left -= part;
        if (answer->share[i] < 1e-9)
            answer->share[i] = 0;
    }
    answer->share[0] = fmin(ask->share[0] + back - left, 1);
    answer->moved_bps = (back - left) * ask->load_bps;
}

void sdw_share_weights(const double *share, size_t n, unsigned sum, unsigned *weight)
{
    unsigned given = 0;
    size_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        double exact = share[i] * sum;
        weight[i] = exact > 0 ? (unsigned)fmax(1, round(exact)) : 0;
        given += weight[i];
        if (weight[i] > weight[largest])
            largest = i;
    }
    if (n && weight[largest] + sum > given)
        weight[largest] = weight[largest] + sum - given;
}
