#include "model/window.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/num.h"
#include "model/slots.h"

static const double SCALE_US = 100;
/* What scoped load adds is counted in this unit: more than queues of bursts change meanwhile. */
static const double SCOPED_SCALE_US = 1000;

const struct sdw_window_rules sdw_window_defaults = {
    .alpha = 0.005,
    .floor_us = 300,
    .delay_weight = 1,
    .loss_weight = 1e5,
    .void_share = 0.3,
    .rounds = 19999,
    .seed = 1,
    .capacity = {14, 1500, 20e-6, 300e-6, 0.90, NAN},
};

void sdw_window_init(struct sdw_window *window, int64_t number)
{
    *window =
        (struct sdw_window){.number = number, .last_slot = INT64_MIN, .far_scale_us = SCALE_US};
}

void sdw_window_release(struct sdw_window *window)
{
    free(window->samples);
    free(window->far);
    free(window->slots);
    *window = (struct sdw_window){0};
}

size_t sdw_window_slots(const struct sdw_window *window)
{
    return window->n_slots;
}

/* Records of one slot come together, so the search from the end is short. */
static struct sdw_slot_sum *slot_sum(struct sdw_window *window, int64_t number)
{
    for (size_t i = window->n_slots; i > 0 && window->n_slots - i < 64; i--) {
        if (window->slots[i - 1].slot == number)
            return &window->slots[i - 1];
    }
    SDW_GROW(window->slots, window->cap_slots, window->n_slots + 1);
    struct sdw_slot_sum *sum = &window->slots[window->n_slots++];
    *sum = (struct sdw_slot_sum){.slot = number, .rate_bps = NAN};
    return sum;
}

static double count_of(int64_t value)
{
    return value == SDW_NO_INT || value < 0 ? 0 : (double)value;
}

static void add_to_slot(struct sdw_window *window, const struct sdw_slot *slot)
{
    struct sdw_slot_sum *sum = slot_sum(window, slot->slot);
    sum->on = slot->on == 1;
    sum->bad |= slot->voided == 1;
    /* Every record of a slot may repeat its totals. */
    sum->bytes = fmax(sum->bytes, count_of(slot->load_bytes));
    sum->load = fmax(sum->load, count_of(slot->load_packets));
    sum->lost = fmax(sum->lost, count_of(slot->load_lost));
    if (isnan(sum->rate_bps))
        sum->rate_bps = slot->achieved_bps;
    sum->trained |= slot->chirp.p != NULL;
}

/* What a window's schedule says of its load; a chirp is neither. */
static const struct {
    const char *schedule;
    bool spread, narrow;
} layouts[] = {{"lockin", true, false},
               {"poisson", true, false},
               {"replay", true, false},
               {"train", false, true}};

static void note_layout(struct sdw_window *window, struct sdw_str schedule)
{
    for (size_t i = 0; i < SDW_LEN(layouts); i++) {
        if (!sdw_str_is(schedule, layouts[i].schedule))
            continue;
        window->spread |= layouts[i].spread;
        window->narrow |= layouts[i].narrow;
    }
}

static void push(struct sdw_sample **array, size_t *n, size_t *cap, struct sdw_sample sample)
{
    SDW_GROW(*array, *cap, *n + 1);
    (*array)[(*n)++] = sample;
}

/* Scoped load is measured by what it adds to the delay just before it, once that is told: in a
 * window where it is, a slot that did not hear it says nothing. */
static void above_before(struct sdw_window *window, double before_us, struct sdw_sample *e2e)
{
    if (isnan(before_us) && window->far_scale_us != SCOPED_SCALE_US)
        return;
    window->far_scale_us = SCOPED_SCALE_US;
    e2e->delay_us -= before_us;
    e2e->level = copysign(log1p(fabs(e2e->delay_us) / SCOPED_SCALE_US), e2e->delay_us);
}

void sdw_window_add(struct sdw_window *window, const struct sdw_slot *slot)
{
    int hop = (int)slot->hop;
    bool far = slot->hops == slot->hop, scoped = slot->load_hop != SDW_NO_INT;
    if (window->n >= SDW_WINDOW_SAMPLES || window->n_far >= SDW_WINDOW_SAMPLES)
        return;
    if (window->n_slots == 0 || slot->ts < window->first_ts)
        window->first_ts = slot->ts;
    int64_t end = slot->ts + (slot->duration_us > 0 ? slot->duration_us : 0);
    end = end < SDW_INT_MAX ? end : SDW_INT_MAX;
    if (window->n_slots == 0 || end > window->last_ts)
        window->last_ts = end;
    window->last_slot = slot->slot;
    window->hops = hop > window->hops ? hop : window->hops;
    window->scoped |= scoped;
    note_layout(window, slot->schedule);
    add_to_slot(window, slot);
    if (slot->addr.p && slot->addr.n > 0)
        snprintf(window->addr[hop], sizeof window->addr[hop], "%.*s",
                 (int)(slot->addr.n < 47 ? slot->addr.n : 47), slot->addr.p);
    struct sdw_sample sample = {
        .slot = slot->slot,
        .pair = slot->pair,
        .hop = hop,
        .on = slot->on == 1,
        .bad = slot->voided == 1,
        .rate_bps = slot->achieved_bps,
        .sent = count_of(slot->sent),
        .received = count_of(slot->received),
        .delay_us = slot->delay_mean_us,
        .rtt_us = slot->delay_mean_us,
        .level = log1p(fmax(0, slot->delay_mean_us) / SCALE_US),
    };
    if (isnan(slot->delay_mean_us))
        sample.level = NAN;
    if (slot->received == SDW_NO_INT)
        sample.received = isnan(slot->delay_mean_us) && isnan(slot->increment_mean_us) ? 0 : 1;
    if (far) {
        struct sdw_sample e2e = sample;
        e2e.hop = scoped ? (int)slot->load_hop : hop;
        if (scoped)
            above_before(window, slot->delay_before_us, &e2e);
        push(&window->far, &window->n_far, &window->cap_far, e2e);
    }
    sample.level = slot->increment_log;
    sample.delay_us = slot->increment_mean_us;
    if (isnan(sample.level) && !isnan(sample.delay_us))
        sample.level = log1p(fmax(0, sample.delay_us) / SCALE_US);
    if (isnan(sample.delay_us) && !isnan(sample.level))
        sample.delay_us = SCALE_US * expm1(sample.level);
    push(&window->samples, &window->n, &window->cap, sample);
}
