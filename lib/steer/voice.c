#include "steer/voice.h"
#include "core/clock.h"
#include "core/mem.h"
#include "rec/end.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { WAKE_RECORDS = 64 };

struct sdw_voice {
    struct sdw_ctx *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    struct sdw_buf record[SDW_VOICE_RECORDS]; /* a ring; buffers are used again */
    struct sdw_buf current;                   /* the one that is being written */
    size_t first, n;
    int64_t dropped, reported;
    bool stopping, ended;
    int code; /* why writing failed; 0 */
};

/* Write one record; the lock is not held. After a failure the rest is let go. */
static int write_one(struct sdw_voice *voice, const struct sdw_buf *record)
{
    return voice->code < 0 ? voice->code : sdw_put(voice->ctx, sdw_buf_view(record));
}

static int report_loss(struct sdw_voice *voice, int64_t lost)
{
    struct sdw_loss loss;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = sdw_wall_us();
    loss.tool = sdw_str_of(voice->ctx->tool->name);
    loss.where = sdw_str_of("queue");
    loss.reason = sdw_str_of("the reader of the output did not keep up");
    loss.records = lost;
    return sdw_rec_put(voice->ctx, &sdw_loss_schema, &loss);
}

static void *write_all(void *arg)
{
    struct sdw_voice *voice = arg;
    pthread_mutex_lock(&voice->lock);
    for (;;) {
        int code = 0;
        if (voice->n == 0) {
            pthread_mutex_unlock(&voice->lock);
            code = voice->code < 0 ? 0 : sdw_flush(voice->ctx);
            pthread_mutex_lock(&voice->lock);
        }
        if (code < 0 && voice->code == 0)
            voice->code = code;
        while (voice->n == 0 && !voice->stopping)
            pthread_cond_wait(&voice->more, &voice->lock);
        if (voice->n == 0)
            break;
        struct sdw_buf *slot = &voice->record[voice->first], swap = voice->current;
        voice->current = *slot;
        *slot = swap;
        voice->first = (voice->first + 1) % SDW_VOICE_RECORDS;
        voice->n--;
        int64_t lost = voice->dropped - voice->reported;
        voice->reported = voice->dropped;
        pthread_mutex_unlock(&voice->lock);
        code = lost && voice->code == 0 ? report_loss(voice, lost) : 0;
        if (code == 0)
            code = write_one(voice, &voice->current);
        pthread_mutex_lock(&voice->lock);
        if (code < 0 && voice->code == 0)
            voice->code = code;
    }
    voice->ended = true;
    pthread_cond_signal(&voice->less);
    pthread_mutex_unlock(&voice->lock);
    return NULL;
}

struct sdw_voice *sdw_voice_start(struct sdw_ctx *ctx, struct sdw_err *err)
{
    struct sdw_voice *voice = sdw_xalloc(sizeof *voice);
    pthread_condattr_t attr;
    voice->ctx = ctx;
    pthread_mutex_init(&voice->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&voice->more, NULL);
    pthread_cond_init(&voice->less, &attr);
    pthread_condattr_destroy(&attr);
    errno = pthread_create(&voice->thread, NULL, write_all, voice);
    if (errno == 0)
        return voice;
    sdw_err_sys(err, "output thread");
    free(voice);
    return NULL;
}

void sdw_voice_say(void *arg, struct sdw_str record)
{
    struct sdw_voice *voice = arg;
    pthread_mutex_lock(&voice->lock);
    if (voice->n == SDW_VOICE_RECORDS) {
        voice->dropped++;
    } else {
        struct sdw_buf *slot = &voice->record[(voice->first + voice->n) % SDW_VOICE_RECORDS];
        sdw_buf_clear(slot);
        sdw_buf_str(slot, record);
        if (++voice->n % WAKE_RECORDS == 0)
            pthread_cond_signal(&voice->more);
    }
    pthread_mutex_unlock(&voice->lock);
}

void sdw_voice_wake(struct sdw_voice *voice)
{
    pthread_mutex_lock(&voice->lock);
    if (voice->n)
        pthread_cond_signal(&voice->more);
    pthread_mutex_unlock(&voice->lock);
}

static bool wait_for_end(struct sdw_voice *voice, int64_t wait_us)
{
    int64_t until = sdw_mono_ns() + wait_us * 1000;
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_mutex_lock(&voice->lock);
    voice->stopping = true;
    pthread_cond_signal(&voice->more);
    int late = 0;
    while (!voice->ended && !late)
        late = pthread_cond_timedwait(&voice->less, &voice->lock, &at);
    bool ended = voice->ended;
    pthread_mutex_unlock(&voice->lock);
    return ended;
}

int sdw_voice_stop(struct sdw_voice *voice, int64_t wait_us, int64_t *dropped)
{
    struct sdw_ctx *ctx = voice->ctx;
    bool ended = wait_for_end(voice, wait_us);
    if (!ended) /* it waits for a reader that does not read, and holds no lock */
        pthread_cancel(voice->thread);
    pthread_join(voice->thread, NULL);
    int code = voice->code;
    *dropped = voice->dropped;
    if (!ended) {
        *dropped += (int64_t)voice->n;
        code = sdw_err_set(&ctx->err, SDW_ESYS,
                           "standard output is not read: %lld records were dropped",
                           (long long)*dropped);
        /* Nobody may wait for that reader again. */
        sdw_emitter_free(ctx->emitter);
        sdw_out_free(ctx->out);
        ctx->emitter = NULL;
        ctx->out = NULL;
    }
    for (size_t i = 0; i < SDW_VOICE_RECORDS; i++)
        sdw_buf_release(&voice->record[i]);
    sdw_buf_release(&voice->current);
    pthread_cond_destroy(&voice->more);
    pthread_cond_destroy(&voice->less);
    pthread_mutex_destroy(&voice->lock);
    free(voice);
    return code;
}
