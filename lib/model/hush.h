/*
 * What is not to be judged for a while: work that was announced (an event whose failure is
 * "maintenance") and gaps that were declared ("gap"). It holds for the series, the link or the
 * path that the event names, or for all when it names none, until an event of kind recovery with
 * the same failure and the same name, or for as long as the settings say.
 */
#ifndef SDW_MODEL_HUSH_H
#define SDW_MODEL_HUSH_H

#include "rec/steering.h"

enum { SDW_HUSHES_MAX = 1024 };

struct sdw_hushes {
    struct sdw_hush *hush;
    size_t n, cap;
};

/* Take note of an event, and forget those that are older than longest_us. Returns false for one
 * that is about something else, and for one more than there may be at a time. */
bool sdw_hushes_event(struct sdw_hushes *hushes, const struct sdw_event *event, int64_t longest_us);

/* Whether the series is hushed at ts, none of them being older than longest_us. */
bool sdw_hushes_cover(const struct sdw_hushes *hushes, struct sdw_str series, int64_t ts,
                      int64_t longest_us);
void sdw_hushes_release(struct sdw_hushes *hushes);

/* As bytes, and back, into none; false when the bytes are something else. */
void sdw_hushes_save(const struct sdw_hushes *hushes, struct sdw_buf *out);
bool sdw_hushes_load(struct sdw_hushes *hushes, struct sdw_str *bytes);

#endif
