#include "net/window.h"

enum { LIMITED_PATTERN = 6, EXTRA_SHARE = 20 /* one pair more for so many */ };

/* Of every four pairs two start on. */
static void draw(bool *on_first, size_t pairs, struct sdw_rng *rng)
{
    for (size_t i = 0; i < pairs; i += 4) {
        size_t n = pairs - i < 4 ? pairs - i : 4;
        for (size_t j = 0; j < n; j++)
            on_first[i + j] = j % 2 == 0;
        for (size_t j = n - 1; j > 0; j--) {
            size_t other = i + (size_t)sdw_rng_below(rng, j + 1);
            bool kept = on_first[i + j];
            on_first[i + j] = on_first[other];
            on_first[other] = kept;
        }
    }
}

void sdw_window_begin(struct sdw_window *window, enum sdw_window_kind kind, unsigned pairs,
                      unsigned hops, struct sdw_rng *rng)
{
    *window = (struct sdw_window){.kind = kind, .hops = hops};
    if (kind == SDW_WINDOW_LIMITED)
        pairs = (pairs + 2) / 3 * 3;
    if (pairs > SDW_PAIRS_MAX)
        pairs = SDW_PAIRS_MAX;
    window->wanted = 2 * pairs;
    window->most = window->wanted + 2 * (pairs / EXTRA_SHARE + 1);
    draw(window->on_first, SDW_PAIRS_MAX, rng);
}

bool sdw_window_next(struct sdw_window *window, struct sdw_ticket *ticket)
{
    /* For each slot of the pattern: its pair, and whether it is the second of it. */
    static const struct {
        unsigned char pair, second;
    } limited[LIMITED_PATTERN] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {2, 0}, {2, 1}};
    if (window->slots >= window->wanted)
        return false;
    unsigned slot = window->slots++, pair = slot / 2;
    bool second = slot % 2 == 1;
    if (window->kind == SDW_WINDOW_LIMITED) {
        unsigned at = slot % LIMITED_PATTERN;
        pair = slot / LIMITED_PATTERN * 3 + limited[at].pair;
        second = limited[at].second;
    }
    *ticket = (struct sdw_ticket){.slot = slot, .pair = pair, .limited = pair % 3 == 0};
    ticket->on = window->on_first[pair % SDW_PAIRS_MAX] != second;
    if (window->kind != SDW_WINDOW_LIMITED)
        ticket->limited = true;
    if (window->kind == SDW_WINDOW_SCOPED && window->hops > 0) {
        unsigned hop = pair % window->hops + 1;
        ticket->load_hop = hop == window->hops ? 0 : hop;
    }
    return true;
}

void sdw_window_extend(struct sdw_window *window)
{
    if (window->kind == SDW_WINDOW_PLAIN && window->wanted < window->most)
        window->wanted += 2;
}
