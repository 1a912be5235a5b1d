#include "rec/mirror.h"
#include "rec/table.h"

static const char *const states[] = {"opened",  "moved",  "lowered", "suspended",
                                     "resumed", "closed", "refused", NULL};
static const char *const sensitivities[] = {"high", "medium", "low", NULL};

static const char *const parts[] = {"inside", "outer", NULL};

#define OF sdw_mirror_rec
static const struct sdw_field mirror_fields[] = {
    F(SDW_STR, flow_id, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,
      "the live flow: the same in all records about it"),
    F(SDW_STR, flow, SDW_F_COLUMN, NULL, "its 5-tuple, in the direction that is probed"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, states, "what became of its shadow"),
    FV(part, SDW_F_COLUMN, parts,
       "through a tunnel, where each flow has two shadows: inside it, or on its outer packets"),
    F(SDW_STR, path_id, SDW_F_COLUMN, NULL, "the path that it shares; absent: not known"),
    FV(sensitivity, SDW_F_COLUMN, sensitivities, "how much delay hurts its application"),
    FN(SDW_INT, period_us, SDW_F_COLUMN, 0, 1e12, "us",
       "time from one slot of its path to the next"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why"),
    {0},
};
#undef OF

const struct sdw_schema sdw_mirror_schema = {"mirror", "what became of a live flow's shadow",
                                             sizeof(struct sdw_mirror_rec), mirror_fields};
