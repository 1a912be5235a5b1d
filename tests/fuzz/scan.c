/* The line scanner and what is built on it: no input may make it read outside the line. */
#include "io/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sdw_str keys[] = {{"ts", 2}, {"type", 4}, {"a", 1}};
    struct sdw_member found[SDW_LEN(keys)];
    struct sdw_buf out = {0};
    struct sdw_str line = {(const char *)data, size};
    (void)sdw_scan_type(line);
    if (sdw_scan_find(line, keys, SDW_LEN(keys), found, NULL) == 0) {
        for (size_t i = 0; i < SDW_LEN(keys); i++)
            if (found[i].key.p && found[i].kind == SDW_SCAN_STRING)
                (void)sdw_scan_unescape(found[i].value, &out, NULL);
        sdw_buf_clear(&out);
        sdw_scan_splice(line, sdw_str_of("\"z\":1"), &out);
        struct sdw_str z = {"z", 1};
        struct sdw_member spliced;
        if (sdw_scan_find(sdw_buf_view(&out), &z, 1, &spliced, NULL) < 0 || !spliced.key.p)
            abort();
    }
    sdw_buf_release(&out);
    return 0;
}
