#include "model/holt_winters.h"

#include <math.h>

void sdw_holt_winters_init(struct sdw_holt_winters *hw, struct sdw_holt_winters_slot *slot,
                           int slots)
{
    *hw = (struct sdw_holt_winters){NAN, 0};
    for (int i = 0; i < slots; i++)
        slot[i] = (struct sdw_holt_winters_slot){NAN, NAN};
}

double sdw_holt_winters_expect(const struct sdw_holt_winters *hw,
                               const struct sdw_holt_winters_slot *slot)
{
    return hw->level + hw->trend + slot->season;
}

void sdw_holt_winters_learn(struct sdw_holt_winters *hw, struct sdw_holt_winters_slot *slot,
                            const struct sdw_holt_winters_gain *gain, double value)
{
    double expected = sdw_holt_winters_expect(hw, slot), before = hw->level;
    if (isnan(before))
        hw->level = before = value;
    if (isnan(expected)) {
        slot->season = value - before - hw->trend;
        return;
    }
    double off = fabs(value - expected);
    slot->deviation =
        isnan(slot->deviation) ? off : slot->deviation + gain->deviation * (off - slot->deviation);
    hw->level = gain->level * (value - slot->season) + (1 - gain->level) * (before + hw->trend);
    hw->trend += gain->trend * (hw->level - before - hw->trend);
    slot->season += gain->season * (value - hw->level - slot->season);
}
