#include "steer/plan.h"
#include "core/num.h"
#include "io/line.h"
#include "io/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

struct sdw_steer_unit *sdw_steer_plan_find(const struct sdw_steer_plan *plan, struct sdw_str name)
{
    size_t at = (size_t)(uintptr_t)sdw_map_get(&plan->by_name, name);
    return at ? &plan->unit[at - 1] : NULL;
}

/* What two units must not have both; a view of text. */
static struct sdw_str match_key(const struct sdw_steer_unit *unit, struct sdw_buf *text)
{
    char prefix[64];
    if (unit->match == SDW_MATCH_FLOW)
        sdw_buf_printf(text, "%s", unit->flow);
    else
        sdw_buf_printf(text, "%s %u", sdw_prefix_text(&unit->route, prefix), unit->route.table);
    return sdw_buf_view(text);
}

static int check_unique(const struct sdw_steer_plan *plan, const struct sdw_steer_unit *unit,
                        struct sdw_str match, struct sdw_err *err)
{
    size_t at = (size_t)(uintptr_t)sdw_map_get(&plan->by_match, match);
    if (sdw_steer_plan_find(plan, sdw_str_of(unit->name)))
        return sdw_err_field(err, "unit", "%s is in the plan twice", unit->name);
    return at ? sdw_err_field(err, "match", "%s and %s are the same traffic",
                              plan->unit[at - 1].name, unit->name)
              : 0;
}

static void keep(struct sdw_steer_plan *plan, const struct sdw_steer_unit *unit,
                 struct sdw_str match)
{
    SDW_GROW(plan->unit, plan->cap, plan->n + 1);
    plan->unit[plan->n++] = *unit;
    void *at = (void *)(uintptr_t)plan->n;
    *sdw_map_at(&plan->by_name, sdw_str_of(unit->name)) = at;
    *sdw_map_at(&plan->by_match, match) = at;
}

int sdw_steer_plan_add(struct sdw_steer_plan *plan, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_steer_unit unit;
    struct sdw_str type = sdw_scan_type(line);
    if (type.p && !sdw_str_is(type, "unit"))
        return 0;
    int code = sdw_steer_unit_read(&unit, line, err);
    if (code < 0)
        return code;
    if (plan->n == SDW_PLAN_MAX)
        code = sdw_err_field(err, "unit", "a plan holds at most %d units", SDW_PLAN_MAX);
    struct sdw_buf text = {0};
    struct sdw_str match = match_key(&unit, &text);
    if (code == 0)
        code = check_unique(plan, &unit, match, err);
    if (code == 0)
        keep(plan, &unit, match);
    else
        sdw_steer_unit_release(&unit);
    sdw_buf_release(&text);
    return code;
}

static int read_all(struct sdw_steer_plan *plan, struct sdw_reader *reader, struct sdw_err *err)
{
    struct sdw_str line;
    int got;
    while ((got = sdw_reader_next(reader, &line, err)) > 0) {
        int code = sdw_steer_plan_add(plan, line, err);
        if (code < 0) {
            err->line = sdw_reader_line(reader);
            return code;
        }
    }
    return got;
}

int sdw_steer_plan_read(struct sdw_steer_plan *plan, const char *path, struct sdw_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sdw_err_sys(err, "plan %s", path);
    struct sdw_reader *reader = sdw_reader_new(fd, path);
    int code = read_all(plan, reader, err);
    sdw_reader_free(reader);
    close(fd);
    if (code == 0 && plan->n == 0)
        code = sdw_err_set(err, SDW_EINPUT,
                           "plan %s: holds no unit record (make one with shadow-steer plan)", path);
    return code;
}

void sdw_steer_plan_release(struct sdw_steer_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        sdw_steer_unit_release(&plan->unit[i]);
    free(plan->unit);
    sdw_map_release(&plan->by_name);
    sdw_map_release(&plan->by_match);
    *plan = (struct sdw_steer_plan){0};
}
