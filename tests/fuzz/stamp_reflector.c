/* What a session-reflector does with a request from outside: base packet, TLVs, reply. */
#include <stdlib.h>

#include "net/stamp_tlv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reflect(const uint8_t *data, size_t size, const struct sdw_stamp_key *key)
{
    static const uint8_t v6[16] = {0x20, 1}, v4[4] = {192, 0, 2, 1};
    struct sdw_address from = sdw_address_of(v6, sizeof v6, 5000);
    struct sdw_address to = sdw_address_of(v4, sizeof v4, 862);
    struct sdw_stamp_reflection reflection = {
        .from = &from, .to = &to, .stateful = true, .last_seq = 1, .last_sent = 2};
    struct sdw_stamp_request request;
    int base = sdw_stamp_get_request(data, size, key, &request, NULL);
    if (base < 0)
        return;
    uint8_t *reply = malloc(size);
    if (!reply)
        return;
    memcpy(reply, data, size);
    size_t n = sdw_stamp_tlv_reflect(reply, size, (size_t)base, request.seq, key, &reflection);
    if (n > size)
        abort(); /* a reply is never larger than its request */
    free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sdw_stamp_key key = {.bytes = "0123456789abcdef", .n = 16};
    reflect(data, size, NULL);
    reflect(data, size, &key);
    return 0;
}
