/*
 * Output that never delays an action: records go into a bounded queue, a thread of its own writes
 * them. What finds no room is dropped and counted, and said in a `loss` record once there is room.
 */
#ifndef SDW_STEER_VOICE_H
#define SDW_STEER_VOICE_H

#include "core/base.h"
#include "core/err.h"
#include "io/tool.h"

struct sdw_voice;

enum { SDW_VOICE_RECORDS = 16384 };

/* Starts the thread. From now on nobody else may use the ctx's output, until stop. */
struct sdw_voice *sdw_voice_start(struct sdw_ctx *ctx, struct sdw_err *err);
/* Never blocks. The bytes are copied; they are written after sdw_voice_wake, or when many wait: a
 * thread that woke for each record would take the processor from what is being done. */
void sdw_voice_say(void *voice, struct sdw_str record);
void sdw_voice_wake(struct sdw_voice *voice);
/* Waits up to wait_us for the queue to be written, ends the thread, frees. *dropped: records that
 * were lost. Returns 0 or why writing failed (the message is in ctx->err). When the reader has
 * stalled for good the rest is dropped, ctx's output closed, and SDW_ESYS returned. */
int sdw_voice_stop(struct sdw_voice *voice, int64_t wait_us, int64_t *dropped);

#endif
