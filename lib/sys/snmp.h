/*
 * Asking SNMP agents, versions 2c and 3 (RFC 3416, RFC 3414), through net-snmp. No MIB files are
 * read, no configuration of net-snmp's own, and nothing is kept on disk.
 */
#ifndef SDW_SYS_SNMP_H
#define SDW_SYS_SNMP_H

#include "core/base.h"
#include "core/err.h"

enum { SDW_SNMP_SECRET = 128 };

/* What an agent wants to know of who asks. */
struct sdw_snmp_auth {
    bool v3;
    char community[SDW_SNMP_SECRET];
    char user[SDW_SNMP_SECRET];
    char auth_protocol[16], priv_protocol[16]; /* "" for none */
    char auth_passphrase[SDW_SNMP_SECRET], priv_passphrase[SDW_SNMP_SECRET];
};

/* Read a file of lines "KEY VALUE"; # begins a comment. Keys: community (version 2c); user,
 * auth-protocol (MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512), auth-passphrase, priv-protocol (DES AES
 * AES-192 AES-256), priv-passphrase (version 3; passphrases of at least 8 characters). Wipe it with
 * sdw_snmp_auth_wipe. SDW_EUSAGE with the line for what cannot be understood; *open_to_all tells
 * that everybody on this machine can read the file. */
int sdw_snmp_auth_load(const char *path, struct sdw_snmp_auth *auth, bool *open_to_all,
                       struct sdw_err *err);
void sdw_snmp_auth_wipe(struct sdw_snmp_auth *auth);

struct sdw_snmp;

/* Open a session with host ("192.0.2.1", "router:1161", "udp6:[fd00::1]"). Version 3 asks the agent
 * who it is first: SDW_ENO when nothing answers in time; SDW_EPERM when it knows no such user. */
struct sdw_snmp *sdw_snmp_open(const char *host, const struct sdw_snmp_auth *auth,
                               struct sdw_err *err);
void sdw_snmp_close(struct sdw_snmp *snmp); /* NULL is fine */

/* One value of a table, or of a scalar (index 0). */
struct sdw_snmp_value {
    uint32_t index; /* the last part of its name */
    unsigned bits;  /* width of a counter: 32 or 64; 0: not a counter */
    bool text;
    uint64_t number;
    char string[64]; /* printable, cut off if need be */
};

enum { SDW_SNMP_PARTS = 16 };

/* A column of a table, or a scalar: object identifier without the index. */
struct sdw_snmp_name {
    uint32_t part[SDW_SNMP_PARTS];
    size_t n;
};

/* Calls each for every value below name, in order. Returns how many; an agent that has none gives
 * 0. SDW_ENO when nothing answers in time (1 s, asked twice), SDW_EPERM when it refuses who asks,
 * SDW_EINPUT when its answers go in circles. */
int sdw_snmp_walk(struct sdw_snmp *snmp, const struct sdw_snmp_name *name,
                  void (*each)(const struct sdw_snmp_value *value, void *arg), void *arg,
                  struct sdw_err *err);

#endif
