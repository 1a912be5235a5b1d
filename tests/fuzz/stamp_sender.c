/* What a session-sender does with a reply from outside. */
#include "net/stamp_tlv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_reply(const uint8_t *data, size_t size, const struct sdw_stamp_key *key)
{
    struct sdw_stamp_reply reply;
    struct sdw_stamp_tlv tlv;
    int base = sdw_stamp_get_reply(data, size, key, &reply, NULL);
    if (base < 0)
        return;
    (void)sdw_stamp_time_ns(reply.received, reply.error);
    (void)sdw_stamp_tlv_trusted(data, size, (size_t)base, key);
    size_t at = (size_t)base;
    while (sdw_stamp_tlv_next(data, size, &at, &tlv) == 1)
        if (at > size)
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sdw_stamp_key key = {.bytes = "0123456789abcdef", .n = 16};
    read_reply(data, size, NULL);
    read_reply(data, size, &key);
    return 0;
}
