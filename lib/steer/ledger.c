#include "steer/ledger.h"
#include "steer/back.h"

#include <stdio.h>
#include <stdlib.h>

struct sdw_ledger_unit *sdw_ledger_find(const struct sdw_ledger *ledger, struct sdw_str name)
{
    size_t at = (size_t)(uintptr_t)sdw_map_get(&ledger->by_name, name);
    return at ? &ledger->unit[at - 1] : NULL;
}

static struct sdw_ledger_unit *at(struct sdw_ledger *ledger, struct sdw_str name)
{
    struct sdw_ledger_unit *unit = sdw_ledger_find(ledger, name);
    if (unit)
        return unit;
    SDW_GROW(ledger->unit, ledger->cap, ledger->n + 1);
    unit = &ledger->unit[ledger->n++];
    *unit = (struct sdw_ledger_unit){.slot = SDW_NO_INT};
    snprintf(unit->name, sizeof unit->name, "%.*s", (int)name.n, name.p);
    *sdw_map_at(&ledger->by_name, name) = (void *)(uintptr_t)ledger->n;
    return unit;
}

int sdw_ledger_take(const struct sdw_journal_entry *entry, void *arg)
{
    struct sdw_ledger *ledger = arg;
    if (!entry->unit.p || sdw_str_is(entry->op, "freeze") || sdw_str_is(entry->op, "thaw"))
        return 0;
    struct sdw_ledger_unit *unit = at(ledger, entry->unit);
    unit->seq = entry->seq;
    unit->ts = entry->ts;
    snprintf(unit->why, sizeof unit->why, "%.*s", (int)entry->why.n,
             entry->why.p ? entry->why.p : "");
    if (entry->state.p)
        unit->state = sdw_unit_state_of(entry->state);
    if (entry->slot != SDW_NO_INT) {
        unit->slot = entry->slot;
        if (entry->slot >= ledger->slots)
            ledger->slots = entry->slot + 1;
    }
    if (entry->n) {
        unit->n = entry->n;
        memcpy(unit->share, entry->share, sizeof unit->share);
    }
    if (sdw_str_is(entry->op, "arm")) {
        unit->armed = true;
        free(unit->plan);
        unit->plan = entry->plan.p ? sdw_xstrndup(entry->plan.p, entry->plan.n) : NULL;
    } else if (sdw_str_is(entry->op, "disarm")) {
        unit->armed = false;
    }
    return 0;
}

int64_t sdw_ledger_slot(struct sdw_ledger *ledger, struct sdw_str name)
{
    struct sdw_ledger_unit *unit = at(ledger, name);
    if (unit->slot == SDW_NO_INT && ledger->slots < SDW_SLOTS)
        unit->slot = ledger->slots++;
    return unit->slot;
}

void sdw_ledger_release(struct sdw_ledger *ledger)
{
    for (size_t i = 0; i < ledger->n; i++)
        free(ledger->unit[i].plan);
    free(ledger->unit);
    sdw_map_release(&ledger->by_name);
    *ledger = (struct sdw_ledger){0};
}
