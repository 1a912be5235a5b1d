#include "net/trigger.h"

enum sdw_stop sdw_trigger_feed(struct sdw_trigger *trigger, int64_t delay_ns)
{
    trigger->answers++;
    if (trigger->abort_ns == 0 || delay_ns <= trigger->abort_ns)
        return SDW_STOP_NONE;
    trigger->above++;
    return trigger->above >= 3 && trigger->above * 20 > trigger->answers ? SDW_STOP_ABORT
                                                                         : SDW_STOP_NONE;
}
