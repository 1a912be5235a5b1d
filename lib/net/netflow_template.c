#include "net/netflow_stream.h"
#include "core/mem.h"
#include "net/wire.h"

#include <stdlib.h>

enum { FIRST_ID = 256, ENTERPRISE = 0x8000, RECORD_MAX = 65535 };

static struct sdw_str key_of(const uint16_t *id)
{
    return (struct sdw_str){(const char *)id, sizeof *id};
}

static uint16_t take16(struct sdw_netflow_bytes *bytes)
{
    uint16_t value = sdw_get16(bytes->p);
    bytes->p += 2;
    bytes->left -= 2;
    return value;
}

static void drop(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream, uint16_t id)
{
    struct sdw_netflow_template *old = sdw_map_remove(&stream->templates, key_of(&id));
    netflow->fields -= old ? old->n : 0;
    free(old);
}

/* Whether it is the one that is there: exporters repeat their templates. */
static bool is_known(const struct sdw_netflow_stream *stream, uint16_t id,
                     const struct sdw_netflow_template *template)
{
    const struct sdw_netflow_template *old = sdw_map_get(&stream->templates, key_of(&id));
    return old && old->n == template->n && old->options == template->options &&
           memcmp(old->field, template->field, old->n * sizeof old->field[0]) == 0;
}

static void keep(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream, uint16_t id,
                 struct sdw_netflow_template *template)
{
    if (is_known(stream, id, template)) {
        free(template);
        return;
    }
    drop(netflow, stream, id);
    if (stream->templates.n >= SDW_NETFLOW_TEMPLATES ||
        netflow->fields + template->n > SDW_NETFLOW_FIELDS_ALL) {
        netflow->counts.refused++;
        free(template);
        return;
    }
    netflow->fields += template->n;
    netflow->counts.templates++;
    *sdw_map_at(&stream->templates, key_of(&id)) = template;
}

/* Read n fields. False when they are cut off; *fits tells whether they make a template. */
static bool read_fields(struct sdw_netflow_bytes *set, size_t n, bool ipfix,
                        struct sdw_netflow_template *template, bool *fits)
{
    size_t shortest = 0;
    for (size_t i = 0; i < n; i++) {
        struct sdw_netflow_field field = {0};
        if (set->left < 4)
            return false;
        field.id = take16(set);
        field.length = take16(set);
        if (ipfix && (field.id & ENTERPRISE)) {
            if (set->left < 4)
                return false;
            field.id &= ENTERPRISE - 1;
            field.enterprise = (uint32_t)take16(set) << 16;
            field.enterprise |= take16(set);
        }
        shortest += ipfix && field.length == SDW_NETFLOW_VARIABLE ? 1 : field.length;
        if (i < SDW_NETFLOW_FIELDS)
            template->field[i] = field;
    }
    template->n = n < SDW_NETFLOW_FIELDS ? n : SDW_NETFLOW_FIELDS;
    template->shortest = shortest;
    *fits = n > 0 && n <= SDW_NETFLOW_FIELDS && shortest > 0 && shortest <= RECORD_MAX;
    return true;
}

/* How many fields the head of a template announces; SIZE_MAX when it is bad. */
static size_t read_head(struct sdw_netflow_bytes *set, bool options, bool ipfix)
{
    if (!options)
        return take16(set);
    if (ipfix) {
        size_t n = take16(set);
        (void)take16(set); /* how many of them are scope */
        return n;
    }
    size_t scope = take16(set), more = take16(set); /* in bytes */
    return scope % 4 || more % 4 ? SIZE_MAX : (scope + more) / 4;
}

int sdw_netflow_templates(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream,
                          struct sdw_netflow_bytes set, bool options, bool ipfix,
                          struct sdw_err *err)
{
    size_t head = options ? 6 : 4;
    while (set.left >= head) {
        uint16_t id = take16(&set);
        if (id == 0)
            return 0; /* padding */
        bool fits = false;
        if (ipfix && set.left >= 2 && sdw_get16(set.p) == 0) { /* withdrawn (RFC 7011, 8.1) */
            (void)take16(&set);
            drop(netflow, stream, id);
            continue;
        }
        size_t n = read_head(&set, options, ipfix);
        if (n == SIZE_MAX) {
            netflow->counts.bad_templates++;
            return sdw_err_set(err, SDW_EINPUT, "template %u: lengths that are no fields", id);
        }
        size_t room = n < SDW_NETFLOW_FIELDS ? n : SDW_NETFLOW_FIELDS;
        struct sdw_netflow_template *template =
            sdw_xalloc(sizeof *template + room * sizeof template->field[0]);
        template->options = options;
        bool whole = read_fields(&set, n, ipfix, template, &fits);
        if (whole && fits && id >= FIRST_ID) {
            keep(netflow, stream, id, template);
            continue;
        }
        free(template);
        netflow->counts.bad_templates++;
        if (!whole)
            return sdw_err_set(err, SDW_EINPUT, "template %u is cut off", id);
    }
    return 0;
}

void sdw_netflow_stream_free(struct sdw_netflow_stream *stream)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&stream->templates, &cursor, &key, &value))
        free(value);
    sdw_map_release(&stream->templates);
    free(stream);
}
