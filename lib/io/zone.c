#include "io/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char folder[] = "/usr/share/zoneinfo/";

/* A file of that format (RFC 9636); a folder, or a list of zones, would be taken for UTC. */
static bool is_zone_file(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    bool good = file && fread(magic, sizeof magic, 1, file) == 1 && memcmp(magic, "TZif", 4) == 0;
    if (file)
        fclose(file);
    return good;
}

int sdw_zone_set(struct sdw_zone *zone, const char *name, struct sdw_err *err)
{
    char path[256];
    *zone = (struct sdw_zone){0};
    int n = snprintf(path, sizeof path, "%s%s", folder, name);
    bool known =
        strcmp(name, "UTC") == 0 || (n < (int)sizeof path && name[0] != '\0' && name[0] != '.' &&
                                     name[0] != '/' && !strstr(name, "..") && is_zone_file(path));
    if (!known)
        return sdw_err_set(err, SDW_EUSAGE, "--tz: '%s' is not a zone below %s", name, folder);
    setenv("TZ", name, 1);
    tzset();
    return 0;
}

int64_t sdw_zone_ahead(int64_t ts, void *arg)
{
    struct sdw_zone *zone = arg;
    const int64_t quarter_us = INT64_C(900000000);
    int64_t quarter = ts / quarter_us;
    if (zone->known && zone->quarter == quarter)
        return zone->ahead_us;
    struct tm local;
    time_t seconds = (time_t)(quarter * (quarter_us / 1000000));
    zone->ahead_us = localtime_r(&seconds, &local) ? (int64_t)local.tm_gmtoff * 1000000 : 0;
    zone->quarter = quarter;
    zone->known = true;
    return zone->ahead_us;
}
