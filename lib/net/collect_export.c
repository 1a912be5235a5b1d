#include "net/collect_export.h"
#include "core/num.h"

/* Listen on a port of the addresses asked for. NULL, and err, when it cannot be. */
static struct sdw_listener *listen_on(struct sdw_ctx *ctx, const struct sdw_list *bind,
                                      const char *option, const char *text, struct sdw_err *err)
{
    struct sdw_address local[2];
    char name[SDW_ADDRESS_TEXT];
    int64_t port;
    if (!sdw_num_int(sdw_str_of(text), &port) || port < 0 || port > 65535) {
        sdw_err_set(err, SDW_EUSAGE, "--%s: %s is not a port", option, text);
        return NULL;
    }
    if (bind->n > SDW_LEN(local)) {
        sdw_err_set(err, SDW_EUSAGE, "--bind: at most one IPv4 and one IPv6 address");
        return NULL;
    }
    for (size_t i = 0; i < bind->n; i++)
        if (!sdw_address_parse(bind->item[i], (uint16_t)port, &local[i])) {
            sdw_err_set(err, SDW_EUSAGE, "--bind: %s is not an IPv4 or IPv6 address",
                        bind->item[i]);
            return NULL;
        }
    struct sdw_listener *listener = sdw_listener_new(local, bind->n, (uint16_t)port, err);
    for (size_t i = 0; listener && i < sdw_listener_sockets(listener); i++) {
        struct sdw_address at = sdw_listener_local(listener, i);
        sdw_note(ctx, "listening for %s on %s port %u", option, sdw_address_text(&at, name),
                 sdw_address_port(&at));
    }
    return listener;
}

int sdw_collect_exports(struct sdw_ctx *ctx, struct sdw_collect *collect,
                        const struct sdw_export_ports *ports, struct sdw_err *err)
{
    const struct {
        const char *option, *port;
        int (*add)(struct sdw_collect *, struct sdw_listener *, struct sdw_err *);
    } exports[] = {
        {"netflow", ports->netflow, sdw_collect_netflow},
        {"ipfix", ports->ipfix, sdw_collect_netflow},
        {"sflow", ports->sflow, sdw_collect_sflow},
    };
    for (size_t i = 0; i < SDW_LEN(exports); i++) {
        if (!exports[i].port)
            continue;
        struct sdw_listener *listener =
            listen_on(ctx, ports->bind, exports[i].option, exports[i].port, err);
        if (!listener)
            return err->code;
        int code = exports[i].add(collect, listener, err);
        if (code < 0)
            return code;
    }
    return 0;
}
