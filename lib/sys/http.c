#include "sys/http.h"
#include "core/mem.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, TOKEN_MAX = 8192 };

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

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct sdw_buf *body = arg;
    if (size * n > SDW_HTTP_BODY_MAX - body->n)
        return 0; /* which ends the transfer with CURLE_WRITE_ERROR */
    sdw_buf_add(body, bytes, size * n);
    return size * n;
}

static int look_for_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct pollfd stop = {*(const int *)arg, POLLIN, 0};
    (void)a, (void)b, (void)c, (void)d;
    return stop.fd >= 0 && poll(&stop, 1, 0) > 0;
}

/* The query of a URL is left out: it may be long, or not for everyone. */
static int failure(CURLcode code, const struct sdw_http_request *request, const char *words,
                   struct sdw_err *err)
{
    static const struct {
        CURLcode code;
        int becomes;
    } kinds[] = {
        {CURLE_URL_MALFORMAT, SDW_EUSAGE},      {CURLE_UNSUPPORTED_PROTOCOL, SDW_EUSAGE},
        {CURLE_WRITE_ERROR, SDW_EINPUT},        {CURLE_WEIRD_SERVER_REPLY, SDW_EINPUT},
        {CURLE_ABORTED_BY_CALLBACK, SDW_ESTOP},
    };
    int becomes = SDW_ENO;
    for (size_t i = 0; i < SDW_LEN(kinds); i++)
        if (kinds[i].code == code)
            becomes = kinds[i].becomes;
    if (code == CURLE_WRITE_ERROR)
        words = "an answer of more than 64 MiB";
    else if (!words[0])
        words = curl_easy_strerror(code);
    size_t shown = strcspn(request->url, "?");
    return sdw_err_set(err, becomes, "%.*s: %s", (int)(shown < 200 ? shown : 200), request->url,
                       words);
}

static void set_up(CURL *curl, const struct sdw_http_request *request, struct sdw_buf *body,
                   char *message)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_us / 1000));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "shadow-tools");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &request->stop_fd);
    if (request->post.p) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->post.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->post.n);
    }
}

static struct curl_slist *headers_of(const struct sdw_http_request *request)
{
    struct curl_slist *headers = NULL;
    struct sdw_buf bearer = {0};
    for (const char *const *header = request->headers; header && *header; header++)
        headers = curl_slist_append(headers, *header);
    if (request->bearer) {
        sdw_buf_printf(&bearer, "Authorization: Bearer %s", request->bearer);
        headers = curl_slist_append(headers, bearer.p);
        explicit_bzero(bearer.p, bearer.n);
    }
    sdw_buf_release(&bearer);
    return headers;
}

int sdw_http_ask(struct sdw_http *http, const struct sdw_http_request *request,
                 struct sdw_buf *body, struct sdw_err *err)
{
    char message[CURL_ERROR_SIZE] = "";
    long status = 0;
    struct curl_slist *headers = headers_of(request);
    sdw_buf_clear(body);
    set_up(http->curl, request, body, message);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(http->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_reset(http->curl);
    curl_slist_free_all(headers);
    return code == CURLE_OK ? (int)status : failure(code, request, message, err);
}

bool sdw_http_is_temporary(int status)
{
    return status == 429 || status >= 500;
}

int sdw_http_token_load(char **token, const char *path, struct sdw_err *err)
{
    char room[TOKEN_MAX];
    *token = NULL;
    if (!path)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof room - 1);
    int code = n < 0 ? sdw_err_sys(err, "cannot read %s", path) : 0;
    if (fd >= 0)
        close(fd);
    if (code < 0)
        return code;
    room[n] = '\0';
    room[strcspn(room, "\r\n")] = '\0';
    if (room[0])
        *token = sdw_xstrdup(room);
    explicit_bzero(room, sizeof room);
    return *token ? 0 : sdw_err_set(err, SDW_EUSAGE, "%s holds no token", path);
}

void sdw_http_token_free(char *token)
{
    if (token)
        explicit_bzero(token, strlen(token));
    free(token);
}
