#include "sys/http_post.h"
#include "core/mem.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>

enum { REPLY_MAX = 4096, CONNECT_MS = 5000 };

struct sdw_http {
    CURL *curl;
};

int sdw_http_new(struct sdw_http **http, struct sdw_err *err)
{
    *http = sdw_xalloc(sizeof **http);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
        (*http)->curl = curl_easy_init();
    if ((*http)->curl)
        return 0;
    free(*http);
    *http = NULL;
    return sdw_err_set(err, SDW_ESYS, "libcurl cannot be used");
}

void sdw_http_free(struct sdw_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_global_cleanup();
    free(http);
}

/* Keeps the beginning, for messages. */
static size_t take_reply(char *bytes, size_t size, size_t n, void *arg)
{
    struct sdw_buf *reply = arg;
    size_t room = reply->n < REPLY_MAX ? REPLY_MAX - reply->n : 0;
    sdw_buf_add(reply, bytes, size * n < room ? size * n : room);
    return size * n;
}

static int look_for_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct pollfd stop = {*(const int *)arg, POLLIN, 0};
    (void)a, (void)b, (void)c, (void)d;
    return stop.fd >= 0 && poll(&stop, 1, 0) > 0;
}

static void set_up(CURL *curl, const struct sdw_http_post *post, struct curl_slist *headers,
                   struct sdw_buf *reply, char *message)
{
    curl_easy_setopt(curl, CURLOPT_URL, post->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body.p);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.n);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(post->timeout_us / 1000));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &post->stop_fd);
}

static int code_of(CURLcode got)
{
    switch (got) {
    case CURLE_OK:
        return 0;
    case CURLE_ABORTED_BY_CALLBACK:
        return SDW_ESTOP;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return SDW_EUSAGE;
    default:
        return SDW_EAGAIN;
    }
}

int sdw_http_post(struct sdw_http *http, const struct sdw_http_post *post, long *status,
                  struct sdw_buf *reply, struct sdw_err *err)
{
    char message[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    *status = 0;
    sdw_buf_clear(reply);
    for (const char *const *header = post->headers; header && *header; header++)
        headers = curl_slist_append(headers, *header);
    set_up(http->curl, post, headers, reply, message);
    CURLcode got = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, status);
    curl_easy_reset(http->curl);
    curl_slist_free_all(headers);
    int code = code_of(got);
    if (code < 0)
        sdw_err_set(err, code, "%s: %s", post->url, message[0] ? message : curl_easy_strerror(got));
    return code;
}
