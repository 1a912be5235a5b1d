#include "io/horizons.h"
#include "core/num.h"

#include <math.h>

enum { HORIZON, ODDS, QUANTILES, PARTS };
enum { LOW, MEDIAN, HIGH, QUANTILES_READ };

static double number_of(const struct sdw_member *member)
{
    double number;
    return member->key.p && member->kind == SDW_SCAN_NUMBER && sdw_num_real(member->value, &number)
               ? number
               : NAN;
}

static void read_quantiles(const struct sdw_member *quantiles, struct sdw_horizon *out)
{
    static const struct sdw_str keys[QUANTILES_READ] = {
        [LOW] = {"0.025", 5}, [MEDIAN] = {"0.5", 3}, [HIGH] = {"0.975", 5}};
    struct sdw_member q[QUANTILES_READ];
    if (!quantiles->key.p || quantiles->kind != SDW_SCAN_OBJECT ||
        sdw_scan_find(quantiles->value, keys, QUANTILES_READ, q, NULL) != 0)
        return;
    out->lo = number_of(&q[LOW]);
    out->mid = number_of(&q[MEDIAN]);
    out->hi = number_of(&q[HIGH]);
}

int sdw_horizons_next(struct sdw_scan *scan, struct sdw_horizon *horizon)
{
    static const struct sdw_str keys[PARTS] = {
        [HORIZON] = {"horizon_us", 10}, [ODDS] = {"p", 1}, [QUANTILES] = {"q", 1}};
    struct sdw_member element, part[PARTS];
    int more = scan->array ? sdw_scan_next(scan, &element, NULL) : SDW_EINPUT;
    if (more <= 0)
        return more;
    *horizon = (struct sdw_horizon){.lo = NAN, .mid = NAN, .hi = NAN};
    if (element.kind != SDW_SCAN_OBJECT ||
        sdw_scan_find(element.value, keys, PARTS, part, NULL) != 0 || !part[HORIZON].key.p ||
        part[HORIZON].kind != SDW_SCAN_NUMBER ||
        !sdw_num_int(part[HORIZON].value, &horizon->horizon_us) || horizon->horizon_us < 0)
        return SDW_EINPUT;
    horizon->p = number_of(&part[ODDS]);
    read_quantiles(&part[QUANTILES], horizon);
    return 1;
}

int sdw_horizon_shortest(struct sdw_str horizons, struct sdw_horizon *shortest, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_horizon one;
    int found = 0, more = sdw_scan_begin(&scan, horizons, NULL);
    while (more >= 0 && (more = sdw_horizons_next(&scan, &one)) > 0) {
        if (one.horizon_us == 0)
            more = SDW_EINPUT;
        else if (one.lo <= one.mid && one.mid <= one.hi &&
                 (!found || one.horizon_us < shortest->horizon_us)) {
            *shortest = one;
            found = 1;
        }
    }
    return more == 0 ? found : sdw_err_field(err, "horizons", "not an array of horizons");
}

static void put_number(double number, struct sdw_buf *out)
{
    char text[16];
    sdw_buf_text(out, isnan(number) ? "-" : sdw_show_number(number, text));
}

void sdw_horizons_text(const struct sdw_member *member, struct sdw_buf *out)
{
    struct sdw_scan scan;
    struct sdw_horizon horizon;
    char text[16];
    if (!member->key.p || sdw_scan_begin(&scan, member->value, NULL) < 0)
        return;
    for (bool first = true; sdw_horizons_next(&scan, &horizon) > 0; first = false) {
        sdw_buf_text(out, first ? "" : "; ");
        sdw_buf_text(out, sdw_show_duration(horizon.horizon_us, text));
        sdw_buf_char(out, ' ');
        put_number(isnan(horizon.mid) ? horizon.p : horizon.mid, out);
        if (isnan(horizon.mid))
            continue;
        sdw_buf_text(out, " [");
        put_number(horizon.lo, out);
        sdw_buf_text(out, ", ");
        put_number(horizon.hi, out);
        sdw_buf_char(out, ']');
    }
}
