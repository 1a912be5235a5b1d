/*
 * The journal: what was meant and what was done, one JSON line each, append-only. Every line ends
 * in a keyed hash over the line before it and itself, so that a line that was lost, changed or put
 * in is found (by accident, not by a forger). A last line that a crash cut short is dropped.
 */
#ifndef SDW_STEER_JOURNAL_H
#define SDW_STEER_JOURNAL_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "steer/unit.h"

struct sdw_journal {
    int fd; /* -1: closed */
    uint64_t seq, chain;
    bool unsynced;
    bool torn;     /* the last line is broken and could not be cut off yet */
    int64_t whole; /* bytes in front of it */
    struct sdw_buf line;
    char path[256];
};

/* op: "arm" (the intent; plan is the unit's record), "set" (shares change), "fail" (the kernel
 * refused: shares are what they were), "adopt" (the kernel was found like this), "disarm",
 * "freeze", "thaw". */
struct sdw_journal_entry {
    uint64_t seq;
    int64_t ts;
    struct sdw_str op, unit, state, why;
    int64_t slot; /* of the unit's ids in the kernel; SDW_NO_INT where it has none */
    size_t n;     /* shares */
    double share[SDW_WAYS_MAX];
    struct sdw_str plan; /* JSON, or NULL */
};

/* Calls each (may be NULL) for every entry. SDW_EINPUT with the line when one in the middle is
 * damaged; a damaged last line is cut off when `repair`, else ignored. A missing file is made
 * when `repair`, else read as empty. each returns negative to stop. */
int sdw_journal_open(struct sdw_journal *journal, const char *path, bool repair,
                     int (*each)(const struct sdw_journal_entry *entry, void *arg), void *arg,
                     struct sdw_err *err);
void sdw_journal_close(struct sdw_journal *journal);

/* Appends; seq and chain are filled in. Not yet on the disk: see sync. A line that could not be
 * written whole is taken back. */
int sdw_journal_append(struct sdw_journal *journal, struct sdw_journal_entry *entry,
                       struct sdw_err *err);
/* To the disk (fdatasync), when anything was appended since the last time that this succeeded. */
int sdw_journal_sync(struct sdw_journal *journal, struct sdw_err *err);

#endif
