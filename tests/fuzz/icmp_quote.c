/* Packets that came in by the wire: ICMP errors, what they quote, TCP segments. */
#include <stdlib.h>

#include "net/craft.h"
#include "net/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_icmp_error error;
    struct sdw_header header;
    if (sdw_icmp_error_read(data, size, &error) && error.quoted.payload_n &&
        (error.quoted.payload < data ||
         error.quoted.payload + error.quoted.payload_n > data + size))
        abort();
    if (sdw_header_read(data, size, &header) && header.payload_n > size)
        abort();
    (void)sdw_transport_checksum(data, size);
    return 0;
}
