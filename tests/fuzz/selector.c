/* Selectors come from a command line and from HTTP: any text is taken or refused. */
#include "store/selector.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sdw_labels labels = {1, {{{"host", 4}, {"a", 1}}}};
    struct sdw_selector selector;
    struct sdw_err err;
    size_t used;
    struct sdw_str text = {(const char *)data, size};
    if (sdw_selector_parse(&selector, text, &used, &err) == 0) {
        if (used > size)
            abort();
        (void)sdw_selector_matches(&selector, sdw_str_of("link/a-b/bps"), &labels, &err);
    }
    sdw_selector_release(&selector);
    return 0;
}
