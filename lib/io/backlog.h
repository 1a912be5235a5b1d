/*
 * Records that wait for a slow reader, so that whoever makes them never does. Bounded: when there
 * is no room, records that newer ones supersede are dropped, oldest first; others only when they
 * fill a queue of their own. What is dropped is counted.
 */
#ifndef SDW_IO_BACKLOG_H
#define SDW_IO_BACKLOG_H

#include "core/base.h"
#include "io/tool.h"

struct sdw_backlog;

/* Room, in bytes, for records to keep and for those that may be dropped. */
struct sdw_backlog *sdw_backlog_new(size_t keep_bytes, size_t drop_bytes);
void sdw_backlog_free(struct sdw_backlog *backlog);

void sdw_backlog_add(struct sdw_backlog *backlog, struct sdw_str record, bool may_drop);
bool sdw_backlog_empty(const struct sdw_backlog *backlog);
/* Records dropped so far. */
uint64_t sdw_backlog_dropped(const struct sdw_backlog *backlog);

/* Whether the oldest record is short enough to go out as soon as a pipe takes anything (POLLOUT);
 * another waits until the pipe is empty, which there is no waiting for. */
bool sdw_backlog_fits(const struct sdw_backlog *backlog);

/* Emit records in the order in which they came, as long as that does not block. */
int sdw_backlog_drain(struct sdw_backlog *backlog, struct sdw_ctx *ctx);
/* Emit all of them, waiting for the reader, and return when it takes one more. Once asked to stop,
 * SDW_ESTOP when it takes nothing for a second. */
int sdw_backlog_flush(struct sdw_backlog *backlog, struct sdw_ctx *ctx);

#endif
