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
    for (size_t i = 0; i < plan->n; i++)
        if (sdw_str_is(name, plan->unit[i].name))
            return &plan->unit[i];
    return NULL;
}

static int check_unique(const struct sdw_steer_plan *plan, const struct sdw_steer_unit *unit,
                        struct sdw_err *err)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct sdw_steer_unit *other = &plan->unit[i];
        if (strcmp(other->name, unit->name) == 0)
            return sdw_err_field(err, "unit", "%s is in the plan twice", unit->name);
        if (other->match != unit->match)
            continue;
        if (unit->match == SDW_MATCH_FLOW ? strcmp(other->flow, unit->flow) == 0
                                          : sdw_route_same_prefix(&other->route, &unit->route) &&
                                                other->route.table == unit->route.table)
            return sdw_err_field(err, "match", "%s and %s are the same traffic", other->name,
                                 unit->name);
    }
    return 0;
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
    if (code == 0)
        code = check_unique(plan, &unit, err);
    if (code < 0) {
        sdw_steer_unit_release(&unit);
        return code;
    }
    SDW_GROW(plan->unit, plan->cap, plan->n + 1);
    plan->unit[plan->n++] = unit;
    return 0;
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
    *plan = (struct sdw_steer_plan){0};
}
