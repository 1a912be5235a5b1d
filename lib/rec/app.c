#include "rec/app.h"
#include "rec/table.h"

static const char *const sensitivities[] = {"high", "medium", "low", NULL};

#define OF sdw_app
static const struct sdw_field app_fields[] = {
    F(SDW_STR, app, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the application"),
    F(SDW_STR, category, 0, NULL, "its category"),
    FV(sensitivity, SDW_F_COLUMN, sensitivities, "how much delay hurts it"),
    F(SDW_STR, src, SDW_F_COLUMN, NULL,
      "the end that opens its flows; absent: all ends that have no record of their own"),
    F(SDW_STR, dst, SDW_F_COLUMN, NULL, "the other end"),
    FN(SDW_MODEL, current_bps, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 1e15, "bit/s",
       "rate over interval_us, both directions"),
    FN(SDW_MODEL, average_bps, SDW_F_COLUMN, 0, 1e15, "bit/s", "rate over duration_us"),
    FN(SDW_MODEL, peak_bps, SDW_F_COLUMN, 0, 1e15, "bit/s", "highest current_bps so far"),
    FN(SDW_INT, interval_us, 0, 0, 1e15, "us", "length of the interval that ends at ts"),
    FN(SDW_INT, duration_us, 0, 0, 1e15, "us", "time since its first packet"),
    FN(SDW_INT, flows, SDW_F_COLUMN, 0, 0, NULL, "flows opened in duration_us"),
    FN(SDW_INT, packets, 0, 0, 0, NULL, "packets in duration_us"),
    FN(SDW_INT, bytes, 0, 0, 0, "bytes", "IP bytes in duration_us"),
    FN(SDW_INT, forward_bytes, 0, 0, 0, "bytes", "of these, from src to dst"),
    FN(SDW_INT, transfers, SDW_F_COLUMN, 0, 0, NULL,
       "transfers that ended in duration_us: payload in one direction of a flow without a pause"),
    FN(SDW_MODEL, transfers_per_s, 0, 0, 1e12, "1/s", "how often there is one"),
    F(SDW_RAW, transfer_bytes, 0, "bytes", "how many of each size: [[bytes, count], ...]"),
    F(SDW_RAW, transfer_bytes_q, 0, "bytes", "quantiles of their size, by probability"),
    F(SDW_RAW, transfer_gap_us, 0, "us",
      "how many began so long after the one before: [[us, count], ...]"),
    F(SDW_RAW, transfer_gap_us_q, 0, "us", "quantiles of that time, by probability"),
    {0},
};
#undef OF

const struct sdw_schema sdw_app_schema = {"app", "what an application carries between two ends",
                                          sizeof(struct sdw_app), app_fields};

void sdw_app_series(const struct sdw_app *app, struct sdw_buf *name)
{
    sdw_buf_text(name, "app/");
    sdw_buf_str(name, app->app);
    if (app->src.p || app->dst.p) {
        sdw_buf_char(name, '/');
        sdw_buf_str(name, app->src.p ? app->src : sdw_str_of("*"));
        sdw_buf_char(name, '>');
        sdw_buf_str(name, app->dst.p ? app->dst : sdw_str_of("*"));
    }
    sdw_buf_text(name, "/bps");
}
