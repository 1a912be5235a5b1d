/* What the journal says is in the kernel: the units that are armed, with their shares. */
#ifndef SDW_STEER_LEDGER_H
#define SDW_STEER_LEDGER_H

#include "core/map.h"
#include "steer/journal.h"
#include "steer/unit.h"

struct sdw_ledger_unit {
    char name[SDW_KEY_SIZE];
    bool armed;
    int64_t slot;
    enum sdw_unit_state state;
    size_t n;
    double share[SDW_WAYS_MAX];
    uint64_t seq;
    int64_t ts;
    char *plan; /* JSON of the unit as it was armed */
    char why[128];
};

struct sdw_ledger {
    struct sdw_ledger_unit *unit;
    size_t n, cap;
    struct sdw_map by_name; /* to 1 + the index of the unit */
    int64_t slots;          /* one more than the largest slot in use */
};

/* To be given to sdw_journal_open; arg is the ledger. */
int sdw_ledger_take(const struct sdw_journal_entry *entry, void *ledger);
struct sdw_ledger_unit *sdw_ledger_find(const struct sdw_ledger *ledger, struct sdw_str name);
/* The slot of that unit, or one that no unit has; SDW_NO_INT when all SDW_SLOTS are given out. */
int64_t sdw_ledger_slot(struct sdw_ledger *ledger, struct sdw_str name);
void sdw_ledger_release(struct sdw_ledger *ledger);

#endif
