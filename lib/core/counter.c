#include "core/counter.h"

#include <math.h>

enum sdw_counter_step sdw_counter_read(struct sdw_counter *counter, uint64_t now, unsigned bits,
                                       double most, uint64_t *grown)
{
    uint64_t last = counter->last;
    bool known = counter->known;
    *counter = (struct sdw_counter){now, true};
    *grown = 0;
    if (!known)
        return SDW_COUNTER_FIRST;
    if (now >= last) {
        *grown = now - last;
        return SDW_COUNTER_GREW;
    }
    if (bits >= 64 || last >> bits != 0)
        return SDW_COUNTER_RESET;
    uint64_t wrapped = now + (UINT64_C(1) << bits) - last;
    if (most > 0 && (double)wrapped > most)
        return SDW_COUNTER_RESET;
    *grown = wrapped;
    return SDW_COUNTER_WRAPPED;
}

double sdw_counter_rate(struct sdw_counter *counter, uint64_t now, unsigned bits, double most,
                        int64_t elapsed_ns)
{
    uint64_t grown;
    enum sdw_counter_step step = sdw_counter_read(counter, now, bits, most, &grown);
    if (elapsed_ns <= 0 || step == SDW_COUNTER_FIRST || step == SDW_COUNTER_RESET)
        return NAN;
    return (double)grown * 1e9 / (double)elapsed_ns;
}
