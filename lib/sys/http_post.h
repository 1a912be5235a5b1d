/* Sending things to an HTTP server, over libcurl. */
#ifndef SDW_SYS_HTTP_POST_H
#define SDW_SYS_HTTP_POST_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

struct sdw_http;

struct sdw_http_post {
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended */
    struct sdw_str body;
    int64_t timeout_us;
    int stop_fd; /* readable: give up (-1: none) */
};

/* A connection that is kept and used again. */
int sdw_http_new(struct sdw_http **http, struct sdw_err *err);
void sdw_http_free(struct sdw_http *http);

/* POST. 0 and the status of the answer, whose first bytes are in reply; SDW_EAGAIN when there was
 * no answer: no connection, no name, a timeout; SDW_ESTOP when asked to stop; SDW_EUSAGE when it is
 * no URL of http or https. */
int sdw_http_post(struct sdw_http *http, const struct sdw_http_post *post, long *status,
                  struct sdw_buf *reply, struct sdw_err *err);

#endif
