/* What jansson takes must be written again, and read again to the same text. */
#include <stdlib.h>

#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union {
        const uint8_t *bytes;
        const char *text;
    } in = {.bytes = data};
    struct sdw_buf first = {0}, second = {0};
    struct sdw_err err = {0};
    struct sdw_json *root = sdw_json_parse((struct sdw_str){in.text, size}, &err);
    if (!root)
        return 0;
    sdw_json_write(root, &first);
    sdw_json_free(root);
    root = sdw_json_parse(sdw_buf_view(&first), &err);
    if (!root)
        abort();
    sdw_json_write(root, &second);
    if (!sdw_str_same(sdw_buf_view(&first), sdw_buf_view(&second)))
        abort();
    sdw_json_free(root);
    sdw_buf_release(&first);
    sdw_buf_release(&second);
    return 0;
}
