/* Addresses leave as they are, cut, or hashed. */
#include "net/addrmask.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/tap.h"

static const uint8_t four[16] = {203, 0, 113, 255};
static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static const char *show(const char *how, uint8_t version, const uint8_t *bytes)
{
    static char text[SDW_ADDRMASK_TEXT];
    struct sdw_addrmask mask;
    return sdw_addrmask_parse(how, &mask, NULL) == 0
               ? sdw_addrmask_show(&mask, version, bytes, text)
               : NULL;
}

static void check_hash(void)
{
    char path[] = "/tmp/addrmask-XXXXXX", how[64], first[SDW_ADDRMASK_TEXT];
    struct sdw_err err;
    struct sdw_addrmask mask, again;
    int fd = mkstemp(path);
    bool wrote = write(fd, "0123456789abcde", 15) == 15;
    snprintf(how, sizeof how, "hash:%s", path);
    ok(wrote && sdw_addrmask_parse(how, &mask, &err) == SDW_EUSAGE, "15 bytes are no key");
    wrote = write(fd, "f", 1) == 1;
    ok(wrote && sdw_addrmask_parse(how, &mask, &err) == 0, "16 are");
    sdw_addrmask_show(&mask, 4, four, first);
    ok(strncmp(first, "v4-", 3) == 0 && strlen(first) == 19 && !strstr(first, "203"),
       "an address becomes a hash: %s", first);
    is_text(show(how, 4, four), first, "the same each time");
    ok(strncmp(show(how, 6, six), "v6-", 3) == 0, "of either version");
    wrote = write(fd, "more", 4) == 4;
    ok(wrote && strcmp(show(how, 4, four), first) != 0, "another key gives another hash");
    ok(sdw_addrmask_parse(how, &again, &err) == 0 &&
           sdw_addrmask_id_key(&again, 7) != sdw_addrmask_id_key(&mask, 7),
       "and other ids of flows");
    close(fd);
    unlink(path);
    ok(sdw_addrmask_parse(how, &mask, &err) == SDW_ESYS, "a missing file is told");
}

int main(void)
{
    struct sdw_err err;
    struct sdw_addrmask mask;
    is_text(show("keep", 4, four), "203.0.113.255", "an IPv4 address as it is");
    is_text(show("keep", 6, six), "2001:db8:102:304:506:708:90a:b0c", "an IPv6 address as it is");
    is_text(show("trunc:24,48", 4, four), "203.0.113.0", "its first 24 bits");
    is_text(show("trunc:24,48", 6, six), "2001:db8:102::", "its first 48 bits");
    is_text(show("trunc:29,0", 4, four), "203.0.113.248", "bits within a byte");
    is_text(show("trunc:29,0", 6, six), "::", "none");
    static const char *const bad[] = {"",           "all",          "trunc:24",    "trunc:33,48",
                                      "trunc:a,48", "trunc:24,129", "trunc:-1,48", "hash"};
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(sdw_addrmask_parse(bad[i], &mask, &err) == SDW_EUSAGE, "'%s' is none of these", bad[i]);
    sdw_addrmask_parse("keep", &mask, &err);
    ok(sdw_addrmask_id_key(&mask, 7) == sdw_addrmask_id_key(&mask, 8),
       "ids of flows are the same again");
    sdw_addrmask_parse("trunc:24,48", &mask, &err);
    ok(sdw_addrmask_id_key(&mask, 7) != sdw_addrmask_id_key(&mask, 8),
       "unless they would tell what was cut off");
    check_hash();
    return tap_done();
}
