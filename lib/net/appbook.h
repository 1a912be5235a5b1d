/*
 * What each application carries between each two ends: `app` records. Flows are counted in by
 * application and addresses; an application's ends above the limit share one record without
 * addresses.
 */
#ifndef SDW_NET_APPBOOK_H
#define SDW_NET_APPBOOK_H

#include "core/names.h"
#include "net/addrmask.h"
#include "net/appmap.h"
#include "net/transfer.h"
#include "rec/app.h"

/* Of a flow: which application, between whom. Compared as bytes: what is unused is zero. */
struct sdw_appbook_key {
    uint16_t app, category; /* numbers of the tables given to sdw_appbook_new */
    uint8_t version;        /* 4 or 6; 0: ends that have no record of their own */
    uint8_t zero[3];
    uint8_t src[16], dst[16]; /* 4 or 16 bytes */
};

/* What a flow had since it was counted last. Times are us since the epoch. */
struct sdw_appbook_count {
    uint64_t forward_packets, forward_bytes, reverse_packets, reverse_bytes;
    int64_t first_us, last_us;
    bool opened; /* it is counted for the first time */
};

struct sdw_appbook;

/* All four are borrowed. max_pairs: records with addresses at a time. */
struct sdw_appbook *sdw_appbook_new(const struct sdw_names *apps,
                                    const struct sdw_names *categories,
                                    const struct sdw_appmap *map, const struct sdw_addrmask *mask,
                                    size_t max_pairs);
void sdw_appbook_free(struct sdw_appbook *book);

void sdw_appbook_count(struct sdw_appbook *book, const struct sdw_appbook_key *key,
                       const struct sdw_appbook_count *count);
void sdw_appbook_transfer(struct sdw_appbook *book, const struct sdw_appbook_key *key,
                          const struct sdw_transfer *transfer);

/* End an interval: a record for each that had packets in it goes to `each` (a negative return ends
 * with it); what was silent for idle_us is forgotten. */
int sdw_appbook_tell(struct sdw_appbook *book, int64_t ts, int64_t interval_us, int64_t idle_us,
                     int (*each)(void *arg, const struct sdw_app *app), void *arg);
/* Records with addresses now; and how often something was counted without, for want of room. */
size_t sdw_appbook_pairs(const struct sdw_appbook *book);
uint64_t sdw_appbook_crowded(const struct sdw_appbook *book);

#endif
