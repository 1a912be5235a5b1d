#include "sys/snmp.h"
#include "core/mem.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_US = 1000000,
    RETRIES = 1,
    ROWS = 25,          /* asked for at a time */
    ROWS_MAX = 1 << 20, /* of one column */
};

struct sdw_snmp {
    void *session;
    char host[128];
};

/* Set the library up without its files: what is not asked for by name is not done. */
static void set_up_library(void)
{
    static const int off[] = {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                              NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
                              NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE};
    for (size_t i = 0; i < SDW_LEN(off); i++)
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, off[i], 1);
    setenv("MIBS", "", 1); /* names are numbers here */
    snmp_disable_log();
    init_snmp("shadow-collect");
}

/* The key of a passphrase (RFC 3414, A.2). False when it cannot be made. */
static bool make_key(const oid *protocol, size_t protocol_n, const char *passphrase, u_char *key,
                     size_t *key_n)
{
    return generate_Ku(protocol, (u_int)protocol_n, (const u_char *)passphrase, strlen(passphrase),
                       key, key_n) == SNMPERR_SUCCESS;
}

static int set_user(struct snmp_session *session, const struct sdw_snmp_auth *auth, char *user,
                    struct sdw_err *err)
{
    session->version = SNMP_VERSION_3;
    session->securityName = user;
    session->securityNameLen = strlen(user);
    session->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
    if (!auth->auth_protocol[0])
        return 0;
    session->securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
    session->securityAuthKeyLen = USM_AUTH_KU_LEN;
    session->securityAuthProto =
        sc_get_auth_oid(usm_lookup_auth_type(auth->auth_protocol), &session->securityAuthProtoLen);
    if (!session->securityAuthProto)
        return sdw_err_set(err, SDW_EUSAGE, "%s is no authentication protocol of SNMP",
                           auth->auth_protocol);
    bool made =
        make_key(session->securityAuthProto, session->securityAuthProtoLen, auth->auth_passphrase,
                 session->securityAuthKey, &session->securityAuthKeyLen);
    if (made && auth->priv_protocol[0]) {
        session->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
        session->securityPrivKeyLen = USM_PRIV_KU_LEN;
        session->securityPrivProto = sc_get_priv_oid(usm_lookup_priv_type(auth->priv_protocol),
                                                     &session->securityPrivProtoLen);
        if (!session->securityPrivProto)
            return sdw_err_set(err, SDW_EUSAGE, "%s is no privacy protocol of SNMP",
                               auth->priv_protocol);
        made =
            make_key(session->securityAuthProto, session->securityAuthProtoLen,
                     auth->priv_passphrase, session->securityPrivKey, &session->securityPrivKeyLen);
    }
    return made ? 0 : sdw_err_set(err, SDW_EUSAGE, "no key can be made of the passphrases");
}

/* The library's own words about what went wrong. */
static int failure(struct sdw_snmp *snmp, struct sdw_err *err)
{
    int library = 0, code;
    char *words = NULL;
    snmp_sess_error(snmp->session, NULL, &library, &words);
    switch (library) {
    case SNMPERR_UNKNOWN_USER_NAME:
    case SNMPERR_AUTHENTICATION_FAILURE:
    case SNMPERR_UNSUPPORTED_SEC_LEVEL:
    case SNMPERR_DECRYPTION_ERR:
        code = sdw_err_set(err, SDW_EPERM, "%s refuses who asks: %s", snmp->host, words);
        break;
    case SNMPERR_TIMEOUT:
        code = sdw_err_set(err, SDW_ENO, "%s does not answer", snmp->host);
        break;
    default:
        code = sdw_err_set(err, SDW_ENO, "%s: %s", snmp->host, words ? words : "no answer");
        break;
    }
    free(words);
    return code;
}

struct sdw_snmp *sdw_snmp_open(const char *host, const struct sdw_snmp_auth *auth,
                               struct sdw_err *err)
{
    struct snmp_session session;
    struct sdw_snmp *snmp = sdw_xalloc(sizeof *snmp);
    char community[SDW_SNMP_SECRET], user[SDW_SNMP_SECRET];
    set_up_library();
    snmp_sess_init(&session);
    snprintf(snmp->host, sizeof snmp->host, "%s", host);
    snprintf(community, sizeof community, "%s", auth->community);
    snprintf(user, sizeof user, "%s", auth->user);
    session.peername = snmp->host;
    session.timeout = TIMEOUT_US;
    session.retries = RETRIES;
    session.flags |= SNMP_FLAGS_DONT_PROBE; /* a host that is down must not hold up the others */
    session.version = SNMP_VERSION_2c;
    session.community = (u_char *)community;
    session.community_len = strlen(community);
    int code = auth->v3 ? set_user(&session, auth, user, err) : 0;
    if (code == 0) {
        snmp->session = snmp_sess_open(&session);
        if (!snmp->session)
            (void)sdw_err_set(err, SDW_ENO, "%s: %s", host,
                              snmp_api_errstring(session.s_snmp_errno));
    }
    explicit_bzero(&session, sizeof session);
    explicit_bzero(community, sizeof community);
    if (snmp->session)
        return snmp;
    free(snmp);
    return NULL;
}

void sdw_snmp_close(struct sdw_snmp *snmp)
{
    if (!snmp)
        return;
    snmp_sess_close(snmp->session);
    free(snmp);
}

/* False when it is no value. */
static bool to_value(const netsnmp_variable_list *variable, struct sdw_snmp_value *out)
{
    *out = (struct sdw_snmp_value){
        .index = (uint32_t)variable->name[variable->name_length - 1],
    };
    switch (variable->type) {
    case ASN_COUNTER64:
        out->bits = 64;
        out->number =
            (uint64_t)variable->val.counter64->high << 32 | (uint32_t)variable->val.counter64->low;
        return true;
    case ASN_COUNTER:
        out->bits = 32;
        out->number = (uint32_t)*variable->val.integer;
        return true;
    case ASN_INTEGER:
        out->number = *variable->val.integer < 0 ? 0 : (uint64_t)*variable->val.integer;
        return true;
    case ASN_GAUGE:
    case ASN_TIMETICKS:
        out->number = (uint32_t)*variable->val.integer;
        return true;
    case ASN_OCTET_STR:
        out->text = true;
        for (size_t i = 0; i < variable->val_len && i < sizeof out->string - 1; i++)
            out->string[i] = variable->val.string[i] > ' ' && variable->val.string[i] < 0x7f
                                 ? (char)variable->val.string[i]
                                 : '_';
        return true;
    default:
        return false;
    }
}

/* Where a walk has come to. */
struct walk {
    oid at[MAX_OID_LEN];
    size_t n;
    bool over;
    int rows;
};

/* Take the rows of one answer. SDW_EINPUT when they do not go forward. */
static int take_rows(struct walk *walk, const struct sdw_snmp *snmp,
                     const netsnmp_variable_list *variable, const oid *root, size_t root_n,
                     void (*each)(const struct sdw_snmp_value *value, void *arg), void *arg,
                     struct sdw_err *err)
{
    if (!variable)
        walk->over = true;
    for (; variable && !walk->over; variable = variable->next_variable) {
        struct sdw_snmp_value value;
        walk->over = variable->name_length <= root_n ||
                     memcmp(variable->name, root, root_n * sizeof *root) != 0 ||
                     variable->type == SNMP_ENDOFMIBVIEW;
        if (walk->over)
            break;
        if (snmp_oid_compare(variable->name, variable->name_length, walk->at, walk->n) <= 0 ||
            walk->rows >= ROWS_MAX)
            return sdw_err_set(err, SDW_EINPUT, "%s: its answers go in circles", snmp->host);
        memcpy(walk->at, variable->name, variable->name_length * sizeof *walk->at);
        walk->n = variable->name_length;
        walk->rows++;
        if (to_value(variable, &value))
            each(&value, arg);
    }
    return 0;
}

int sdw_snmp_walk(struct sdw_snmp *snmp, const struct sdw_snmp_name *name,
                  void (*each)(const struct sdw_snmp_value *value, void *arg), void *arg,
                  struct sdw_err *err)
{
    struct walk walk = {.n = name->n};
    oid root[SDW_SNMP_PARTS];
    int code = 0;
    for (size_t i = 0; i < name->n; i++)
        root[i] = walk.at[i] = name->part[i];
    while (code == 0 && !walk.over) {
        struct snmp_pdu *answer = NULL, *ask = snmp_pdu_create(SNMP_MSG_GETBULK);
        ask->non_repeaters = 0;
        ask->max_repetitions = ROWS;
        snmp_add_null_var(ask, walk.at, walk.n);
        if (snmp_sess_synch_response(snmp->session, ask, &answer) != STAT_SUCCESS || !answer)
            code = failure(snmp, err);
        else if (answer->errstat != SNMP_ERR_NOERROR)
            code = sdw_err_set(err, SDW_EPERM, "%s: %s", snmp->host,
                               snmp_errstring((int)answer->errstat));
        else
            code = take_rows(&walk, snmp, answer->variables, root, name->n, each, arg, err);
        if (answer)
            snmp_free_pdu(answer);
    }
    return code < 0 ? code : walk.rows;
}
