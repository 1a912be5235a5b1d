#include "net/transfer.h"

static size_t end(struct sdw_transfer *transfer, struct sdw_transfer *ended)
{
    if (!transfer->bytes)
        return 0;
    *ended = *transfer;
    *transfer = (struct sdw_transfer){0};
    return 1;
}

size_t sdw_transfers_packet(struct sdw_transfers *flow, unsigned direction, bool tcp,
                            uint32_t payload_bytes, int64_t us, struct sdw_transfer ended[2])
{
    struct sdw_transfer *this = &flow->way[direction], *other = &flow->way[!direction];
    size_t n = 0;
    if (payload_bytes == 0)
        return 0;
    if (us - this->last_us >= SDW_TRANSFER_PAUSE_US)
        n += end(this, &ended[n]);
    if (tcp)
        n += end(other, &ended[n]);
    if (!this->bytes)
        this->first_us = us;
    this->bytes += payload_bytes;
    this->last_us = us;
    return n;
}

size_t sdw_transfers_end(struct sdw_transfers *flow, struct sdw_transfer ended[2])
{
    size_t n = end(&flow->way[0], &ended[0]);
    return n + end(&flow->way[1], &ended[n]);
}
