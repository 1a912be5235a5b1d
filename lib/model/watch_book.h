/* The inside of a watch, shared by the files that make it up; others have model/watch.h. */
#ifndef SDW_MODEL_WATCH_BOOK_H
#define SDW_MODEL_WATCH_BOOK_H

#include "core/map.h"
#include "core/mem.h"
#include "model/alarm.h"
#include "model/discovery.h"
#include "model/hush.h"
#include "model/leap.h"
#include "model/watch.h"

enum { SDW_WATCH_CERTAIN = 5 }; /* the severity that no budget holds back */

struct sdw_watched {
    struct sdw_alarm alarm;
    struct sdw_detection seen; /* of the newest value */
    char *name;
    size_t at;       /* in the list */
    int64_t ts, n;   /* of the newest value; values */
    int64_t gap_us;  /* the longest */
    double interval; /* usual time between values, us */
    double value;
    int64_t late_ts; /* of values that came late in order: the newest, and how many */
    int late;
    bool candidate, measured;        /* measured: values of its own came, not only estimates */
    void *detector;                  /* struct sdw_detector or sdw_rule */
    struct sdw_foreseens *foreseens; /* NULL: nothing was forecast of it */
};

struct sdw_watch {
    struct sdw_watch_settings settings;
    struct sdw_map series;
    struct sdw_watched **list;
    size_t cap, next; /* next: whose turn it is to be looked for */
    struct sdw_hushes hushes;
    struct sdw_discovery discovery;
    int64_t tick_ts;
    int64_t newest, resumed; /* times; values before resumed are known already */
    struct sdw_leap leap;
    struct sdw_incident *incident; /* the newest; held */
    struct sdw_watch_said *said;
    size_t n_said, said_cap, held;
    struct sdw_arena arena;
    struct sdw_buf json;
};

/* A new series of the watch, which has room for it. */
struct sdw_watched *sdw_watched_new(struct sdw_watch *watch, struct sdw_str name);
size_t sdw_watched_detector_bytes(const struct sdw_watch *watch);

/* watch_say.c: records of the value being judged. A surge only where the newest value is one. */
void sdw_watch_say_surge(struct sdw_watch *watch, struct sdw_watched *w);
/* The alarm of a series at ts: it opens, goes on or closes. */
void sdw_watch_say_anomaly(struct sdw_watch *watch, struct sdw_watched *w, int64_t ts,
                           const char *state);
/* One for every value that came; what is not judged (w: NULL) is no surprise. */
void sdw_watch_say_score(struct sdw_watch *watch, const struct sdw_watched *w,
                         const struct sdw_reading *reading);

#endif
