/* The watch as bytes, and back. The bytes have their checksum outside; here only what would lead
 * beyond memory is checked. */
#include "model/saved.h"
#include "model/watch_book.h"

#include <stdlib.h>

struct saved_head {
    int64_t tick_ts, newest;
    uint64_t next, series, incidents, waiting, found, newest_incident;
};

/* A series without its pointers, of which one only says whether something follows. */
struct saved_series {
    struct sdw_watched watched;
    uint64_t name_bytes;
    uint64_t incident; /* NONE: no alarm is open */
};

static const uint64_t none = UINT64_MAX;

uint64_t sdw_watch_layout(const struct sdw_watch_settings *settings)
{
    const uint64_t parts[] = {sizeof(struct saved_head),
                              sizeof(struct saved_series),
                              sizeof(struct sdw_foreseens),
                              sdw_detector_bytes(&settings->detect),
                              sdw_rule_bytes(&settings->rule),
                              (uint64_t)settings->method,
                              (uint64_t)settings->detect.season.period_us};
    return sdw_hash(parts, sizeof parts, 0);
}

/* The incidents of a watch: each that an open alarm or the watch itself refers to, once. */
struct incidents {
    struct sdw_incident **item;
    size_t n, cap;
};

static uint64_t number_of(const struct incidents *incidents, const struct sdw_incident *incident)
{
    for (size_t i = incidents->n; incident && i-- > 0;)
        if (incidents->item[i] == incident)
            return i;
    return none;
}

static void add(struct incidents *incidents, struct sdw_incident *incident)
{
    if (!incident || number_of(incidents, incident) != none)
        return;
    SDW_GROW(incidents->item, incidents->cap, incidents->n + 1);
    incidents->item[incidents->n++] = incident;
}

static void save_series(const struct sdw_watch *watch, const struct sdw_watched *w,
                        const struct incidents *incidents, struct sdw_buf *out)
{
    struct saved_series saved;
    memset(&saved, 0, sizeof saved);
    memcpy(&saved.watched, w, sizeof *w);
    saved.watched.name = NULL;
    saved.watched.detector = NULL;
    saved.watched.alarm.incident = NULL;
    saved.name_bytes = strlen(w->name);
    saved.incident = number_of(incidents, w->alarm.incident);
    sdw_buf_add(out, &saved, sizeof saved);
    sdw_buf_text(out, w->name);
    sdw_buf_add(out, w->detector, sdw_watched_detector_bytes(watch));
    if (w->foreseens)
        sdw_buf_add(out, w->foreseens, sizeof *w->foreseens);
}

void sdw_watch_save(const struct sdw_watch *watch, struct sdw_buf *out)
{
    struct incidents incidents = {0};
    for (size_t i = 0; i < watch->series.n; i++)
        add(&incidents, watch->list[i]->alarm.incident);
    add(&incidents, watch->incident);
    const struct saved_head head = {watch->tick_ts,
                                    watch->newest,
                                    watch->next,
                                    watch->series.n,
                                    incidents.n,
                                    watch->discovery.n,
                                    watch->discovery.found,
                                    number_of(&incidents, watch->incident)};
    sdw_buf_add(out, &head, sizeof head);
    for (size_t i = 0; i < incidents.n; i++)
        sdw_incident_save(incidents.item[i], out);
    for (size_t i = 0; i < watch->series.n; i++)
        save_series(watch, watch->list[i], &incidents, out);
    for (size_t i = 0; i < watch->discovery.n; i++) {
        const struct sdw_watched *w = sdw_discovery_waiting(&watch->discovery, i);
        uint64_t at = w->at;
        sdw_buf_add(out, &at, sizeof at);
    }
    sdw_hushes_save(&watch->hushes, out);
    free(incidents.item);
}

static bool load_series(struct sdw_watch *watch, struct sdw_str *bytes,
                        const struct incidents *incidents)
{
    struct saved_series saved;
    struct sdw_str name;
    if (!sdw_saved_take(bytes, &saved, sizeof saved) ||
        !sdw_saved_text(bytes, (size_t)saved.name_bytes, &name) || memchr(name.p, '\0', name.n) ||
        sdw_map_get(&watch->series, name))
        return false;
    bool open = saved.watched.alarm.kind != SDW_ANOMALY_NONE;
    if (saved.watched.alarm.kind > SDW_ANOMALY_MISSING || open != (saved.incident < incidents->n))
        return false;
    struct sdw_watched *w = sdw_watched_new(watch, name);
    struct sdw_watched fresh = *w;
    *w = saved.watched;
    w->name = fresh.name;
    w->at = fresh.at;
    w->detector = fresh.detector;
    w->foreseens = NULL;
    w->candidate = false;
    w->alarm.incident = open ? incidents->item[saved.incident] : NULL;
    if (open)
        sdw_incident_hold(w->alarm.incident);
    const struct sdw_watch_settings *s = &watch->settings;
    if (!sdw_saved_take(bytes, w->detector, sdw_watched_detector_bytes(watch)))
        return false;
    if (saved.watched.foreseens) {
        w->foreseens = sdw_xalloc(sizeof *w->foreseens);
        if (!sdw_saved_take(bytes, w->foreseens, sizeof *w->foreseens))
            return false;
    }
    return (s->method == SDW_WATCH_FORECAST ? sdw_detector_is_sound(w->detector, &s->detect)
                                            : sdw_rule_is_sound(w->detector));
}

static bool load_waiting(struct sdw_watch *watch, struct sdw_str *bytes)
{
    uint64_t at;
    if (!sdw_saved_take(bytes, &at, sizeof at) || at >= watch->series.n ||
        watch->list[at]->candidate)
        return false;
    watch->list[at]->candidate = true;
    sdw_discovery_add(&watch->discovery, watch->list[at]->seen.p, watch->list[at]);
    return true;
}

static bool load_parts(struct sdw_watch *watch, struct sdw_str *bytes,
                       const struct saved_head *head, struct incidents *incidents)
{
    for (uint64_t i = 0; i < head->incidents; i++) {
        struct sdw_incident *incident = sdw_incident_load(bytes);
        if (!incident)
            return false;
        add(incidents, incident);
    }
    for (uint64_t i = 0; i < head->series; i++)
        if (!load_series(watch, bytes, incidents))
            return false;
    for (uint64_t i = 0; i < head->waiting; i++)
        if (!load_waiting(watch, bytes))
            return false;
    return sdw_hushes_load(&watch->hushes, bytes) && bytes->n == 0;
}

int sdw_watch_load(struct sdw_watch *watch, struct sdw_str bytes, struct sdw_err *err)
{
    struct saved_head head;
    struct incidents incidents = {0};
    bool good =
        sdw_saved_take(&bytes, &head, sizeof head) && load_parts(watch, &bytes, &head, &incidents);
    if (good && head.newest_incident < incidents.n) {
        watch->incident = incidents.item[head.newest_incident];
        sdw_incident_hold(watch->incident);
    }
    for (size_t i = 0; i < incidents.n; i++)
        sdw_incident_drop(incidents.item[i]);
    free(incidents.item);
    if (!good)
        return sdw_err_set(err, SDW_EINPUT, "the series in it make no sense");
    watch->tick_ts = head.tick_ts;
    watch->newest = watch->resumed = head.newest;
    watch->next = (size_t)head.next;
    watch->discovery.found = (size_t)head.found;
    return 0;
}
