#include "model/alarm.h"

#include <math.h>

static const double debt_each = 0.1, most_debt = 10, day_us = 86400e6;

/*
 * One for an alarm at all, one each for a probability of at most 1e-3, and for a change to half or
 * to twice as much, and to a quarter or to four times as much; one for another metric of the same
 * thing that is not as usual either. What is missing has no value, and starts with 3.
 */
static int64_t severity_of(const struct sdw_detection *detection,
                           const struct sdw_incident *incident, struct sdw_str series)
{
    int64_t severity = detection->kind == SDW_ANOMALY_MISSING ? 3 : 1;
    if (detection->kind != SDW_ANOMALY_MISSING && detection->kind != SDW_ANOMALY_FLAT) {
        severity += detection->p <= 1e-3;
        severity += fabs(detection->change) >= log(2);
        severity += fabs(detection->change) >= log(4);
    }
    severity += sdw_incident_corroborates(incident, series);
    return severity < 5 ? severity : 5;
}

static double score_of(const struct sdw_detection *detection)
{
    double decades = -log10(fmax(detection->p, 1e-300));
    return fmax(detection->score, decades / (decades + 2));
}

void sdw_alarm_open(struct sdw_alarm *alarm, const struct sdw_detection *detection,
                    struct sdw_incident *incident, struct sdw_str series)
{
    alarm->kind = detection->kind;
    alarm->incident = incident;
    alarm->severity = severity_of(detection, incident, series);
    alarm->quiet = alarm->surge = 0;
    alarm->p = detection->p;
    alarm->score = score_of(detection);
    alarm->debt = fmin(most_debt, alarm->debt + debt_each);
}

void sdw_alarm_update(struct sdw_alarm *alarm, const struct sdw_detection *detection,
                      struct sdw_str series)
{
    int64_t severity = severity_of(detection, alarm->incident, series);
    alarm->severity = severity > alarm->severity ? severity : alarm->severity;
    alarm->p = fmin(alarm->p, detection->p);
    alarm->score = fmax(alarm->score, score_of(detection));
    alarm->quiet = 0;
}

void sdw_alarm_close(struct sdw_alarm *alarm)
{
    sdw_incident_drop(alarm->incident);
    alarm->incident = NULL;
    alarm->kind = SDW_ANOMALY_NONE;
}

double sdw_alarm_extra(struct sdw_alarm *alarm, int64_t ts, double budget)
{
    double days = fmax(0, (double)(ts - alarm->debt_ts) / day_us);
    alarm->debt = budget > 0 ? fmax(0, alarm->debt - debt_each * budget * days) : 0;
    alarm->debt_ts = ts;
    return alarm->debt;
}

bool sdw_alarm_afford(struct sdw_alarm *alarm, int64_t ts, double budget)
{
    if (!(budget > 0))
        return true;
    double span = day_us / fmin(1, budget), most = ceil(fmax(1, budget));
    double passed = (double)ts - (double)alarm->since;
    if (alarm->opened == 0 || passed < 0 || passed >= span) {
        alarm->since = ts;
        alarm->opened = 0;
    }
    if ((double)alarm->opened >= most)
        return false;
    alarm->opened++;
    return true;
}
