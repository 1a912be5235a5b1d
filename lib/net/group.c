#include "net/group.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/jsonw.h"

enum { COUNT_PERIOD_NS = 1000000000, WINDOW_BYTES = 3000000 };

int sdw_group_init(struct sdw_group *group, const char *budget, const char *live, double mean_bps,
                   struct sdw_err *err)
{
    double share = 0;
    int64_t now = sdw_mono_ns();
    *group = (struct sdw_group){.live = live, .window_bytes = WINDOW_BYTES};
    if (strchr(budget, '%') && sdw_parse_share(budget, &share) && share > 0) {
        if (!live)
            return sdw_err_set(err, SDW_EUSAGE,
                               "--budget %s: a share needs --live IF, the interface that live "
                               "traffic leaves by",
                               budget);
        group->budget = sdw_budget_share(share, 0, now);
        return 0;
    }
    if (!sdw_parse_bytes(budget, &group->window_bytes) || group->window_bytes <= 0)
        return sdw_err_set(err, SDW_EUSAGE, "--budget %s: neither bytes (3M) nor a share (1%%)",
                           budget);
    group->budget = sdw_budget_rate(mean_bps, 0, now);
    return 0;
}

void sdw_group_release(struct sdw_group *group)
{
    for (size_t i = 0; i < group->n; i++)
        sdw_session_free(group->sessions[i]);
    free(group->sessions);
    *group = (struct sdw_group){0};
}

int sdw_group_add(struct sdw_group *group, const struct sdw_session_config *config,
                  const struct sdw_sink *sink, struct sdw_err *err)
{
    struct sdw_session_config own = *config;
    own.window_bytes = group->window_bytes;
    own.seed += group->n;
    group->budget.paths++;
    struct sdw_session *session = sdw_session_new(&own, &group->budget, sink, err);
    if (!session)
        return err->code;
    SDW_GROW(group->sessions, group->cap, group->n + 1);
    group->sessions[group->n++] = session;
    return 0;
}

static struct sdw_session *first_due(const struct sdw_group *group)
{
    struct sdw_session *first = group->sessions[0];
    for (size_t i = 1; i < group->n; i++)
        if (sdw_session_due(group->sessions[i]) < sdw_session_due(first))
            first = group->sessions[i];
    return first;
}

int64_t sdw_group_due(const struct sdw_group *group)
{
    return sdw_session_due(first_due(group));
}

int sdw_group_count_live(struct sdw_group *group, struct sdw_err *err)
{
    uint64_t bytes;
    int64_t now = sdw_mono_ns();
    if (!group->live || now < group->count_ns)
        return 0;
    group->count_ns = now + COUNT_PERIOD_NS;
    int code = sdw_live_bytes(group->live, &bytes, err);
    if (code == 0 && group->budget.share > 0)
        sdw_budget_live(&group->budget, bytes, now);
    return code;
}

int sdw_group_step(struct sdw_group *group, const char **reason, struct sdw_err *err)
{
    int code = sdw_group_count_live(group, err);
    if (code < 0)
        return code;
    struct sdw_session *session = first_due(group);
    code = sdw_session_step(session, err);
    *reason = sdw_session_reason(session);
    return code;
}

void sdw_group_counts(const struct sdw_group *group, struct sdw_buf *out)
{
    struct sdw_session_counts sum = {0};
    for (size_t i = 0; i < group->n; i++) {
        const struct sdw_session_counts *counts = sdw_session_counts(group->sessions[i]);
        sum.windows += counts->windows;
        sum.slots += counts->slots;
        sum.void_slots += counts->void_slots;
        sum.packets += counts->packets;
        sum.bytes += counts->bytes;
        sum.changes += counts->changes;
        sum.aborts += counts->aborts;
        sum.drops += counts->drops;
    }
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_int(&w, "windows", sum.windows);
    sdw_jsonw_int(&w, "slots", sum.slots);
    sdw_jsonw_int(&w, "void_slots", sum.void_slots);
    sdw_jsonw_int(&w, "packets", sum.packets);
    sdw_jsonw_int(&w, "bytes", sum.bytes);
    sdw_jsonw_int(&w, "path_changes", sum.changes);
    sdw_jsonw_int(&w, "aborts", sum.aborts);
    sdw_jsonw_int(&w, "drops", sum.drops);
    sdw_jsonw_end(&w);
}
