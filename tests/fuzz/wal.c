/* The reader of the write-ahead log: no file may make it read outside its bytes or lose count. */
#include "store/wal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(const struct sdw_point *point, void *arg)
{
    (void)point;
    ++*(uint64_t *)arg;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_file file = {data, size};
    struct sdw_wal_found found;
    uint64_t points = 0;
    if (sdw_wal_read(&file, count, &points, &found) == 0 &&
        (found.points != points || (uint64_t)(found.whole + found.torn) != size ||
         found.damaged > found.whole))
        abort();
    return 0;
}
