/* The chunk decoder: whatever it takes for a chunk must be one, and come back when written again.
 */
#include "core/buf.h"
#include "store/chunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_chunk_room room = {0}, again = {0};
    struct sdw_buf buf = {0};
    if (sdw_chunk_decode(data, size, INT64_MIN, INT64_MAX, &room, NULL) == 0) {
        size_t n = room.points.n;
        sdw_chunk_encode(&room.points, &buf);
        if (sdw_chunk_decode(buf.p, buf.n, INT64_MIN, INT64_MAX, &again, NULL) < 0 ||
            again.points.n != n || again.points.columns != room.points.columns ||
            memcmp(again.ts_us, room.ts_us, n * sizeof *room.ts_us) != 0)
            abort();
        for (size_t c = 0; c < room.points.columns; c++)
            if (memcmp(again.column[c], room.column[c], n * sizeof(double)) != 0)
                abort();
    }
    sdw_buf_release(&buf);
    sdw_chunk_room_release(&room);
    sdw_chunk_room_release(&again);
    return 0;
}
