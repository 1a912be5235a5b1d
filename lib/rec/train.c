#include "rec/train.h"

#include "core/num.h"
#include "io/scan.h"

static int array_length(struct sdw_str json, size_t *n, const char *key, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member element;
    int got = sdw_scan_begin(&scan, json, err);
    *n = 0;
    if (got < 0 || !scan.array)
        return sdw_err_field(err, key, "expected an array");
    while ((got = sdw_scan_next(&scan, &element, err)) > 0) {
        if (++*n > SDW_PACKETS_MAX)
            return sdw_err_field(err, key, "more than %d packets", SDW_PACKETS_MAX);
    }
    return got < 0 ? sdw_err_field(err, key, "malformed array") : 0;
}

/* The array was walked by array_length. lost: whether null stands for INT64_MIN. */
static int read_integers(struct sdw_str json, bool lost, int64_t *out, const char *key,
                         struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member element;
    if (sdw_scan_begin(&scan, json, err) < 0)
        return SDW_EINPUT;
    for (size_t i = 0; sdw_scan_next(&scan, &element, err) > 0; i++) {
        if (lost && element.kind == SDW_SCAN_NULL)
            out[i] = INT64_MIN;
        else if (element.kind != SDW_SCAN_NUMBER || !sdw_num_int(element.value, &out[i]))
            return sdw_err_field(err, key, "element %zu is not an integer", i + 1);
    }
    return 0;
}

static int check(const struct sdw_packets *packets, struct sdw_err *err)
{
    for (size_t i = 0; i < packets->n; i++) {
        if (packets->bytes[i] < 1 || packets->bytes[i] > 65535)
            return sdw_err_field(err, "chirp.bytes", "element %zu is not within 1..65535", i + 1);
        if (i > 0 && packets->sent_ns[i] < packets->sent_ns[i - 1])
            return sdw_err_field(err, "chirp.sent_ns", "element %zu goes back in time", i + 1);
    }
    return 0;
}

int sdw_packets_decode(struct sdw_str json, struct sdw_arena *arena, struct sdw_packets *packets,
                       struct sdw_err *err)
{
    static const char *const keys[] = {"sent_ns", "bytes", "delay_ns"};
    static const char *const names[] = {"chirp.sent_ns", "chirp.bytes", "chirp.delay_ns"};
    struct sdw_str wanted[3];
    struct sdw_member found[3];
    int64_t *values[3];
    size_t n[3];
    for (size_t k = 0; k < 3; k++)
        wanted[k] = sdw_str_of(keys[k]);
    if (sdw_scan_find(json, wanted, 3, found, err) < 0)
        return sdw_err_field(err, "chirp", "expected an object");
    for (size_t k = 0; k < 3; k++) {
        if (!found[k].key.p || found[k].kind != SDW_SCAN_ARRAY)
            return sdw_err_field(err, names[k], "expected an array");
        int code = array_length(found[k].value, &n[k], names[k], err);
        if (code < 0)
            return code;
        if (n[k] != n[0])
            return sdw_err_field(err, names[k], "%zu elements, but sent_ns has %zu", n[k], n[0]);
        values[k] = sdw_arena_alloc(arena, (n[k] + 1) * sizeof(int64_t));
        code = read_integers(found[k].value, k == 2, values[k], names[k], err);
        if (code < 0)
            return code;
    }
    *packets = (struct sdw_packets){n[0], values[0], values[1], values[2]};
    return check(packets, err);
}
