/* Segments that come and go together: after a crash either the old ones are there, or the new. */
#ifndef SDW_STORE_CHANGE_H
#define SDW_STORE_CHANGE_H

#include "store/store.h"

/* Zero-initialise, release once. */
struct sdw_change {
    struct sdw_catalog_segment *add;
    uint32_t *remove; /* numbers */
    size_t n_add, cap_add, n_remove, cap_remove;
};

/* The segment that was written, and finished. */
void sdw_change_add(struct sdw_change *change, const struct sdw_segment_writer *writer);
void sdw_change_remove(struct sdw_change *change, uint32_t id);
/* Make it count, unless code says that something failed before. Then the files that no longer do
 * are removed, and the store is mapped anew; on failure the new ones are, and nothing has changed.
 */
int sdw_change_carry_out(struct sdw_store *store, const struct sdw_change *change, int code,
                         struct sdw_err *err);
void sdw_change_release(struct sdw_change *change);

/* Whether the catalogue has a segment, as far as it can be read. */
bool sdw_store_lists(const struct sdw_store *store, uint32_t segment);
/* Remove the file of a segment, when there is one. */
void sdw_store_unlink(const struct sdw_store *store, uint32_t segment);

#endif
