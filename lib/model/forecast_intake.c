/* Values out of records of any kind, and what else a line says of its series. */
#include "core/mem.h"
#include "core/num.h"
#include "io/scan.h"
#include "model/book.h"
#include "rec/reading.h"

#include <math.h>

const struct sdw_sample sdw_sample_absent = {.ts = SDW_NO_INT,
                                             .value = NAN,
                                             .capacity = NAN,
                                             .path_capacity = NAN,
                                             .new_per_s = NAN,
                                             .duration_mean_us = NAN};

/* A number among the members of a record, or (where it has labels) among its labels: NAN when
 * there is none. Labels are strings. */
static double number_in(struct sdw_str line, const char *key)
{
    struct sdw_str keys[2] = {sdw_str_of(key), sdw_str_of("labels")};
    struct sdw_member found[2];
    double value = NAN;
    if (sdw_scan_find(line, keys, 2, found, NULL) != 0)
        return NAN;
    if (!found[0].key.p && found[1].key.p && found[1].kind == SDW_SCAN_OBJECT &&
        sdw_scan_find(found[1].value, keys, 1, found, NULL) != 0)
        return NAN;
    struct sdw_str text = found[0].value;
    if (!found[0].key.p)
        return NAN;
    if (found[0].kind == SDW_SCAN_STRING && text.n >= 2)
        text = (struct sdw_str){text.p + 1, text.n - 2};
    else if (found[0].kind != SDW_SCAN_NUMBER)
        return NAN;
    return sdw_num_real(text, &value) ? value : NAN;
}

/* A text among the members of a record or its labels, as it stands between its quotes; empty when
 * there is none. */
static struct sdw_str text_in(struct sdw_str line, const char *key)
{
    struct sdw_str keys[2] = {sdw_str_of(key), sdw_str_of("labels")};
    struct sdw_member found[2];
    if (!memmem(line.p, line.n, key, strlen(key)) || sdw_scan_find(line, keys, 2, found, NULL) != 0)
        return (struct sdw_str){0};
    if (!found[0].key.p && found[1].key.p && found[1].kind == SDW_SCAN_OBJECT &&
        sdw_scan_find(found[1].value, keys, 1, found, NULL) != 0)
        return (struct sdw_str){0};
    if (!found[0].key.p || found[0].kind != SDW_SCAN_STRING || found[0].value.n < 2)
        return (struct sdw_str){0};
    return (struct sdw_str){found[0].value.p + 1, found[0].value.n - 2};
}

/* Append the text of a member that names a series: a string's own, anything else as it stands. */
static int append_key(struct sdw_buf *name, const struct sdw_member *member, struct sdw_err *err)
{
    if (name->n > 0)
        sdw_buf_char(name, '/');
    if (member->kind == SDW_SCAN_STRING)
        return sdw_scan_unescape(member->value, name, err);
    sdw_buf_str(name, member->value);
    return 0;
}

/* Any JSON: 1 when it has a time, the field and all the keys. */
static int of_any(struct sdw_book *book, struct sdw_str line, struct sdw_sample *sample,
                  struct sdw_err *err)
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_str keys[SDW_KEYS_MAX + 2] = {sdw_str_of("ts"), sdw_str_of(s->field)};
    struct sdw_member found[SDW_KEYS_MAX + 2];
    for (size_t i = 0; i < s->keys; i++)
        keys[2 + i] = sdw_str_of(s->key[i]);
    int rc = sdw_scan_find(line, keys, 2 + s->keys, found, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < 2 + s->keys; i++)
        if (!found[i].key.p)
            return 0;
    if (found[0].kind != SDW_SCAN_NUMBER || !sdw_num_int(found[0].value, &sample->ts))
        return sdw_err_field(err, "ts", "not an integer of microseconds");
    if (found[1].kind != SDW_SCAN_NULL &&
        (found[1].kind != SDW_SCAN_NUMBER || !sdw_num_real(found[1].value, &sample->value)))
        return sdw_err_field(err, s->field, "not a number");
    for (size_t i = 0; rc == 0 && i < s->keys; i++)
        rc = append_key(&book->name, &found[2 + i], err);
    sdw_buf_char(&book->name, '/');
    sdw_buf_text(&book->name, s->field);
    return rc == 0 ? 1 : rc;
}

static int of_known(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                    struct sdw_sample *sample, struct sdw_err *err)
{
    struct sdw_reading reading;
    int rc = sdw_reading_of(line, arena, &book->name, &reading, err);
    if (rc == 1)
        *sample = (struct sdw_sample){.ts = reading.ts,
                                      .value = reading.value,
                                      .capacity = reading.capacity,
                                      .path_capacity = reading.path_capacity,
                                      .new_per_s = reading.new_per_s,
                                      .duration_mean_us = reading.duration_mean_us,
                                      .estimate = reading.estimate};
    return rc;
}

int sdw_book_read(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                  struct sdw_sample *sample, struct sdw_err *err)
{
    *sample = sdw_sample_absent;
    sdw_buf_clear(&book->name);
    int rc = book->settings.field ? of_any(book, line, sample, err)
                                  : of_known(book, line, arena, sample, err);
    if (rc != 1)
        return rc;
    if (sample->ts == SDW_NO_INT)
        return sdw_err_field(err, "ts", "missing");
    if (book->settings.capacity_field && !sample->estimate)
        sample->capacity = number_in(line, book->settings.capacity_field);
    sample->parent = text_in(line, "parent");
    sample->series = sdw_buf_view(&book->name);
    return 1;
}
