#include "model/history.h"
#include "model/history_rings.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double unit_share = 0.2;       /* of the usual size: where the logarithm begins */
static const double unit_change = 30;       /* of the usual size: what moves the unit */
static const double size_most = 3;          /* usual sizes: what a larger value counts as */
static const double size_idle = 1e-6;       /* of the largest value: where 0 lessens it no more */
static const double size_least = 1e-150;    /* of a value: less is 0 */
static const double profile_gain = 0.12;    /* share of a new day in the profile */
static const double profile_gain_new = 0.3; /* the same while the profile is out of date */
static const double nearer = 0.5;           /* than both others: what makes it so */
enum {
    MEMORY_LEAST = 48,  /* steps that `slow` remembers without a day */
    PROFILE_MOST = 288, /* slots */
    HOLD = 3,           /* steps of a gap that hold the last value */
    LOOK_BACK = 32,     /* steps of the latest past that features look at */
    SEASON_BACK = 4,    /* and, of the day before, beyond the day */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int place(int64_t index, int n)
{
    int at = (int)(index % n);
    return at < 0 ? at + n : at;
}

struct sdw_history_plan sdw_history_plan(int day, int week, int slot, int last)
{
    struct sdw_history_plan plan = {.day = day, .week = day > 0 ? week : 0, .slot = slot};
    /* Looked at from as long ago as the last horizon: the latest past, the day before, and what
     * is not in the week yet. */
    int seasons =
        day > 0 ? day + (last + SEASON_BACK > 2 * slot ? last + SEASON_BACK : 2 * slot) : 0;
    plan.ring = last + LOOK_BACK > seasons ? last + LOOK_BACK + 1 : seasons + 1;
    if (plan.week > 0)
        plan.slots = (week - day) / slot + last / slot + 4;
    if (day > 0) {
        plan.phase = (day + PROFILE_MOST - 1) / PROFILE_MOST;
        plan.profile = (day + plan.phase - 1) / plan.phase;
    }
    return plan;
}

size_t sdw_history_bytes(const struct sdw_history_plan *plan)
{
    size_t bytes =
        (size_t)(plan->ring + plan->profile) * sizeof(int16_t) + ((size_t)plan->slots + 1) / 2 * 3;
    return (offsetof(struct sdw_history, data) + bytes + 7) / 8 * 8;
}

void sdw_history_init(struct sdw_history *h, const struct sdw_history_plan *plan)
{
    memset(h, 0, sdw_history_bytes(plan));
    h->least = INFINITY;
    h->greatest = -INFINITY;
    h->unit = 1;
    h->quantum = sdw_rings_finest;
}

double sdw_history_z(const struct sdw_history *h, double value)
{
    return asinh(fmax(-DBL_MAX, fmin(DBL_MAX, value / h->unit)));
}

double sdw_history_value(const struct sdw_history *h, double z)
{
    double grown = exp(z), value = h->unit * 0.5 * (grown - 1 / grown);
    return fmax(-DBL_MAX, fmin(DBL_MAX, value));
}

/* The usual size of the values. A series that is idle for long tells nothing of the size of what
 * comes after: its unit would become so small that any value is far out. */
static void learn_size(struct sdw_history *h, const struct sdw_history_plan *plan, double value)
{
    double memory = plan->day > MEMORY_LEAST ? plan->day : MEMORY_LEAST;
    double size = h->size > 0 ? fmin(fabs(value), size_most * h->size) : fabs(value);
    double largest = fmax(fabs(h->least), fabs(h->greatest));
    if (fabs(value) < size_least && h->size <= size_idle * largest)
        return;
    h->size += (size - h->size) / fmin(memory, (double)h->values + 1);
}

/* A new unit, when the usual size is another one. */
static void follow_size(struct sdw_history *h, const struct sdw_history_plan *plan)
{
    double unit = unit_share * h->size;
    h->rebased = unit > DBL_MIN &&
                 (h->values == 0 || unit > unit_change * h->unit || unit * unit_change < h->unit);
    if (!h->rebased)
        return;
    double from = h->unit;
    h->unit = unit;
    h->z = sdw_rings_carried(h, h->z, from);
    h->slow = sdw_rings_carried(h, h->slow, from);
    sdw_rings_carry(h, plan, h->z, from);
}

/* The slot of the week that a slot's number falls on, as an entry. */
static int week_entry(const struct sdw_history_plan *plan, int64_t slot)
{
    return plan->ring + plan->profile + place(slot, plan->slots);
}

/* Mean of the values of a slot that is not in the ring of the week yet. */
static double slot_mean(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t slot)
{
    int64_t last = slot * plan->slot + plan->slot - 1, end = last < h->index ? last : h->index;
    return sdw_history_mean(h, plan, end, plan->slot - (int)(last - end));
}

/* The newest slot that is a day old at a step: all newer ones are still among the values. */
static int64_t day_old(const struct sdw_history_plan *plan, int64_t index)
{
    return floor_div(index - plan->day, plan->slot) - 1;
}

static void push_slot(struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index)
{
    int64_t slot = day_old(plan, index), end = (slot + 1) * plan->slot;
    /* Of a slot in a gap that was passed over nothing is known. */
    if (slot > day_old(plan, index - 1) && end > h->first && end <= h->index + 1)
        sdw_rings_store(h, plan, week_entry(plan, slot), slot_mean(h, plan, slot));
}

/* The share of a new day in the profile. Where the day before is much nearer to z than the profile
 * is, the day has a new shape; but not where the week before is as near: that is a weekend. */
static double share_of_day(struct sdw_history *h, const struct sdw_history_plan *plan,
                           int64_t index, double z, double profile)
{
    double day = sdw_history_day(h, plan, index, h->index);
    double week = sdw_history_week(h, plan, index, h->index);
    double days = (double)(floor_div(index, plan->day) - floor_div(h->first, plan->day) + 1);
    if (!isnan(day) && index - h->first >= plan->day) {
        double gain = 2.0 / plan->day;
        double off_week = fabs(z - (isnan(week) ? profile : week));
        h->off_profile += (float)(gain * (fabs(z - profile) - (double)h->off_profile));
        h->off_day += (float)(gain * (fabs(z - day) - (double)h->off_day));
        h->off_week += (float)(gain * (off_week - (double)h->off_week));
    }
    bool fresh = (double)h->off_day < nearer * (double)fminf(h->off_profile, h->off_week);
    return fmax(fresh ? profile_gain_new : profile_gain, 1 / days);
}

static void push_profile(struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index,
                         double z)
{
    int entry = plan->ring + place(index, plan->day) / plan->phase;
    double was = index - h->first < plan->day ? z : sdw_rings_z(h, h->data[entry]);
    double gain = share_of_day(h, plan, index, z, was) / plan->phase;
    sdw_rings_store(h, plan, entry, was + gain * (z - was));
}

static void push_z(struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index,
                   double z, bool known)
{
    if (plan->week > 0)
        push_slot(h, plan, index);
    if (plan->profile > 0 && (known || index - h->first < plan->day))
        push_profile(h, plan, index, z);
    sdw_rings_store(h, plan, place(index, plan->ring), z);
    h->index = index;
    h->z = z;
}

/* What stands in for a missing value. */
static double held(const struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index)
{
    double now = sdw_history_profile(h, plan, h->index);
    double next = sdw_history_profile(h, plan, index);
    if (h->gap <= HOLD || isnan(now) || isnan(next))
        return h->z;
    return next + 0.9 * (h->z - now);
}

void sdw_history_push(struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index,
                      double value)
{
    h->rebased = 0;
    if (!isfinite(value)) {
        h->gap++;
        if (h->values > 0)
            push_z(h, plan, index, held(h, plan, index), false);
        return;
    }
    learn_size(h, plan, value);
    follow_size(h, plan);
    double z = sdw_history_z(h, value);
    if (h->values == 0) {
        h->first = h->index = index;
        h->base = h->slow = z;
    }
    h->least = fmin(h->least, value);
    h->greatest = fmax(h->greatest, value);
    h->value = value;
    h->gap = 0;
    push_z(h, plan, index, z, true);
    h->values++;
    double memory = plan->day > MEMORY_LEAST ? plan->day : MEMORY_LEAST;
    h->slow += (z - h->slow) / fmin(memory, (double)h->values);
}

double sdw_history_at(const struct sdw_history *h, const struct sdw_history_plan *plan,
                      int64_t index)
{
    if (index > h->index || index < h->first || index <= h->index - plan->ring)
        return NAN;
    return sdw_rings_z(h, h->data[place(index, plan->ring)]);
}

/* The newest step a whole number of seasons before `index` and not after `now`; at least one. */
static int64_t before(int64_t index, int64_t now, int season)
{
    index -= season;
    return index > now ? index - (index - now + season - 1) / season * season : index;
}

double sdw_history_day(const struct sdw_history *h, const struct sdw_history_plan *plan,
                       int64_t index, int64_t now)
{
    if (plan->day == 0)
        return NAN;
    int64_t at = before(index, now, plan->day);
    int around = plan->slot > 1;
    double sum = 0;
    int n = 0;
    for (int64_t i = at - around; i <= at + around && i <= now; i++, n++)
        sum += sdw_history_at(h, plan, i);
    return sum / n;
}

static double week_slot(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t slot)
{
    return slot > day_old(plan, h->index) ? slot_mean(h, plan, slot)
                                          : sdw_rings_at(h, plan, week_entry(plan, slot));
}

double sdw_history_week(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t index, int64_t now)
{
    if (plan->week == 0)
        return NAN;
    int64_t at = before(index, now, plan->week);
    if (at - plan->slot < h->first || plan->week > now - h->first)
        return NAN;
    int64_t slot = floor_div(at, plan->slot);
    double middle = week_slot(h, plan, slot);
    double off = ((double)(at - slot * plan->slot) + 0.5) / plan->slot - 0.5;
    int64_t next = off < 0 ? slot - 1 : slot + 1;
    if (next > floor_div(now, plan->slot) || next * plan->slot < h->first)
        return middle;
    return middle + fabs(off) * (week_slot(h, plan, next) - middle);
}

double sdw_history_profile(const struct sdw_history *h, const struct sdw_history_plan *plan,
                           int64_t index)
{
    if (plan->profile == 0 || h->values == 0)
        return NAN;
    if (h->index - h->first < plan->day &&
        before(index + plan->day, h->index, plan->day) < h->first)
        return NAN;
    const int16_t *profile = h->data + plan->ring;
    int step = place(index, plan->day), slot = step / plan->phase;
    double middle = sdw_rings_z(h, profile[slot]);
    if (plan->phase == 1 || h->index - h->first < plan->day)
        return middle;
    int off = 2 * (step - slot * plan->phase) + 1 - plan->phase;
    int next = off < 0 ? slot - 1 : slot + 1;
    next = next < 0 ? plan->profile - 1 : next == plan->profile ? 0 : next;
    return middle + abs(off) / (2.0 * plan->phase) * (sdw_rings_z(h, profile[next]) - middle);
}

double sdw_history_mean(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t index, int n)
{
    int64_t from = index - n + 1 < h->first ? h->first : index - n + 1;
    int64_t sum = 0;
    int at = place(from, plan->ring);
    for (int64_t i = from; i <= index; i++) {
        sum += h->data[at];
        at = at + 1 == plan->ring ? 0 : at + 1;
    }
    return h->base + h->quantum * (double)sum / (double)(index - from + 1);
}

int sdw_history_hour(const struct sdw_history_plan *plan, int64_t index)
{
    return plan->day > 0 ? (int)((int64_t)place(index, plan->day) * 24 / plan->day) : 0;
}

/* How far beyond what was seen a forecast may be. So few values have hardly a range of their own.
 */
static double room(const struct sdw_history *h)
{
    double half = h->greatest / 2 - h->least / 2;
    return h->values < MEMORY_LEAST ? fmax(half, h->size / 2) : half;
}

double sdw_history_floor(const struct sdw_history *h)
{
    double floor = fmax(-DBL_MAX, h->least - room(h));
    return h->least >= 0 ? fmax(0, floor) : floor;
}

double sdw_history_ceiling(const struct sdw_history *h)
{
    return fmin(DBL_MAX, h->greatest + room(h));
}
