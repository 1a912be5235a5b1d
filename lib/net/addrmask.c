#include "net/addrmask.h"
#include "core/num.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>

enum { KEY_FILE_MAX = 4096 };

static int load_key(const char *path, uint8_t key[SDW_ADDRMASK_KEY], struct sdw_err *err)
{
    uint8_t secret[KEY_FILE_MAX];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return sdw_err_sys(err, "cannot open key file %s", path);
    size_t n = fread(secret, 1, sizeof secret, file);
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        return sdw_err_sys(err, "cannot read key file %s", path);
    if (n < SDW_ADDRMASK_KEY)
        return sdw_err_set(err, SDW_EUSAGE, "key file %s has less than %d bytes", path,
                           SDW_ADDRMASK_KEY);
    crypto_generichash(key, SDW_ADDRMASK_KEY, secret, n, NULL, 0);
    sodium_memzero(secret, sizeof secret);
    return 0;
}

static bool parse_bits(struct sdw_str text, int64_t max, uint8_t *bits)
{
    int64_t value;
    if (!sdw_num_int(text, &value) || value < 0 || value > max)
        return false;
    *bits = (uint8_t)value;
    return true;
}

int sdw_addrmask_parse(const char *text, struct sdw_addrmask *mask, struct sdw_err *err)
{
    *mask = (struct sdw_addrmask){.bits4 = 32, .bits6 = 128};
    if (strcmp(text, "keep") == 0)
        return 0;
    if (strncmp(text, "hash:", 5) == 0) {
        mask->hash = true;
        return load_key(text + 5, mask->key, err);
    }
    const char *comma = strchr(text, ',');
    if (strncmp(text, "trunc:", 6) == 0 && comma &&
        parse_bits((struct sdw_str){text + 6, (size_t)(comma - text) - 6}, 32, &mask->bits4) &&
        parse_bits(sdw_str_of(comma + 1), 128, &mask->bits6))
        return 0;
    return sdw_err_set(err, SDW_EUSAGE, "--addr: '%s' is not keep, trunc:BITS,BITS or hash:KEYFILE",
                       text);
}

static char *put_octet(char *at, unsigned value)
{
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

static void show4(const uint8_t *bytes, char *at)
{
    for (int i = 0; i < 4; i++) {
        at = put_octet(at, bytes[i]);
        *at++ = i < 3 ? '.' : '\0';
    }
}

static void show_hash(const uint8_t key[SDW_ADDRMASK_KEY], uint8_t version, const uint8_t *bytes,
                      char out[SDW_ADDRMASK_TEXT])
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, bytes, version == 4 ? 4 : 16, key);
    out[0] = 'v';
    out[1] = version == 4 ? '4' : '6';
    out[2] = '-';
    sodium_bin2hex(out + 3, SDW_ADDRMASK_TEXT - 3, hash, sizeof hash);
}

void sdw_addrmask_cut(const struct sdw_addrmask *mask, uint8_t version, const uint8_t *bytes,
                      uint8_t out[16])
{
    size_t whole = version == 4 ? 32 : 128;
    size_t bits = mask->hash ? whole : version == 4 ? mask->bits4 : mask->bits6;
    memset(out, 0, 16);
    memcpy(out, bytes, bits / 8);
    if (bits % 8)
        out[bits / 8] = (uint8_t)(bytes[bits / 8] & 0xff00 >> bits % 8);
}

const char *sdw_addrmask_show(const struct sdw_addrmask *mask, uint8_t version,
                              const uint8_t *bytes, char out[SDW_ADDRMASK_TEXT])
{
    uint8_t kept[16];
    if (mask->hash) {
        show_hash(mask->key, version, bytes, out);
        return out;
    }
    sdw_addrmask_cut(mask, version, bytes, kept);
    if (version == 4)
        show4(kept, out);
    else if (!inet_ntop(AF_INET6, kept, out, SDW_ADDRMASK_TEXT))
        out[0] = '\0';
    return out;
}

uint64_t sdw_addrmask_id_key(const struct sdw_addrmask *mask, uint64_t secret)
{
    uint64_t key = 0;
    if (mask->hash)
        memcpy(&key, mask->key, sizeof key);
    return mask->hash || (mask->bits4 == 32 && mask->bits6 == 128) ? key : secret;
}
