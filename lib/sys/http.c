#include "sys/http.h"

#include <curl/curl.h>
#include <stdio.h>

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct sdw_buf *body = arg;
    if (size * n > SDW_HTTP_BODY_MAX - body->n)
        return 0; /* which ends the transfer with CURLE_WRITE_ERROR */
    sdw_buf_add(body, bytes, size * n);
    return size * n;
}

static int failure(CURLcode code, const struct sdw_http_request *request, struct sdw_err *err)
{
    static const struct {
        CURLcode code;
        int becomes;
    } kinds[] = {
        {CURLE_URL_MALFORMAT, SDW_EUSAGE},
        {CURLE_UNSUPPORTED_PROTOCOL, SDW_EUSAGE},
        {CURLE_WRITE_ERROR, SDW_EINPUT},
        {CURLE_WEIRD_SERVER_REPLY, SDW_EINPUT},
    };
    int becomes = SDW_ENO;
    for (size_t i = 0; i < SDW_LEN(kinds); i++)
        if (kinds[i].code == code)
            becomes = kinds[i].becomes;
    const char *words =
        code == CURLE_WRITE_ERROR ? "an answer of more than 64 MiB" : curl_easy_strerror(code);
    size_t shown = strcspn(request->url, "?"); /* the query may be long, or not for everyone */
    return sdw_err_set(err, becomes, "%.*s: %s", (int)(shown < 200 ? shown : 200), request->url,
                       words);
}

int sdw_http_get(const struct sdw_http_request *request, struct sdw_buf *body, struct sdw_err *err)
{
    long status = 0;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    sdw_buf_clear(body);
    if (!curl)
        return sdw_err_set(err, SDW_ESYS, "cannot start an HTTP request");
    struct sdw_buf header = {0};
    if (request->bearer) {
        sdw_buf_printf(&header, "Authorization: Bearer %s", request->bearer);
        headers = curl_slist_append(NULL, header.p);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        explicit_bzero(header.p, header.n);
    }
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_us / 1000));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "shadow-tools");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    sdw_buf_release(&header);
    return code == CURLE_OK ? (int)status : failure(code, request, err);
}

void sdw_http_escape(struct sdw_buf *out, struct sdw_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '-' || c == '.' || c == '_' || c == '~')
            sdw_buf_char(out, (char)c);
        else
            sdw_buf_printf(out, "%%%02X", c);
    }
}
