/*
 * Running a profile: from a capture to the records of a tool. An interface never waits for the
 * reader of the records; a file does.
 */
#ifndef SDW_NET_PROFILE_RUN_H
#define SDW_NET_PROFILE_RUN_H

#include "io/tool.h"
#include "net/capture.h"
#include "net/profile.h"

struct sdw_profile_run {
    struct sdw_ctx *ctx; /* set by the caller; the rest is zero before opening */
    struct sdw_capture *capture;
    struct sdw_profile *profile;
    struct sdw_backlog *backlog; /* of an interface */
    uint64_t told_lost, told_dropped;
    bool broke_off; /* it was reading packets that failed */
};

/* Open what takes rights. profile and apps: what depends on the capture is filled in. Close in any
 * case. */
int sdw_profile_run_open(struct sdw_profile_run *run, const struct sdw_capture_config *capture,
                         struct sdw_profile_config *profile, struct sdw_classify_config *apps,
                         struct sdw_err *err);
void sdw_profile_run_close(struct sdw_profile_run *run);

/* Profile until the file ends, the duration is over (0: none) or a signal asks to stop; ends with
 * the end record. A file that breaks off is SDW_EINPUT, an interface that goes away SDW_ESYS, after
 * all that was good of it. */
int sdw_profile_run(struct sdw_profile_run *run, int64_t duration_us);

#endif
