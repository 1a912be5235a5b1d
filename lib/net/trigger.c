#include "net/trigger.h"

struct sdw_trigger sdw_trigger(int64_t turn_ns, unsigned turn_run, int64_t abort_ns)
{
    return (struct sdw_trigger){.turn_ns = turn_ns, .turn_run = turn_run, .abort_ns = abort_ns};
}

enum sdw_stop sdw_trigger_feed(struct sdw_trigger *trigger, int64_t delay_ns)
{
    trigger->answers++;
    if (delay_ns > trigger->worst_ns)
        trigger->worst_ns = delay_ns;
    if (trigger->abort_ns && delay_ns > trigger->abort_ns) {
        trigger->above++;
        if (trigger->above >= 3 && trigger->above * 20 > trigger->answers)
            return SDW_STOP_ABORT;
    }
    if (!trigger->turn_ns)
        return SDW_STOP_NONE;
    trigger->run = delay_ns > trigger->turn_ns ? trigger->run + 1 : 0;
    return trigger->run >= trigger->turn_run ? SDW_STOP_TRIGGER : SDW_STOP_NONE;
}

double sdw_turn_bps(const int64_t *sent_ns, const uint16_t *ip_bytes, const int64_t *delay_ns,
                    size_t n, int64_t floor_ns)
{
    size_t turn = n;
    for (size_t i = n; i-- > 0;) {
        if (delay_ns[i] >= 0 && delay_ns[i] <= floor_ns)
            break;
        if (delay_ns[i] >= 0)
            turn = i;
    }
    if (turn == n || n < 3)
        return 0;
    size_t first = turn > 1 ? turn - 2 : 0;
    size_t last = first + 3 < n ? first + 3 : n - 1;
    int64_t bytes = 0;
    for (size_t i = first + 1; i <= last; i++)
        bytes += ip_bytes[i];
    int64_t span = sent_ns[last] - sent_ns[first];
    return span > 0 ? (double)bytes * 8e9 / (double)span : 0;
}
