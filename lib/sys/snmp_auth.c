#include "sys/snmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSPHRASE_MIN = 8 }; /* RFC 3414, 11.2 */

static const struct {
    const char *key;
    size_t offset, size;
} keys[] = {
#define KEY(name, member)                                                                          \
    {                                                                                              \
        name, offsetof(struct sdw_snmp_auth, member), sizeof((struct sdw_snmp_auth *)0)->member    \
    }
    KEY("community", community),         KEY("user", user),
    KEY("auth-protocol", auth_protocol), KEY("auth-passphrase", auth_passphrase),
    KEY("priv-protocol", priv_protocol), KEY("priv-passphrase", priv_passphrase),
};

/* Set the member that a line names. False when it names none, or its value is too long. */
static bool set(struct sdw_snmp_auth *auth, const char *key, const char *value)
{
    for (size_t i = 0; i < SDW_LEN(keys); i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        size_t n = strlen(value);
        if (n == 0 || n >= keys[i].size)
            return false;
        memcpy((char *)auth + keys[i].offset, value, n + 1);
        return true;
    }
    return false;
}

static int read_line(struct sdw_snmp_auth *auth, const char *path, uint64_t number, char *line,
                     struct sdw_err *err)
{
    char *key = line + strspn(line, " \t");
    key[strcspn(key, "\r\n")] = '\0';
    if (*key == '\0' || *key == '#')
        return 0;
    char *value = key + strcspn(key, " \t");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    size_t n = strlen(value);
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        value[--n] = '\0';
    if (set(auth, key, value))
        return 0;
    return sdw_err_set(err, SDW_EUSAGE,
                       "%s: line %llu: not one of community, user, "
                       "auth-protocol, auth-passphrase, priv-protocol, "
                       "priv-passphrase and a value",
                       path, (unsigned long long)number);
}

static int check(struct sdw_snmp_auth *auth, const char *path, struct sdw_err *err)
{
    auth->v3 = auth->user[0] != '\0';
    if (auth->v3 == (auth->community[0] != '\0'))
        return sdw_err_set(err, SDW_EUSAGE, "%s: either a community (version 2c) or a user (3)",
                           path);
    if ((auth->auth_protocol[0] != '\0') != (auth->auth_passphrase[0] != '\0') ||
        (auth->priv_protocol[0] != '\0') != (auth->priv_passphrase[0] != '\0'))
        return sdw_err_set(err, SDW_EUSAGE, "%s: a protocol and its passphrase go together", path);
    if (auth->priv_protocol[0] && !auth->auth_protocol[0])
        return sdw_err_set(err, SDW_EUSAGE, "%s: no privacy without authentication", path);
    if ((auth->auth_protocol[0] && strlen(auth->auth_passphrase) < PASSPHRASE_MIN) ||
        (auth->priv_protocol[0] && strlen(auth->priv_passphrase) < PASSPHRASE_MIN))
        return sdw_err_set(err, SDW_EUSAGE, "%s: a passphrase has at least %d characters", path,
                           PASSPHRASE_MIN);
    return 0;
}

int sdw_snmp_auth_load(const char *path, struct sdw_snmp_auth *auth, bool *open_to_all,
                       struct sdw_err *err)
{
    char line[512];
    struct stat about;
    int code = 0;
    *auth = (struct sdw_snmp_auth){0};
    FILE *file = fopen(path, "re");
    if (!file)
        return sdw_err_sys(err, "%s", path);
    *open_to_all = fstat(fileno(file), &about) == 0 && (about.st_mode & S_IROTH);
    for (uint64_t number = 1; code == 0 && fgets(line, sizeof line, file); number++)
        code = read_line(auth, path, number, line, err);
    fclose(file);
    explicit_bzero(line, sizeof line);
    if (code == 0)
        code = check(auth, path, err);
    if (code < 0)
        sdw_snmp_auth_wipe(auth);
    return code;
}

void sdw_snmp_auth_wipe(struct sdw_snmp_auth *auth)
{
    explicit_bzero(auth, sizeof *auth);
}
