/* Values out of records of any kind, and what else a line says of its series. */
#include "core/mem.h"
#include "core/num.h"
#include "io/scan.h"
#include "model/book.h"
#include "rec/path.h"
#include "rec/reading.h"

#include <math.h>

const struct sdw_sample sdw_sample_absent = {
    .ts = SDW_NO_INT,
    .value = NAN,
    .capacity = NAN,
    .path_capacity = NAN,
    .new_per_s = NAN,
    .duration_mean_us = NAN,
    .news = {.delay_us = NAN, .sent = NAN, .lost = NAN, .available_bps = NAN}};

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

struct sdw_str sdw_line_text(struct sdw_str line, const char *key)
{
    struct sdw_str keys[2] = {sdw_str_of(key), sdw_str_of("labels")};
    struct sdw_member found[2];
    if (line.n == 0 || !memmem(line.p, line.n, key, strlen(key)) ||
        sdw_scan_find(line, keys, 2, found, NULL) != 0)
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

static double or_nan(int64_t n)
{
    return n == SDW_NO_INT ? NAN : (double)n;
}

/* A slot tells of the path: of the measuring packets it tells what they met. */
static int of_slot(struct sdw_str line, struct sdw_arena *arena, struct sdw_sample *sample,
                   struct sdw_err *err)
{
    struct sdw_slot slot;
    int rc = sdw_rec_decode(&sdw_slot_schema, line, arena, &slot, err);
    if (rc != 0 || slot.voided == 1 || slot.hop == SDW_NO_INT)
        return rc;
    sample->ts = slot.ts;
    sample->path_id = slot.path_id;
    sample->news = (struct sdw_tunnel_news){
        .source = slot.on == 1 ? SDW_TUNNEL_LOADED : SDW_TUNNEL_QUIET,
        .hop = slot.hop,
        .ts = slot.ts,
        .delay_us = slot.delay_mean_us,
        .sent = or_nan(slot.sent),
        .lost = or_nan(slot.sent) - or_nan(slot.received),
        .available_bps = NAN,
    };
    return 1;
}

/* A path may tell which flow takes it. */
static int of_path(struct sdw_str line, struct sdw_arena *arena, struct sdw_sample *sample,
                   struct sdw_err *err)
{
    struct sdw_path path;
    int rc = sdw_rec_decode(&sdw_path_schema, line, arena, &path, err);
    if (rc != 0 || path.flow_id.n == 0)
        return rc;
    sample->ts = path.ts;
    sample->path_id = path.path_id;
    sample->flow_id = path.flow_id;
    return 1;
}

/* Of slots there are many: they are read only when a series has named its path. */
static int of_known(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                    struct sdw_sample *sample, struct sdw_err *err)
{
    struct sdw_reading reading;
    int rc = sdw_reading_of(line, arena, &book->name, &reading, err);
    if (rc == 1) {
        sample->ts = reading.ts;
        sample->value = reading.value;
        sample->capacity = reading.capacity;
        sample->path_capacity = reading.path_capacity;
        sample->new_per_s = reading.new_per_s;
        sample->duration_mean_us = reading.duration_mean_us;
        sample->estimate = reading.estimate;
        sample->path_id = reading.path_id;
        sample->news.source = SDW_TUNNEL_GRADIENT;
        sample->news.delay_us = reading.effect_us;
        sample->news.available_bps = reading.available_bps;
    }
    if (rc != 0)
        return rc;
    struct sdw_str type = sdw_scan_type(line);
    if (book->on_paths > 0 && sdw_str_is(type, "slot"))
        return of_slot(line, arena, sample, err);
    return sdw_str_is(type, "path") ? of_path(line, arena, sample, err) : 0;
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
    if (fabs(sample->value) > sdw_grid_most)
        return sdw_err_field(err, book->settings.field ? book->settings.field : "value",
                             "beyond 1e150");
    if (book->settings.capacity_field && !sample->estimate)
        sample->capacity = number_in(line, book->settings.capacity_field);
    sample->parent = sdw_line_text(line, "parent");
    sample->series = sdw_buf_view(&book->name);
    sample->line = line;
    return 1;
}
