#include "sys/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int sdw_offload_off(const char *interface, struct sdw_err *err)
{
    static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sdw_err_sys(err, "interface %s: socket", interface);
    int code = 0;
    for (size_t i = 0; i < SDW_LEN(commands) && code == 0; i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
        request.ifr_data = (char *)&value;
        if (ioctl(fd, SIOCETHTOOL, &request) < 0 && errno != EOPNOTSUPP)
            code = sdw_err_sys(err, "interface %s: offloads", interface);
    }
    close(fd);
    return code;
}
