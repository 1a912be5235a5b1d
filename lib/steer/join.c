#include "steer/join.h"

#include <stdlib.h>

static void watch(struct sdw_steer *steer, const char *key, struct sdw_steer_run *run, size_t way)
{
    void **at = sdw_map_at(&steer->watchers, sdw_str_of(key));
    struct sdw_watch_list *list = *at;
    if (!list)
        *at = list = sdw_xalloc(sizeof *list);
    /* In the order of the units; the plan is mostly read in that order. */
    size_t end = list->n;
    while (end > 0 && list->watcher[end - 1].run > run)
        end--;
    for (size_t i = end; i > 0 && list->watcher[i - 1].run == run; i--)
        if (list->watcher[i - 1].way == way || way == SDW_WAYS_MAX)
            return;
    SDW_GROW(list->watcher, list->cap, list->n + 1);
    memmove(&list->watcher[end + 1], &list->watcher[end],
            (list->n++ - end) * sizeof list->watcher[0]);
    list->watcher[end] = (struct sdw_watcher){run, way};
}

static struct sdw_sight *sight_at(struct sdw_steer *steer, const char *key)
{
    void **at = sdw_map_at(&steer->sights, sdw_str_of(key));
    if (!*at)
        *at = sdw_sight_new(key);
    return *at;
}

void sdw_join_plan(struct sdw_steer *steer)
{
    sdw_map_init(&steer->sights, 1);
    sdw_map_init(&steer->watchers, 2);
    sdw_map_init(&steer->named, 3);
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        for (size_t i = 0; i < run->unit->n_ways; i++) {
            const struct sdw_way *way = &run->unit->way[i];
            const char *key = way->path_id[0] ? way->path_id : way->probe;
            void **named = sdw_map_at(&steer->named, sdw_str_of(way->name));
            if (!*named)
                *named = sdw_xalloc(sizeof(struct sdw_named_own));
            run->named[i] = *named;
            if (!key[0])
                continue;
            run->sight[i] = sight_at(steer, key);
            watch(steer, key, run, i);
        }
        for (size_t i = 0; i < run->unit->n_watch; i++)
            watch(steer, run->unit->watch[i], run, SDW_WAYS_MAX);
    }
}

void sdw_join_release(struct sdw_steer *steer)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&steer->watchers, &cursor, &key, &value)) {
        struct sdw_watch_list *list = value;
        free(list->watcher);
        free(list);
    }
    for (cursor = 0; sdw_map_next(&steer->named, &cursor, &key, &value);)
        free(value);
    /* A sight may be known under a second name: it is freed under its own. */
    for (int pass = 0; pass < 2; pass++)
        for (cursor = 0; sdw_map_next(&steer->sights, &cursor, &key, &value);)
            if (value && pass == 1)
                free(value);
            else if (value && !sdw_str_is(key, ((struct sdw_sight *)value)->name))
                *sdw_map_at(&steer->sights, key) = NULL;
    sdw_map_release(&steer->watchers);
    sdw_map_release(&steer->named);
    sdw_map_release(&steer->sights);
}

const struct sdw_watch_list *sdw_join_watchers(const struct sdw_steer *steer, struct sdw_str key)
{
    return key.p ? sdw_map_get(&steer->watchers, key) : NULL;
}

struct sdw_sight *sdw_join_sight(const struct sdw_steer *steer, struct sdw_str path_id)
{
    return path_id.p ? sdw_map_get(&steer->sights, path_id) : NULL;
}

void sdw_join_path(struct sdw_steer *steer, struct sdw_str path_id, struct sdw_str destination)
{
    const struct sdw_watch_list *list = sdw_join_watchers(steer, destination);
    struct sdw_sight *sight = sdw_join_sight(steer, destination);
    if (!list || !sight || !path_id.p || path_id.n == 0 || path_id.n >= SDW_KEY_SIZE ||
        sdw_join_sight(steer, path_id) == sight)
        return;
    char key[SDW_KEY_SIZE];
    memcpy(key, path_id.p, path_id.n);
    key[path_id.n] = '\0';
    void **at = sdw_map_at(&steer->sights, path_id);
    if (!*at)
        *at = sight;
    /* Copied first: watch() may move the list of the same map. */
    size_t n = list->n;
    struct sdw_watcher *copy = sdw_xalloc((n + 1) * sizeof *copy);
    if (n)
        memcpy(copy, list->watcher, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        watch(steer, key, copy[i].run, copy[i].way);
    free(copy);
}

struct sdw_str sdw_join_path_of(struct sdw_str series)
{
    static const char head[] = "path/";
    size_t skip = sizeof head - 1;
    if (!series.p || series.n <= skip || memcmp(series.p, head, skip) != 0)
        return (struct sdw_str){NULL, 0};
    const char *id = series.p + skip;
    const char *slash = memchr(id, '/', series.n - skip);
    return slash ? (struct sdw_str){id, (size_t)(slash - id)} : (struct sdw_str){NULL, 0};
}
