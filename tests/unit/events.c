/* What is known to come is read by line; Little's law is what it says. */
#include "model/events.h"
#include "model/little.h"
#include "unit/tap.h"

int main(void)
{
    int64_t us;
    ok(sdw_moment_parse("2020-02-29T12:30:01Z", &us) && us == INT64_C(1582979401000000),
       "a date is a moment");
    ok(sdw_moment_parse("1582979401", &us) && us == INT64_C(1582979401000000), "so are seconds");
    ok(!sdw_moment_parse("2020-13-01T00:00:00Z", &us) && !sdw_moment_parse("2020-01-01", &us) &&
           !sdw_moment_parse("2020-01-01T00:00:00", &us) && !sdw_moment_parse("-1", &us) &&
           !sdw_moment_parse("", &us),
       "anything else is not");
    struct sdw_events events = {0};
    struct sdw_err err;
    ok(sdw_events_read(&events,
                       sdw_str_of("# plan\n\n100 200 maintenance link/*\r\n 300 400 fixture\n"),
                       "file", &err) == 0 &&
           events.n == 2,
       "lines are read");
    ok(sdw_events_maintenance(&events, "link/a", 150000000) &&
           !sdw_events_maintenance(&events, "link/a", 201000000) &&
           !sdw_events_maintenance(&events, "app/a", 150000000),
       "maintenance is of a time and of what the glob matches");
    ok(sdw_events_ahead(&events, "x", 250000000, 60000000) &&
           !sdw_events_ahead(&events, "x", 250000000, 40000000) &&
           !sdw_events_ahead(&events, "x", 401000000, 60000000),
       "another event is known before it begins");
    sdw_events_release(&events);
    static const char *const bad[] = {"1 2", "2 1 fixture", "x 2 fixture", "1 2 fixture a b"};
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(sdw_events_read(&events, sdw_str_of(bad[i]), "file", &err) == SDW_EUSAGE &&
               strstr(err.text, "line 1"),
           "'%s' is refused with its line", bad[i]);
    sdw_events_release(&events);
    is_near(sdw_little_forecast(100, 10, 30, 0), 100, 0, "now there are as many as there are");
    is_near(sdw_little_forecast(100, 10, 30, 1e9), 300, 1e-9, "in the end rate times duration");
    is_near(sdw_little_forecast(100, 10, 30, 30), 100 / M_E + 300 * (1 - 1 / M_E), 1e-9,
            "after one duration in between");
    ok(isnan(sdw_little_forecast(100, 10, 0, 30)) && isnan(sdw_little_forecast(100, NAN, 30, 30)),
       "what is not known has no answer");
    return tap_done();
}
