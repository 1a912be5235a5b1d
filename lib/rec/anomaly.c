#include "rec/anomaly.h"
#include "rec/table.h"

static const char *const states[] = {"open", "update", "close", NULL};
static const char *const kinds[] = {"spike", "drop", "shift", "novel", "flat", "missing", NULL};

#define OF sdw_anomaly
static const struct sdw_field anomaly_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, states, "where the alarm is in its life"),
    FV(kind, SDW_F_REQUIRED | SDW_F_COLUMN, kinds, "what is unusual"),
    FN(SDW_INT, severity, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 5, NULL,
       "0 none to 5 certain and severe"),
    FN(SDW_MODEL, score, SDW_F_COLUMN, 0, 1, NULL, "how clear it is, the clearest so far"),
    FN(SDW_MODEL, p, SDW_F_COLUMN, 0, 1, NULL, "probability of a value as far out as this one"),
    F(SDW_REAL, value, SDW_F_NULL | SDW_F_COLUMN, NULL, "the value; null: none came"),
    F(SDW_MODEL, expected, SDW_F_NULL | SDW_F_COLUMN, NULL, "what was expected"),
    F(SDW_MODEL, lo, SDW_F_NULL, NULL, "least value that would not have been unusual"),
    F(SDW_MODEL, hi, SDW_F_NULL, NULL, "greatest value that would not have been unusual"),
    F(SDW_STR, incident, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,
      "name of the incident: of all alarms that began together"),
    F(SDW_STR, parent, SDW_F_COLUMN, NULL, "what the names of its series have in common"),
    F(SDW_RAW, members, SDW_F_REQUIRED, NULL, "its series so far, the first 64"),
    {0},
};
#undef OF

#define OF sdw_anomaly_score
static const struct sdw_field score_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    FN(SDW_MODEL, score, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 1, NULL,
       "how surprising the value is after what was surprising lately"),
    FN(SDW_MODEL, p, SDW_F_COLUMN, 0, 1, NULL, "probability of a value as far out as this one"),
    F(SDW_REAL, value, SDW_F_NULL | SDW_F_COLUMN, NULL, "the value"),
    F(SDW_MODEL, expected, SDW_F_NULL | SDW_F_COLUMN, NULL, "what was expected"),
    {0},
};
#undef OF

#define OF sdw_surge
static const struct sdw_field surge_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    FN(SDW_INT, severity, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 5, NULL,
       "0 none to 5 certain and severe"),
    F(SDW_REAL, value, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the value"),
    F(SDW_MODEL, expected, SDW_F_COLUMN, NULL, "what was expected"),
    F(SDW_MODEL, ratio, SDW_F_COLUMN, NULL, "value / expected"),
    F(SDW_STR, incident, SDW_F_COLUMN, NULL, "the incident it is part of"),
    {0},
};
#undef OF

const struct sdw_schema sdw_anomaly_schema = {"anomaly", "an alarm: a series is not as usual",
                                              sizeof(struct sdw_anomaly), anomaly_fields};
const struct sdw_schema sdw_anomaly_score_schema = {"anomaly.score", "how unusual one value is",
                                                    sizeof(struct sdw_anomaly_score), score_fields};
const struct sdw_schema sdw_surge_schema = {"surge", "a sudden rise, to be acted on at once",
                                            sizeof(struct sdw_surge), surge_fields};
