/* A user's map of applications, and a flow that is looked up in it. */
#include <netinet/in.h>
#include <stdlib.h>

#include "net/appmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t src[16] = {10, 0, 0, 1}, dst[16] = {192, 0, 2, 7};
    struct sdw_err err = {0};
    struct sdw_appmap *map = sdw_appmap_new();
    struct sdw_str text = {(const char *)data, size};
    int code = sdw_appmap_read(map, text, &err);
    if (code < 0 && (err.line == 0 || !*err.text))
        abort(); /* a bad line is named */
    struct sdw_appmap_flow flow = {.src = src,
                                   .dst = dst,
                                   .sport = 50000,
                                   .dport = 443,
                                   .version = 4,
                                   .protocol = IPPROTO_TCP,
                                   .host = "a.b.example"};
    const char *app = sdw_appmap_find(map, &flow);
    if (app && (!*app || !memmem(data, size, app, strlen(app))))
        abort(); /* an application comes from the file */
    if (sdw_appmap_sensitivity(map, app ? app : "x", "Web") > SDW_SENSITIVITY_HIGH)
        abort();
    sdw_appmap_free(map);
    return 0;
}
