#include "core/ip.h"
#include "core/mem.h"
#include "sys/geoip.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

struct sdw_geoip {
    MMDB_s file;
};

/* Where an entry has a region, best first. */
static const char *const countries[][3] = {
    {"country", "iso_code", NULL},
    {"registered_country", "iso_code", NULL},
    {"continent", "code", NULL},
};

/* The region of an entry: 1, 0 when it has none, or negative where the file is damaged. */
static int region_of(MMDB_entry_s *entry, char region[SDW_REGION_TEXT])
{
    for (size_t i = 0; i < SDW_LEN(countries); i++) {
        MMDB_entry_data_s found = {0};
        int status = MMDB_aget_value(entry, &found, countries[i]);
        if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
            continue;
        if (status != MMDB_SUCCESS)
            return SDW_EINPUT;
        if (!found.has_data || found.type != MMDB_DATA_TYPE_UTF8_STRING || found.data_size == 0 ||
            found.data_size >= SDW_REGION_TEXT)
            continue;
        memcpy(region, found.utf8_string, found.data_size);
        region[found.data_size] = '\0';
        return 1;
    }
    return 0;
}

/* One side of a node of the tree. */
static bool is_sound(uint8_t type, MMDB_entry_s *entry)
{
    char region[SDW_REGION_TEXT];
    if (type == MMDB_RECORD_TYPE_INVALID)
        return false;
    return type != MMDB_RECORD_TYPE_DATA || region_of(entry, region) >= 0;
}

static int check(MMDB_s *file, const char *path, struct sdw_err *err)
{
    for (uint32_t i = 0; i < file->metadata.node_count; i++) {
        MMDB_search_node_s node;
        if (MMDB_read_node(file, i, &node) != MMDB_SUCCESS ||
            !is_sound(node.left_record_type, &node.left_record_entry) ||
            !is_sound(node.right_record_type, &node.right_record_entry))
            return sdw_err_set(err, SDW_EINPUT, "%s: damaged at node %u of its tree", path, i);
    }
    return 0;
}

int sdw_geoip_open(const char *path, struct sdw_geoip **geoip, struct sdw_err *err)
{
    *geoip = sdw_xalloc(sizeof **geoip);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &(*geoip)->file);
    if (status != MMDB_SUCCESS) {
        free(*geoip);
        *geoip = NULL;
        return sdw_err_set(err, status == MMDB_FILE_OPEN_ERROR ? SDW_EUSAGE : SDW_EINPUT,
                           "%s: no MaxMind DB file: %s", path, MMDB_strerror(status));
    }
    int rc = check(&(*geoip)->file, path, err);
    if (rc < 0) {
        sdw_geoip_close(*geoip);
        *geoip = NULL;
    }
    return rc;
}

void sdw_geoip_close(struct sdw_geoip *geoip)
{
    if (geoip)
        MMDB_close(&geoip->file);
    free(geoip);
}

bool sdw_geoip_region(struct sdw_str address, char region[SDW_REGION_TEXT], void *geoip)
{
    struct sdw_ip ip;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (!geoip || !sdw_ip_parse(address, &ip))
        return false;
    memcpy(ip.family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr, ip.bytes,
           sdw_ip_size(ip.family));
    const struct sockaddr *at = ip.family == AF_INET ? (const void *)&in : (const void *)&in6;
    int status;
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&((struct sdw_geoip *)geoip)->file, at, &status);
    return status == MMDB_SUCCESS && found.found_entry && region_of(&found.entry, region) == 1;
}
