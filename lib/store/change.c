#include "store/change.h"
#include "core/mem.h"

#include <stdlib.h>
#include <unistd.h>

void sdw_change_add(struct sdw_change *change, const struct sdw_segment_writer *writer)
{
    SDW_GROW(change->add, change->cap_add, change->n_add + 1);
    change->add[change->n_add++] = (struct sdw_catalog_segment){
        writer->id, writer->level, writer->from_us, writer->to_us, writer->points, writer->bytes};
}

void sdw_change_remove(struct sdw_change *change, uint32_t id)
{
    SDW_GROW(change->remove, change->cap_remove, change->n_remove + 1);
    change->remove[change->n_remove++] = id;
}

void sdw_store_unlink(const struct sdw_store *store, uint32_t segment)
{
    char name[SDW_SEGMENT_NAME];
    unlinkat(store->dir, sdw_segment_name(segment, name), 0);
}

bool sdw_store_lists(const struct sdw_store *store, uint32_t segment)
{
    struct sdw_manifest now;
    struct sdw_err err;
    bool listed = sdw_catalog_manifest(store->catalog, &now, &err) == 0;
    size_t i = 0;
    while (listed && i < now.n && now.segment[i].id != segment)
        i++;
    listed = listed && i < now.n;
    sdw_manifest_release(&now);
    return listed;
}

int sdw_change_carry_out(struct sdw_store *store, const struct sdw_change *change, int code,
                         struct sdw_err *err)
{
    struct sdw_catalog_change all = {.add = change->add,
                                     .n_add = change->n_add,
                                     .remove = change->remove,
                                     .n_remove = change->n_remove,
                                     .first_log = store->manifest.first_log};
    bool any = change->n_add || change->n_remove;
    if (code == 0 && any)
        code = sdw_catalog_change(store->catalog, &all, err);
    for (size_t i = 0; code == 0 && i < change->n_remove; i++)
        sdw_store_unlink(store, change->remove[i]);
    for (size_t i = 0; code < 0 && i < change->n_add; i++)
        sdw_store_unlink(store, change->add[i].id);
    return code == 0 && any ? sdw_store_reload(store, err) : code;
}

void sdw_change_release(struct sdw_change *change)
{
    free(change->add);
    free(change->remove);
    *change = (struct sdw_change){0};
}
