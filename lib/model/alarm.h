/*
 * The alarm of one series: opened by a detection, updated by each that follows, closed after some
 * values without one. It keeps the worst of what it saw.
 */
#ifndef SDW_MODEL_ALARM_H
#define SDW_MODEL_ALARM_H

#include "model/detect.h"
#include "model/incident.h"

struct sdw_alarm {
    enum sdw_anomaly_kind kind; /* NONE: not open */
    struct sdw_incident *incident;
    int64_t severity, quiet; /* quiet: values since the last that gave reason */
    int64_t surge;           /* severity of the surge that was said; 0: none */
    double p, score;
    double debt; /* decades that are asked of the next one on top */
    int64_t debt_ts;
    int64_t since, opened; /* alarms of the budget's time that began then */
    bool held;             /* open, but over the budget: nothing is said of it */
};

/* Take reference of the incident. */
void sdw_alarm_open(struct sdw_alarm *alarm, const struct sdw_detection *detection,
                    struct sdw_incident *incident, struct sdw_str series);
void sdw_alarm_update(struct sdw_alarm *alarm, const struct sdw_detection *detection,
                      struct sdw_str series);
/* Drops the incident, which must not be used afterwards unless held elsewhere. */
void sdw_alarm_close(struct sdw_alarm *alarm);

/* Whether the budget has an alarm left at ts, which is then spent: of a budget of N alarms a day
 * there are N, rounded up, within a day of the first of them; of one below 1 there is one in 1/N
 * days. */
bool sdw_alarm_afford(struct sdw_alarm *alarm, int64_t ts, double budget);

/* Decades of p that the budget (alarms a day; 0: none) asks at ts on top of the threshold. */
double sdw_alarm_extra(struct sdw_alarm *alarm, int64_t ts, double budget);

#endif
