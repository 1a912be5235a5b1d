#include "io/saver.h"
#include "core/clock.h"

struct sdw_saver sdw_saver_of(const struct sdw_checkpoint *what, const char *path, int64_t every_us)
{
    return (struct sdw_saver){
        .what = *what, .path = path, .every_us = every_us, .saved_ns = sdw_mono_ns()};
}

bool sdw_saver_due(const struct sdw_saver *saver)
{
    return saver->path && (sdw_mono_ns() - saver->saved_ns) / 1000 >= saver->every_us;
}

int sdw_saver_write(struct sdw_saver *saver, struct sdw_str body, struct sdw_err *err)
{
    int rc = sdw_checkpoint_write(saver->path, &saver->what, body, err);
    saver->saved_ns = sdw_mono_ns();
    return rc;
}

void sdw_saver_try(struct sdw_saver *saver, const struct sdw_ctx *ctx, struct sdw_str body)
{
    struct sdw_err err = {0};
    if (sdw_saver_write(saver, body, &err) == 0)
        return;
    if (saver->unsaved++ == 0)
        sdw_warn(ctx, "%s; the state before it stays, and another try is made every --save",
                 err.text);
}
