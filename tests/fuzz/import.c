/* What importing does with JSON from outside: the first byte says of which tool. */
#include "io/docs.h"
#include "io/tool.h"
#include "net/import.h"
#include "rec/rec.h"

#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"mtr", "iperf3", "atlas", "scamper", "ip"};
    if (size == 0)
        return 0;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct sdw_ctx ctx = {.stop_fd = -1};
    ctx.out = sdw_out_new(fd, -1);
    ctx.emitter = sdw_emitter_new(ctx.out, SDW_FORMAT_NDJSON, NULL, NULL, NULL, false);
    const struct sdw_import_format *format = sdw_import_find(formats[data[0] % 5]);
    struct sdw_docs docs = {0};
    struct sdw_str doc;
    int more;
    sdw_docs_feed(&docs, (struct sdw_str){(const char *)data + 1, size - 1});
    while ((more = sdw_docs_next(&docs, &doc, NULL)) != 0) {
        struct sdw_json *json = more > 0 ? sdw_json_parse_lenient(doc, NULL) : NULL;
        if (json)
            (void)format->take(&ctx, json, 1, NULL);
        sdw_json_free(json);
    }
    (void)sdw_docs_end(&docs, NULL);
    sdw_docs_release(&docs);
    sdw_emitter_free(ctx.emitter);
    sdw_out_free(ctx.out);
    sdw_buf_release(&ctx.scratch);
    close(fd);
    return 0;
}
