#include "store/chunk.h"
#include "core/mem.h"
#include "store/bits.h"
#include "store/ints.h"
#include "store/xor.h"

#include <math.h>
#include <stdlib.h>

/* On disk: version, columns, number of points, times, columns. A column: its coding, 0..15 for
 * the decimal places of scaled integers, else XOR_CODED; then its values. */
enum { VERSION = 1, PLACES_MAX = 15, XOR_CODED = 32, DIGITS_BITS = 51 };

static const double power[PLACES_MAX + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* value * 10^places as an integer, when dividing it again gives the same bits: both are exact and
 * the quotient is rounded once. */
static bool scale(double value, unsigned places, int64_t *out)
{
    double scaled = value * power[places];
    if (!(fabs(scaled) < (double)(INT64_C(1) << DIGITS_BITS)))
        return false;
    int64_t whole = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    *out = whole;
    return sdw_real_bits((double)whole / power[places]) == sdw_real_bits(value);
}

static bool scale_all(const double *value, size_t n, unsigned places, int64_t *out)
{
    for (size_t i = 0; i < n; i++)
        if (!scale(value[i], places, &out[i]))
            return false;
    return true;
}

/* The fewest decimal places that hold all values; false when there are none. */
static bool scaled(const double *value, size_t n, int64_t *out, unsigned *places)
{
    *places = 0;
    for (size_t i = 0; i < n; i++)
        while (!scale(value[i], *places, &out[i]))
            if (++*places > PLACES_MAX)
                return false;
    return scale_all(value, n, *places, out);
}

static void put_column(const double *value, size_t n, int64_t *whole, struct sdw_buf *out)
{
    unsigned places;
    size_t start = out->n, size = SIZE_MAX;
    if (scaled(value, n, whole, &places)) {
        sdw_buf_char(out, (char)places);
        sdw_ints_encode(whole, n, out);
        size = out->n - start;
    }
    if (size < n * 2) /* already less than the other coding is likely to reach */
        return;
    struct sdw_buf other = {0};
    sdw_buf_char(&other, XOR_CODED);
    sdw_xor_encode(value, n, &other);
    if (other.n < size) {
        out->n = start;
        sdw_buf_str(out, sdw_buf_view(&other));
    }
    sdw_buf_release(&other);
}

void sdw_chunk_encode(const struct sdw_points *points, struct sdw_buf *out)
{
    int64_t whole[SDW_CHUNK_POINTS];
    sdw_buf_char(out, VERSION);
    sdw_buf_char(out, (char)points->columns);
    sdw_put_varint(out, points->n);
    sdw_ints_encode(points->ts_us, points->n, out);
    for (size_t c = 0; c < points->columns; c++)
        put_column(points->column[c], points->n, whole, out);
}

void sdw_chunk_stats_of(const struct sdw_points *points, struct sdw_chunk_stats *stats)
{
    bool rollup = points->columns == SDW_CHUNK_COLUMNS;
    const double *min = points->column[0], *max = points->column[rollup ? SDW_COL_MAX : 0];
    const double *sum = points->column[rollup ? SDW_COL_SUM : 0];
    *stats = (struct sdw_chunk_stats){.from_us = points->ts_us[0],
                                      .to_us = points->ts_us[points->n - 1],
                                      .min = min[0],
                                      .max = max[0],
                                      .last = points->column[points->columns - 1][points->n - 1],
                                      .count = points->n};
    for (size_t i = 0; i < points->n; i++) {
        stats->min = min[i] < stats->min ? min[i] : stats->min;
        stats->max = max[i] > stats->max ? max[i] : stats->max;
        stats->sum += sum[i];
    }
    if (rollup) {
        double count = 0;
        for (size_t i = 0; i < points->n; i++)
            count += points->column[SDW_COL_COUNT][i];
        stats->count = (uint64_t)count;
    }
}

static void make_room(struct sdw_chunk_room *room, size_t columns)
{
    if (!room->ts_us)
        room->ts_us = sdw_xalloc(SDW_CHUNK_POINTS * sizeof *room->ts_us);
    for (size_t c = 0; c < columns; c++)
        if (!room->column[c])
            room->column[c] = sdw_xalloc(SDW_CHUNK_POINTS * sizeof *room->column[c]);
}

void sdw_chunk_room_release(struct sdw_chunk_room *room)
{
    free(room->ts_us);
    for (size_t c = 0; c < SDW_CHUNK_COLUMNS; c++)
        free(room->column[c]);
    *room = (struct sdw_chunk_room){0};
}

/* Values [from, to) of n. */
static int get_column(struct sdw_bytes *in, size_t n, size_t from, size_t to, double *value)
{
    int64_t whole[SDW_CHUNK_POINTS];
    unsigned coding = sdw_get_byte(in);
    if (coding == XOR_CODED)
        return sdw_xor_decode(in, n, value);
    if (coding > PLACES_MAX || sdw_ints_decode(in, n, from, to, whole) < 0)
        return SDW_EINPUT;
    if (coding == 0)
        for (size_t i = from; i < to; i++)
            value[i] = (double)whole[i];
    else
        for (size_t i = from; i < to; i++)
            value[i] = (double)whole[i] / power[coding];
    return 0;
}

int sdw_chunk_decode(const void *bytes, size_t n, int64_t from_us, int64_t to_us,
                     struct sdw_chunk_room *room, struct sdw_err *err)
{
    struct sdw_bytes in = sdw_bytes(bytes, n);
    unsigned version = sdw_get_byte(&in), columns = sdw_get_byte(&in);
    uint64_t points = sdw_get_varint(&in);
    size_t count = (size_t)points, from = 0, to = 0;
    room->points = (struct sdw_points){0};
    if (in.bad || version != VERSION || (columns != 1 && columns != SDW_CHUNK_COLUMNS) ||
        points == 0 || points > SDW_CHUNK_POINTS)
        return sdw_err_set(err, SDW_EINPUT, "not a chunk");
    make_room(room, columns);
    int code = sdw_ints_within(&in, count, from_us, to_us, &from, &to, room->ts_us);
    for (size_t c = 0; code == 0 && c < columns; c++)
        code = get_column(&in, count, from, to, room->column[c]);
    if (code < 0 || in.bad || in.p != in.end)
        return sdw_err_set(err, SDW_EINPUT, "a chunk is damaged");
    room->points =
        (struct sdw_points){.n = to - from, .columns = columns, .ts_us = room->ts_us + from};
    for (size_t c = 0; c < columns; c++)
        room->points.column[c] = room->column[c] + from;
    return 0;
}
