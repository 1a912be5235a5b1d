#include "store/ints.h"

#include <math.h>

/* On disk: first value (signed), divisor (0: all values are equal, nothing follows), blocks. A
 * block: length, flags, width, slope (with LINE), first value (order 1 and 2), first difference
 * (order 2), least residual, packed residuals. Values are distances from the first of all, in
 * divisors: each block can be read without those before. */
enum {
    BLOCK = 128,
    ORDER = 3,       /* bits of the flags that hold the order */
    LINE = 4,        /* flag: a line was taken out */
    SLOPE_BITS = 16, /* binary places of a slope */
};

/* How a block is turned into residuals, and what they are like. */
struct shape {
    unsigned order, width;
    bool line;
    int64_t slope, least;
};

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The largest divisor of all steps from the first value; 0 when all are equal. */
static uint64_t divisor_of(const int64_t *value, size_t n)
{
    uint64_t divisor = 0, before = 0;
    for (size_t i = 1; i < n && divisor != 1; i++) {
        int64_t step = (int64_t)((uint64_t)value[i] - (uint64_t)value[0]);
        uint64_t size = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
        /* Nearly always the step is a multiple already: then no division chain is needed. */
        if (size != before && (divisor == 0 || size % divisor != 0))
            divisor = gcd(size, divisor);
        before = size;
    }
    return divisor;
}

static uint64_t line_at(int64_t slope, size_t i)
{
    return (uint64_t)((int64_t)((uint64_t)slope * i) >> SLOPE_BITS);
}

/* The slope from the means of both halves; robust enough, and one pass. */
static int64_t slope_of(const uint64_t *value, size_t n)
{
    double sum[2] = {0, 0};
    size_t half = n / 2, distance = n - half;
    for (size_t i = 0; i < half; i++) {
        sum[0] += (double)(int64_t)(value[i] - value[0]);
        sum[1] += (double)(int64_t)(value[distance + i] - value[0]);
    }
    double area = (double)half * (double)distance;
    double slope = half ? (sum[1] - sum[0]) / area * (1 << SLOPE_BITS) : 0;
    return fabs(slope) < 1e15 ? llrint(slope) : 0;
}

/* Least residual and width of value[n], less the line. */
static void measure(const uint64_t *value, size_t n, struct shape *shape)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        int64_t r = (int64_t)(value[i] - line_at(shape->slope, i));
        least = r < least ? r : least;
        most = r > most ? r : most;
    }
    shape->least = n ? least : 0;
    shape->width = n ? sdw_width((uint64_t)most - (uint64_t)least) : 0;
}

static size_t cost(const struct shape *shape, size_t n)
{
    return (n - shape->order) * shape->width + 24 * shape->order + 24 * shape->line;
}

/* The best shape of a block; step[k] are its differences of order k, n - k of them. */
static struct shape choose(const uint64_t step[3][BLOCK], size_t n)
{
    struct shape best = {0};
    for (unsigned order = 0; order < 3 && order < n; order++)
        for (unsigned line = 0; line < 2; line++) {
            struct shape shape = {.order = order, .line = line != 0};
            if (line)
                shape.slope = slope_of(step[order], n - order);
            if (line && shape.slope == 0)
                continue;
            measure(step[order], n - order, &shape);
            if ((order == 0 && !line) || cost(&shape, n) < cost(&best, n))
                best = shape;
        }
    return best;
}

static void put_block(const uint64_t step[3][BLOCK], size_t n, const struct shape *shape,
                      struct sdw_buf *out)
{
    uint64_t packed[BLOCK];
    const uint64_t *value = step[shape->order];
    size_t count = n - shape->order;
    sdw_put_varint(out, n);
    sdw_buf_char(out, (char)(shape->order | (shape->line ? LINE : 0)));
    sdw_buf_char(out, (char)shape->width);
    if (shape->line)
        sdw_put_signed(out, shape->slope);
    for (unsigned k = 0; k < shape->order; k++)
        sdw_put_signed(out, (int64_t)step[k][0]);
    sdw_put_signed(out, shape->least);
    for (size_t i = 0; i < count; i++)
        packed[i] = value[i] - line_at(shape->slope, i) - (uint64_t)shape->least;
    sdw_put_packed(out, packed, count, shape->width);
}

/* Regular sequences, the usual clock, are one block of their own: all first differences equal. */
static bool put_regular(const int64_t *value, size_t n, int64_t divisor, struct sdw_buf *out)
{
    uint64_t step = (uint64_t)value[1] - (uint64_t)value[0];
    for (size_t i = 2; i < n; i++)
        if ((uint64_t)value[i] - (uint64_t)value[i - 1] != step)
            return false;
    sdw_put_varint(out, n);
    sdw_buf_char(out, 1);
    sdw_buf_char(out, 0);
    sdw_put_signed(out, 0);
    sdw_put_signed(out, (int64_t)step / divisor);
    return true;
}

void sdw_ints_encode(const int64_t *value, size_t n, struct sdw_buf *out)
{
    uint64_t step[3][BLOCK] = {0};
    if (n == 0)
        return;
    int64_t divisor = (int64_t)divisor_of(value, n);
    if (divisor < 0) /* 2^63 */
        divisor = 1;
    sdw_put_signed(out, value[0]);
    sdw_put_varint(out, (uint64_t)divisor);
    if (divisor == 0 || put_regular(value, n, divisor, out))
        return;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t count = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < count; i++) {
            int64_t far = (int64_t)((uint64_t)value[at + i] - (uint64_t)value[0]);
            step[0][i] = (uint64_t)(divisor == 1 ? far : far / divisor);
        }
        for (unsigned k = 1; k < 3; k++)
            for (size_t i = 0; i + k < count; i++)
                step[k][i] = step[k - 1][i + 1] - step[k - 1][i];
        struct shape shape = choose((const uint64_t(*)[BLOCK])step, count);
        put_block((const uint64_t(*)[BLOCK])step, count, &shape, out);
    }
}

/* A block as it is read. */
struct block {
    size_t n;
    unsigned order, width;
    int64_t slope;
    uint64_t first[2], least;
    struct sdw_bytes packed;
};

/* The next block, of at most `left` values; the cursor moves behind it. False when it is bad. */
static bool next_block(struct sdw_bytes *in, size_t left, struct block *block)
{
    uint64_t n = sdw_get_varint(in);
    unsigned flags = sdw_get_byte(in);
    *block = (struct block){.order = flags & ORDER, .width = sdw_get_byte(in)};
    if (n == 0 || n > left || block->order > 2 || block->order >= n || flags > (ORDER | LINE) ||
        block->width > 64 || (block->width && n > BLOCK))
        return false;
    block->n = (size_t)n;
    if (flags & LINE)
        block->slope = sdw_get_signed(in);
    for (unsigned k = 0; k < block->order; k++)
        block->first[k] = (uint64_t)sdw_get_signed(in);
    block->least = (uint64_t)sdw_get_signed(in);
    block->packed = *in;
    sdw_skip(in, sdw_packed_size(block->n - block->order, block->width));
    return !in->bad;
}

/* Values without noise: the same residual again and again. */
static void expand_regular(const struct block *block, uint64_t first, uint64_t divisor,
                           uint64_t *out)
{
    uint64_t value = first + block->first[0] * divisor;
    uint64_t step = block->order == 1 ? block->least * divisor : 0;
    if (block->order == 0)
        value = first + block->least * divisor;
    for (size_t i = 0; i < block->n; i++) {
        out[i] = value;
        value += step;
    }
}

/* Residuals back to values. */
static void expand(struct block *block, uint64_t first, uint64_t divisor, uint64_t *out)
{
    uint64_t residual[BLOCK] = {0}, line = 0, x = block->first[0], dx = block->first[1];
    uint64_t least = block->least, slope = (uint64_t)block->slope;
    size_t n = block->n, count = n - block->order;
    if (block->width == 0 && slope == 0 && block->order < 2) {
        expand_regular(block, first, divisor, out);
        return;
    }
    for (size_t at = 0; at < n; at += BLOCK) { /* more than once only where there is no noise */
        size_t some = n - at < BLOCK ? n - at : BLOCK;
        if (block->width)
            sdw_get_packed(&block->packed, residual, count, block->width);
        for (size_t i = 0; i < some; i++) {
            uint64_t r = residual[i] + least + (uint64_t)((int64_t)line >> SLOPE_BITS);
            line += slope;
            if (block->order == 0) {
                x = r;
            }
            out[at + i] = first + x * divisor;
            if (block->order == 1) {
                x += r;
            } else if (block->order == 2) {
                x += dx;
                dx += r;
            }
        }
    }
}

int sdw_ints_decode(struct sdw_bytes *in, size_t n, size_t from, size_t to, int64_t *value)
{
    if (n == 0)
        return 0;
    uint64_t first = (uint64_t)sdw_get_signed(in), divisor = sdw_get_varint(in);
    if (in->bad || divisor > INT64_MAX)
        return SDW_EINPUT;
    if (divisor == 0) {
        for (size_t i = from; i < to; i++)
            value[i] = (int64_t)first;
        return 0;
    }
    for (size_t at = 0; at < n;) {
        struct block block;
        if (!next_block(in, n - at, &block))
            return SDW_EINPUT;
        if (at < to && at + block.n > from)
            expand(&block, first, divisor, (uint64_t *)value + at);
        at += block.n;
    }
    return 0;
}

size_t sdw_ints_first(const int64_t *value, size_t n, int64_t low)
{
    size_t begin = 0, end = n;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (value[middle] < low)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The same of first, first + step, ... */
static size_t regular_first(int64_t first, uint64_t step, size_t n, int64_t low)
{
    if (low <= first)
        return 0;
    uint64_t steps = ((uint64_t)low - (uint64_t)first - 1) / step + 1;
    return steps < n ? (size_t)steps : n;
}

/* Whether all n values are one regular block that does not leave the range of integers. */
static bool is_regular(struct sdw_bytes *in, size_t n, int64_t *first, int64_t *step)
{
    struct block block;
    int64_t divisor, begin, length, end;
    *first = sdw_get_signed(in);
    divisor = (int64_t)sdw_get_varint(in);
    return !in->bad && divisor > 0 && next_block(in, n, &block) && block.n == n &&
           block.width == 0 && block.slope == 0 && block.order == 1 && (int64_t)block.least > 0 &&
           !__builtin_mul_overflow((int64_t)block.first[0], divisor, &begin) &&
           !__builtin_add_overflow(*first, begin, first) &&
           !__builtin_mul_overflow((int64_t)block.least, divisor, step) &&
           !__builtin_mul_overflow(*step, (int64_t)n - 1, &length) &&
           !__builtin_add_overflow(*first, length, &end);
}

int sdw_ints_within(struct sdw_bytes *in, size_t n, int64_t low, int64_t high, size_t *from,
                    size_t *to, int64_t *value)
{
    struct sdw_bytes look = *in;
    int64_t first, step;
    if (n > 0 && is_regular(&look, n, &first, &step)) {
        *in = look;
        *from = regular_first(first, (uint64_t)step, n, low);
        *to = regular_first(first, (uint64_t)step, n, high);
        for (size_t i = *from; i < *to; i++)
            value[i] = first + (int64_t)i * step;
    } else {
        int code = sdw_ints_decode(in, n, 0, n, value);
        if (code < 0)
            return code;
        *from = sdw_ints_first(value, n, low);
        *to = sdw_ints_first(value, n, high);
    }
    *to = *to < *from ? *from : *to;
    return 0;
}
