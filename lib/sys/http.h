/* Asking a web server, and sending it things, through libcurl: one request at a time, bounded in
 * time and size. */
#ifndef SDW_SYS_HTTP_H
#define SDW_SYS_HTTP_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

enum { SDW_HTTP_BODY_MAX = 64 << 20 };

/* A connection that is kept and used again. */
struct sdw_http;

struct sdw_http_request {
    const char *url;            /* http or https; redirects are not followed */
    const char *bearer;         /* token to show; NULL: none */
    const char *const *headers; /* "Name: value", NULL-ended; NULL: none */
    struct sdw_str post;        /* what is sent; p NULL: nothing, the request is a GET */
    int64_t timeout_us;         /* for the whole of it; > 0 */
    int stop_fd;                /* readable: give up (-1: none) */
};

/* SDW_ESYS when libcurl cannot be used. */
int sdw_http_new(struct sdw_http **http, struct sdw_err *err);
void sdw_http_free(struct sdw_http *http);

/* body is cleared, then holds what came, also with a status that is an error. Returns the status
 * (200..599), SDW_ENO when the server cannot be reached or is too slow, SDW_EINPUT for an answer
 * that is too long or not HTTP, SDW_EUSAGE for a URL that is none, SDW_ESTOP when asked to stop. */
int sdw_http_ask(struct sdw_http *http, const struct sdw_http_request *request,
                 struct sdw_buf *body, struct sdw_err *err);

/* Whether a status says that the same request may be answered later: too many of them (429), or the
 * server failed or is not ready (5xx). */
bool sdw_http_is_temporary(int status);

/* The bearer token in the first line of a file: secrets come by file, for a command line is seen by
 * others. path NULL: *token is NULL. SDW_ESYS, or SDW_EUSAGE when there is none in it. */
int sdw_http_token_load(char **token, const char *path, struct sdw_err *err);
/* Forgets it. */
void sdw_http_token_free(char *token);

#endif
