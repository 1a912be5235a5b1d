/* The index of a segment: entries that pass must lie in the file, whatever they say. */
#include "store/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_segment segment = {0};
    struct sdw_chunk_room room = {0};
    struct sdw_entry entry;
    if (sdw_segment_view(&segment, (struct sdw_file){data, size}, NULL) == 0)
        for (size_t i = 0; i < segment.n; i++) {
            sdw_segment_entry(&segment, i, &entry);
            (void)sdw_segment_chunk(&segment, &entry, INT64_MIN, INT64_MAX, &room, NULL);
            (void)sdw_segment_find(&segment, entry.series);
        }
    sdw_chunk_room_release(&room);
    return 0;
}
