/* Payload from outside in which names are looked for: TLS, DNS, QUIC. */
#include <stdlib.h>

#include "net/hints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const char *host)
{
    if (strnlen(host, SDW_DPI_HOST) == SDW_DPI_HOST)
        abort();
    for (; *host; host++)
        if (*host < '-' || *host > 'z')
            abort();
}

static void check_address(void *arg, const uint8_t *address, size_t bytes)
{
    uint8_t copy[16];
    (void)arg;
    if (bytes != 4 && bytes != 16)
        abort();
    memcpy(copy, address, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[SDW_DPI_HOST];
    bool tls;
    if (sdw_hints_tls_name(data, size, host, &tls))
        check_host(host);
    if (sdw_hints_dns(data, size, host, check_address, NULL))
        check_host(host);
    (void)sdw_hints_quic(data, size);
    return 0;
}
