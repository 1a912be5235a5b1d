#include "io/emit_horizons.h"

#include "core/num.h"

enum { HORIZON, ODDS, QUANTILES, PARTS };
enum { LOW, MEDIAN, HIGH, QUANTILES_SHOWN };

static bool real_of(const struct sdw_member *member, double *value)
{
    return member->key.p && member->kind == SDW_SCAN_NUMBER && sdw_num_real(member->value, value);
}

static void put_number(const struct sdw_member *member, struct sdw_buf *out)
{
    char text[16];
    double value;
    sdw_buf_text(out, real_of(member, &value) ? sdw_show_number(value, text) : "-");
}

static void put_quantiles(const struct sdw_member *quantiles, struct sdw_buf *out)
{
    static const struct sdw_str keys[QUANTILES_SHOWN] = {
        [LOW] = {"0.025", 5}, [MEDIAN] = {"0.5", 3}, [HIGH] = {"0.975", 5}};
    struct sdw_member q[QUANTILES_SHOWN];
    if (quantiles->kind != SDW_SCAN_OBJECT ||
        sdw_scan_find(quantiles->value, keys, QUANTILES_SHOWN, q, NULL) < 0) {
        sdw_buf_char(out, '-');
        return;
    }
    put_number(&q[MEDIAN], out);
    sdw_buf_text(out, " [");
    put_number(&q[LOW], out);
    sdw_buf_text(out, ", ");
    put_number(&q[HIGH], out);
    sdw_buf_char(out, ']');
}

static void put_horizon(const struct sdw_member *element, struct sdw_buf *out)
{
    static const struct sdw_str keys[PARTS] = {
        [HORIZON] = {"horizon_us", 10}, [ODDS] = {"p", 1}, [QUANTILES] = {"q", 1}};
    struct sdw_member part[PARTS];
    char text[16];
    int64_t us;
    if (element->kind != SDW_SCAN_OBJECT ||
        sdw_scan_find(element->value, keys, PARTS, part, NULL) < 0 || !part[HORIZON].key.p ||
        !sdw_num_int(part[HORIZON].value, &us)) {
        sdw_buf_char(out, '-');
        return;
    }
    sdw_buf_text(out, sdw_show_duration(us, text));
    sdw_buf_char(out, ' ');
    if (part[QUANTILES].key.p)
        put_quantiles(&part[QUANTILES], out);
    else
        put_number(&part[ODDS], out);
}

void sdw_horizons_text(const struct sdw_member *member, struct sdw_buf *out)
{
    struct sdw_scan scan;
    struct sdw_member element;
    if (!member->key.p || member->kind != SDW_SCAN_ARRAY ||
        sdw_scan_begin(&scan, member->value, NULL) < 0)
        return;
    for (bool first = true; sdw_scan_next(&scan, &element, NULL) > 0; first = false) {
        sdw_buf_text(out, first ? "" : "; ");
        put_horizon(&element, out);
    }
}
