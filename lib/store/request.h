/* Requests of HTTP/1.1 (RFC 9112), as far as a small server on the loopback needs them. */
#ifndef SDW_STORE_REQUEST_H
#define SDW_STORE_REQUEST_H

#include "core/base.h"
#include "core/mem.h"

enum { SDW_REQUEST_PARAMS = 64, SDW_REQUEST_MAX = 1 << 20 };

struct sdw_request {
    struct sdw_str method, path, host; /* path: decoded, without the query */
    bool keep_alive;
    size_t n;
    struct {
        struct sdw_str key, value;
    } param[SDW_REQUEST_PARAMS]; /* of the query and of a form in the body, decoded */
};

/* Parse a request at the start of bytes. Returns its length, 0 when it is not whole yet, or minus
 * the status to answer with: 400, 411, 413, 431. What request points to lives in the bytes or the
 * arena. */
long sdw_request_parse(struct sdw_str bytes, struct sdw_arena *arena, struct sdw_request *request);
/* The first value of a parameter; p is NULL when there is none. */
struct sdw_str sdw_request_param(const struct sdw_request *request, const char *key);

#endif
