#include "model/incident.h"
#include "core/map.h"
#include "core/mem.h"
#include "io/jsonw.h"
#include "model/saved.h"

#include <stdio.h>
#include <stdlib.h>

struct sdw_incident {
    char id[17];
    int64_t ts;
    size_t references, members, common; /* common: length of what all names begin with */
    char *member[SDW_MEMBERS_MAX];
};

struct sdw_incident *sdw_incident_new(struct sdw_str series, int64_t ts)
{
    struct sdw_incident *incident = sdw_xalloc(sizeof *incident);
    snprintf(incident->id, sizeof incident->id, "%016llx",
             (unsigned long long)sdw_hash(series.p, series.n, (uint64_t)ts));
    incident->ts = ts;
    incident->common = series.n;
    sdw_incident_join(incident, series);
    return incident;
}

void sdw_incident_hold(struct sdw_incident *incident)
{
    incident->references++;
}

void sdw_incident_drop(struct sdw_incident *incident)
{
    if (!incident || --incident->references > 0)
        return;
    for (size_t i = 0; i < incident->members; i++)
        free(incident->member[i]);
    free(incident);
}

/* Of the first `most` bytes of both, how many belong to steps that are the same. A name's last
 * step is never one of them: it is the metric. */
static size_t common_steps(const char *a, struct sdw_str b, size_t most)
{
    size_t steps = 0;
    for (size_t i = 0; i < most && i < b.n && a[i] == b.p[i]; i++)
        if (a[i] == '/')
            steps = i;
    return steps;
}

void sdw_incident_join(struct sdw_incident *incident, struct sdw_str series)
{
    incident->references++;
    for (size_t i = 0; i < incident->members; i++)
        if (sdw_str_same(sdw_str_of(incident->member[i]), series))
            return;
    if (incident->members > 0) {
        /* One byte more than the steps: the slash that ends them. */
        size_t most = incident->common + (incident->common < strlen(incident->member[0]));
        incident->common = common_steps(incident->member[0], series, most);
    } else {
        incident->common = common_steps(series.p, series, series.n);
    }
    if (incident->members < SDW_MEMBERS_MAX)
        incident->member[incident->members++] = sdw_xstrndup(series.p, series.n);
}

int64_t sdw_incident_ts(const struct sdw_incident *incident)
{
    return incident->ts;
}

struct sdw_str sdw_incident_id(const struct sdw_incident *incident)
{
    return sdw_str_of(incident->id);
}

struct sdw_str sdw_incident_parent(const struct sdw_incident *incident)
{
    return incident->common > 0 ? (struct sdw_str){incident->member[0], incident->common}
                                : (struct sdw_str){0};
}

void sdw_incident_members(const struct sdw_incident *incident, struct sdw_buf *json)
{
    struct sdw_jsonw w = sdw_jsonw(json);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < incident->members; i++)
        sdw_jsonw_text(&w, NULL, incident->member[i]);
    sdw_jsonw_end(&w);
}

bool sdw_incident_corroborates(const struct sdw_incident *incident, struct sdw_str series)
{
    size_t stem = common_steps(series.p, series, series.n);
    for (size_t i = 0; stem > 0 && i < incident->members; i++) {
        struct sdw_str other = sdw_str_of(incident->member[i]);
        if (!sdw_str_same(other, series) && common_steps(other.p, other, other.n) == stem &&
            memcmp(other.p, series.p, stem) == 0)
            return true;
    }
    return false;
}

struct saved {
    char id[24];
    int64_t ts;
    uint64_t members, common;
};

void sdw_incident_save(const struct sdw_incident *incident, struct sdw_buf *out)
{
    struct saved saved = {
        .ts = incident->ts, .members = incident->members, .common = incident->common};
    memcpy(saved.id, incident->id, sizeof incident->id);
    sdw_buf_add(out, &saved, sizeof saved);
    for (size_t i = 0; i < incident->members; i++) {
        uint64_t n = strlen(incident->member[i]);
        sdw_buf_add(out, &n, sizeof n);
        sdw_buf_text(out, incident->member[i]);
    }
}

struct sdw_incident *sdw_incident_load(struct sdw_str *bytes)
{
    struct saved saved;
    if (!sdw_saved_take(bytes, &saved, sizeof saved) || saved.members < 1 ||
        saved.members > SDW_MEMBERS_MAX || strnlen(saved.id, sizeof saved.id) != 16)
        return NULL;
    struct sdw_incident *incident = sdw_xalloc(sizeof *incident);
    memcpy(incident->id, saved.id, sizeof incident->id);
    incident->ts = saved.ts;
    incident->references = 1;
    incident->common = (size_t)saved.common;
    while (incident->members < saved.members) {
        uint64_t n;
        struct sdw_str name;
        if (!sdw_saved_take(bytes, &n, sizeof n) || !sdw_saved_text(bytes, (size_t)n, &name))
            break;
        incident->member[incident->members++] = sdw_xstrndup(name.p, name.n);
    }
    if (incident->members == saved.members && saved.common <= strlen(incident->member[0]))
        return incident;
    sdw_incident_drop(incident);
    return NULL;
}
