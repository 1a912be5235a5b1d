/* Asking a web server, through libcurl: one request at a time, bounded in time and size. */
#ifndef SDW_SYS_HTTP_H
#define SDW_SYS_HTTP_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

enum { SDW_HTTP_BODY_MAX = 64 << 20 };

struct sdw_http_request {
    const char *url;    /* http or https; redirects are not followed */
    const char *bearer; /* token to show; NULL: none */
    int64_t timeout_us; /* for the whole of it; > 0 */
};

/* GET. body is cleared, then holds what came, also with a status that is an error. Returns the
 * status (200..599), SDW_ENO when the server cannot be reached or is too slow, SDW_EINPUT for an
 * answer that is too long or not HTTP, SDW_EUSAGE for a URL that is none. */
int sdw_http_get(const struct sdw_http_request *request, struct sdw_buf *body, struct sdw_err *err);

/* Append text as part of a URL (RFC 3986: all but unreserved characters escaped). */
void sdw_http_escape(struct sdw_buf *out, struct sdw_str text);

#endif
