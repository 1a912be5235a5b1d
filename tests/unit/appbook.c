#include "net/appbook.h"
#include "core/tally.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"

static void tallies(void)
{
    struct sdw_tally tally = {0};
    ok(isnan(sdw_tally_quantile(&tally, 0.5)), "nothing has no median");
    for (uint64_t i = 1; i <= 1000; i++)
        sdw_tally_add(&tally, (i * 7919) % 1000 + 1); /* 1..1000 in another order */
    is_near(sdw_tally_quantile(&tally, 0.5), 500, 500 / 32.0, "the median within a bucket");
    is_near(sdw_tally_quantile(&tally, 0.99), 990, 990 / 32.0, "and the upper tail");
    is_near(sdw_tally_quantile(&tally, 0.001), 1, 0, "and the least");
    bool rising = true;
    for (uint16_t i = 1; i < tally.n; i++)
        rising = rising && tally.bars[i].bucket > tally.bars[i - 1].bucket;
    ok(rising && tally.total == 1000, "each bucket once, in order");
    sdw_tally_release(&tally);
}

static void transfers(void)
{
    struct sdw_transfers flow = {0};
    struct sdw_transfer ended[2];
    ok(sdw_transfers_packet(&flow, 0, true, 100, 1000, ended) == 0 &&
           sdw_transfers_packet(&flow, 0, true, 100, 2000, ended) == 0,
       "payload goes on in a transfer");
    ok(sdw_transfers_packet(&flow, 1, true, 0, 3000, ended) == 0,
       "an acknowledgement ends nothing");
    ok(sdw_transfers_packet(&flow, 1, true, 50, 4000, ended) == 1 && ended[0].bytes == 200 &&
           ended[0].first_us == 1000 && ended[0].last_us == 2000,
       "on TCP the answer ends the question");
    ok(sdw_transfers_packet(&flow, 1, true, 50, 4000 + SDW_TRANSFER_PAUSE_US - 1, ended) == 0,
       "a short pause ends nothing");
    ok(sdw_transfers_packet(&flow, 1, true, 1, 4000 + 2 * SDW_TRANSFER_PAUSE_US, ended) == 1 &&
           ended[0].bytes == 100,
       "a long one does");
    ok(sdw_transfers_end(&flow, ended) == 1 && ended[0].bytes == 1, "so does the end of the flow");
    ok(sdw_transfers_end(&flow, ended) == 0, "once");
    ok(sdw_transfers_packet(&flow, 0, false, 10, 1, ended) == 0 &&
           sdw_transfers_packet(&flow, 1, false, 20, 2, ended) == 0 &&
           sdw_transfers_packet(&flow, 0, false, 30, 3, ended) == 0,
       "without TCP both directions go on");
    ok(sdw_transfers_end(&flow, ended) == 2 && ended[0].bytes == 40 && ended[1].bytes == 20,
       "and end together");
}

/* What was told last, by application. */
struct told {
    int n, without_ends;
    struct sdw_app app;
    char sizes[200], quantiles[100], gaps[200], src[64];
};

static void keep_text(char *out, size_t size, struct sdw_str text)
{
    snprintf(out, size, "%.*s", (int)text.n, text.p ? text.p : "");
}

static int keep(void *arg, const struct sdw_app *app)
{
    struct told *told = arg;
    told->n++;
    told->without_ends += !app->src.p;
    told->app = *app;
    keep_text(told->sizes, sizeof told->sizes, app->transfer_bytes);
    keep_text(told->quantiles, sizeof told->quantiles, app->transfer_bytes_q);
    keep_text(told->gaps, sizeof told->gaps, app->transfer_gap_us);
    keep_text(told->src, sizeof told->src, app->src);
    return 0;
}

enum { S = 1000000 };

static void records(void)
{
    struct sdw_names apps, categories;
    sdw_names_init(&apps, "Unknown");
    sdw_names_init(&categories, "Unspecified");
    struct sdw_appmap *map = sdw_appmap_new();
    struct sdw_addrmask mask = {.bits4 = 32, .bits6 = 128};
    struct sdw_appbook *book = sdw_appbook_new(&apps, &categories, map, &mask, 2);
    struct sdw_appbook_key key = {.app = sdw_names_number(&apps, "Calls"),
                                  .category = sdw_names_number(&categories, "VoIP"),
                                  .version = 4,
                                  .src = {10, 0, 0, 1},
                                  .dst = {10, 0, 0, 2}};
    struct sdw_appbook_count count = {.forward_packets = 2,
                                      .forward_bytes = 1000,
                                      .reverse_packets = 1,
                                      .reverse_bytes = 250,
                                      .first_us = 10 * S,
                                      .last_us = 10 * S + 1,
                                      .opened = true};
    sdw_appbook_count(book, &key, &count);
    sdw_appbook_transfer(book, &key, &(struct sdw_transfer){20, 10 * S, 10 * S});
    sdw_appbook_transfer(book, &key, &(struct sdw_transfer){20, 10 * S + 30, 10 * S + 30});
    struct told told = {0};
    ok(sdw_appbook_tell(book, 11 * S, S, 15 * S, keep, &told) == 0 && told.n == 1,
       "an interval has a record for each application and ends");
    ok(told.app.current_bps == 10000 && told.app.average_bps == 10000 && told.app.peak_bps == 10000,
       "with its rates");
    ok(told.app.packets == 3 && told.app.bytes == 1250 && told.app.forward_bytes == 1000 &&
           told.app.flows == 1 && told.app.transfers == 2 && told.app.transfers_per_s == 2,
       "and counts");
    is_text(told.sizes, "[[20,2]]", "the sizes of its transfers");
    is_text(told.quantiles, "{\"0.5\":20,\"0.9\":20,\"0.99\":20}", "their quantiles");
    is_text(told.gaps, "[[30,1]]", "the time between them");
    is_text(told.src, "10.0.0.1", "and its ends");
    ok(sdw_str_is(told.app.sensitivity, "high"), "a call is sensitive to delay");

    count = (struct sdw_appbook_count){
        .reverse_packets = 1, .reverse_bytes = 125, .first_us = 12 * S, .last_us = 12 * S};
    sdw_appbook_count(book, &key, &count);
    sdw_appbook_tell(book, 13 * S, S, 15 * S, keep, &told);
    ok(told.app.current_bps == 1000 && told.app.peak_bps == 10000 && told.app.flows == 1,
       "the peak stays, and what goes on is no new flow");
    is_near(told.app.average_bps, 1375 * 8 / 3.0, 0.01, "the average is over all of its time");
    told.n = 0;
    sdw_appbook_tell(book, 14 * S, S, 15 * S, keep, &told);
    ok(told.n == 0 && sdw_appbook_pairs(book) == 1, "a silent one says nothing, but is remembered");
    sdw_appbook_tell(book, 40 * S, S, 15 * S, keep, &told);
    ok(sdw_appbook_pairs(book) == 0, "until it was silent for long");

    for (uint8_t i = 0; i < 5; i++) {
        key.src[3] = i;
        sdw_appbook_count(book, &key, &count);
    }
    told = (struct told){0};
    sdw_appbook_tell(book, 41 * S, S, 60 * S, keep, &told);
    ok(told.n == 3 && told.without_ends == 1 && sdw_appbook_crowded(book) == 3,
       "more ends than there is room for share one record without addresses");
    sdw_appbook_free(book);
    sdw_appmap_free(map);
    sdw_names_release(&apps);
    sdw_names_release(&categories);
}

int main(void)
{
    tallies();
    transfers();
    records();
    return tap_done();
}
