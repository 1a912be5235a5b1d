/*
 * The book of a forecaster: every series it has seen, the capacity that each is limited by, what
 * is expected of it, which limits are expected to be crossed, and what forecasts were worth.
 *
 * Limits, where they are known:
 *   --below N      a value                           every series
 *   --below N%     a share of the series' capacity   path/ID/available_bps, or --capacity
 *   --above N,...  values                            every series
 *   --above N%     shares of the series' capacity    where a capacity is known
 * Without any: 10 % of the capacity from below for path/ID/available_bps, the capacity itself
 * from above for every other series that has one.
 *
 * A capacity comes from the record's own field, the settings (by series, or for all), or another
 * series: P/capacity_bps for P/bps and P/available_bps, P/limit for P/entries. The capacity of
 * path/ID/available_bps is also what a verdict gave; before any, the greatest available capacity
 * seen (no path has more available than it has).
 *
 * A series may name the path that it goes along (the member or label `path`), until its step is
 * known; a flow's is known from a `path` record, too. What slots, gradients and verdicts say of the
 * path (model/tunnel.h) then comes with the values of the series.
 *
 * The book owns what it returns; it is valid until the next call.
 */
#ifndef SDW_MODEL_FORECAST_H
#define SDW_MODEL_FORECAST_H

#include "core/buf.h"
#include "core/err.h"
#include "model/forecast_settings.h"
#include "model/grid.h"
#include "model/tunnel.h"
#include "rec/series.h"

enum { SDW_BREACHES_MAX = SDW_ABOVE_MAX + 1 };

/* A value of a series, whatever record it came in. */
struct sdw_sample {
    int64_t ts;
    struct sdw_str series; /* ended by a NUL */
    double value;
    struct sdw_str parent;              /* the series it adds up to; empty: not said */
    double capacity;                    /* NAN: the record has none */
    double path_capacity;               /* a verdict's, of its path; NAN: none */
    double new_per_s, duration_mean_us; /* connections made, how long they last; NAN: not said */
    struct sdw_str path_id;             /* what the news are of; empty: the record has none */
    struct sdw_str flow_id;             /* a flow that takes that path; empty: none is named */
    struct sdw_tunnel_news news;
    struct sdw_str line; /* the record itself */
    bool estimate; /* a verdict's or conn's: the value counts only while the series itself does
                    * not come */
};

/* A sample of which nothing is known: ts SDW_NO_INT, numbers NAN. */
extern const struct sdw_sample sdw_sample_absent;

/* What one value led to. */
struct sdw_foresight {
    size_t n_forecasts;
    const struct sdw_forecast *said; /* [n_forecasts]: its own, or those of its family */
    size_t n_breaches, n_scores;
    struct sdw_breach breach[SDW_BREACHES_MAX];
    const struct sdw_score *score; /* [n_scores] */
    size_t n_correlations;
    const struct sdw_correlation *correlation; /* [n_correlations] */
    enum sdw_grid_use use;
    bool dropped; /* the book is full: this series is not followed */
};

/* What a book has seen and said. */
struct sdw_book_counts {
    int64_t values, forecasts, breaches, scores, late, duplicates, dropped;
    int64_t ts; /* newest time of a record */
};

struct sdw_book;

/* The settings are copied; what they point to must outlive the book. */
struct sdw_book *sdw_book_new(const struct sdw_forecast_settings *settings);
void sdw_book_free(struct sdw_book *book);

/* What series a record has a value of: 1 and the sample for a `metric`, `conn`, `verdict`,
 * `gradient`, `flow.update` or `app`, or (with keys and a field in the settings) any JSON that has
 * them; 0: it has none; SDW_EINPUT. The sample's texts are the book's and the line's. */
int sdw_book_read(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                  struct sdw_sample *sample, struct sdw_err *err);
/* Learn from a value, and say what follows from it. */
void sdw_book_learn(struct sdw_book *book, const struct sdw_sample *sample,
                    struct sdw_foresight *out);
const struct sdw_book_counts *sdw_book_counts(const struct sdw_book *book);
size_t sdw_book_series(const struct sdw_book *book);
int64_t
sdw_book_newest(const struct sdw_book *book); /* time of the newest value; INT64_MIN: none */

/*
 * All that the book knows, as bytes for a checkpoint (io/checkpoint.h); sdw_book_layout is its
 * layout. Load into a new book with the same settings: SDW_EINPUT when the bytes do not fit it.
 * A loaded book ignores values up to the time it was saved at, until the first later one comes: so
 * the records since then may be replayed, or all of them.
 */
uint64_t sdw_book_layout(const struct sdw_forecast_settings *settings);
void sdw_book_save(const struct sdw_book *book, struct sdw_buf *out);
int sdw_book_load(struct sdw_book *book, struct sdw_str body, struct sdw_err *err);

#endif
