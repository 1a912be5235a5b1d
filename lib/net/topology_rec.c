#include "io/jsonw.h"
#include "core/num.h"
#include "io/scan.h"
#include "net/topology.h"

#include <math.h>
#include <stdio.h>

/* The JSON string as text with an end. SDW_EINPUT when it is no string. */
static int text_of(const struct sdw_member *value, const char *field, struct sdw_buf *out,
                   struct sdw_err *err)
{
    sdw_buf_clear(out);
    if (value->kind != SDW_SCAN_STRING || sdw_scan_unescape(value->value, out, NULL) < 0)
        return sdw_err_field(err, field, "not a string");
    sdw_buf_reserve(out, 1);
    out->p[out->n] = '\0';
    return 0;
}

static int take_addrs(struct sdw_lab_node *node, struct sdw_str array, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member element;
    struct sdw_buf text = {0};
    int code = sdw_scan_begin(&scan, array, err);
    while (code == 0 && (code = sdw_scan_next(&scan, &element, err)) > 0) {
        code = text_of(&element, "addrs", &text, err);
        if (code == 0)
            code = sdw_topology_addr(node, sdw_buf_view(&text), err);
    }
    sdw_buf_release(&text);
    return code;
}

static int take_route(struct sdw_lab_node *node, struct sdw_str object, struct sdw_err *err)
{
    const struct sdw_str keys[] = {sdw_str_of("to"), sdw_str_of("via"), sdw_str_of("priority")};
    struct sdw_member found[3];
    struct sdw_buf to = {0}, via = {0};
    int64_t priority = 0;
    int code = sdw_scan_find(object, keys, 3, found, err);
    if (code == 0 && (!found[0].key.p || !found[1].key.p))
        code = sdw_err_field(err, "routes", "a route needs \"to\" and \"via\"");
    if (code == 0 && found[2].key.p &&
        (!sdw_num_int(found[2].value, &priority) || priority < 0 || priority > INT32_MAX))
        code = sdw_err_field(err, "routes", "priority is not a number from 0 to 2^31-1");
    if (code == 0)
        code = text_of(&found[0], "routes", &to, err);
    if (code == 0)
        code = text_of(&found[1], "routes", &via, err);
    if (code == 0)
        code = sdw_topology_pin(node, to.p, via.p, (uint32_t)priority, err);
    sdw_buf_release(&to);
    sdw_buf_release(&via);
    return code;
}

static int take_routes(struct sdw_lab_node *node, struct sdw_str array, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member element;
    int code = sdw_scan_begin(&scan, array, err);
    while (code == 0 && (code = sdw_scan_next(&scan, &element, err)) > 0)
        code = element.kind == SDW_SCAN_OBJECT
                   ? take_route(node, element.value, err)
                   : sdw_err_field(err, "routes", "not an array of objects");
    return code;
}

static bool plain(struct sdw_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~' || text.p[i] == '\\')
            return false;
    return true;
}

static int take_sysctls(struct sdw_lab_node *node, struct sdw_str object, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member member;
    int code = object.p[0] == '{' ? sdw_scan_begin(&scan, object, err)
                                  : sdw_err_field(err, "sysctls", "not an object");
    while (code == 0 && (code = sdw_scan_next(&scan, &member, err)) > 0) {
        bool value = member.kind == SDW_SCAN_STRING || member.kind == SDW_SCAN_NUMBER;
        code = value && plain(member.key) && plain(member.value)
                   ? 0
                   : sdw_err_field(err, "sysctls", "not an object of plain text and numbers");
    }
    if (code == 0)
        node->sysctls = sdw_xstrndup(object.p, object.n);
    return code;
}

static const char *copy_name(struct sdw_str view, char out[64])
{
    snprintf(out, 64, "%.*s", (int)(view.n < 60 ? view.n : 60), view.p ? view.p : "");
    return out;
}

static int take_node(struct sdw_topology *topology, const struct sdw_node *rec, struct sdw_err *err)
{
    char name[64];
    struct sdw_lab_node *node;
    int code = sdw_topology_node(topology, copy_name(rec->node, name),
                                 !sdw_str_is(rec->role, "host"), &node, err);
    if (code == 0 && rec->addrs.p)
        code = take_addrs(node, rec->addrs, err);
    if (code == 0 && rec->routes.p)
        code = take_routes(node, rec->routes, err);
    if (code == 0 && rec->sysctls.p)
        code = take_sysctls(node, rec->sysctls, err);
    return code;
}

static double or_zero(double value)
{
    return value >= 0 ? value : 0;
}

static int take_link(struct sdw_topology *topology, const struct sdw_link *rec, struct sdw_err *err)
{
    char a[64], b[64];
    struct sdw_lab_link *link;
    int code = sdw_topology_link(topology, copy_name(rec->a, a), copy_name(rec->b, b), &link, err);
    if (code < 0)
        return code;
    if (rec->link.p && !sdw_str_is(rec->link, link->name))
        return sdw_err_field(err, "link", "the name of this link is %s", link->name);
    link->end[0].rate_bps = or_zero(rec->rate_bps);
    link->end[1].rate_bps = or_zero(rec->rate_back_bps);
    link->end[0].buffer_bytes = rec->buffer_bytes == SDW_NO_INT ? 0 : rec->buffer_bytes;
    link->end[1].buffer_bytes = rec->buffer_back_bytes == SDW_NO_INT ? 0 : rec->buffer_back_bytes;
    link->end[0].loss_share = or_zero(rec->loss_share);
    link->end[1].loss_share = or_zero(rec->loss_back_share);
    link->burst_bytes = rec->burst_bytes == SDW_NO_INT ? 0 : rec->burst_bytes;
    link->nominal_bps = or_zero(rec->nominal_bps);
    link->metric = rec->metric == SDW_NO_INT ? 1 : rec->metric;
    link->htb = sdw_str_is(rec->shaper, "htb");
    return 0;
}

static int take_whole(struct sdw_topology *topology, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_arena arena = {0};
    struct sdw_str type = sdw_scan_type(line);
    int code = 0;
    if (sdw_str_is(type, "node")) {
        struct sdw_node rec;
        code = sdw_rec_decode(&sdw_node_schema, line, &arena, &rec, err);
        if (code == 0)
            code = take_node(topology, &rec, err);
    } else {
        struct sdw_link rec;
        code = sdw_rec_decode(&sdw_link_schema, line, &arena, &rec, err);
        if (code == 0)
            code = take_link(topology, &rec, err);
    }
    sdw_arena_release(&arena);
    return code;
}

/* A description is often written by hand: it may leave out the time, which says nothing here. */
int sdw_topology_take(struct sdw_topology *topology, struct sdw_str line, struct sdw_err *err)
{
    const struct sdw_str ts = sdw_str_of("ts");
    struct sdw_member found;
    struct sdw_str type = sdw_scan_type(line);
    int code = sdw_scan_find(line, &ts, 1, &found, err);
    if (code < 0 || !(sdw_str_is(type, "node") || sdw_str_is(type, "link")))
        return code;
    struct sdw_buf timed = {0};
    if (!found.key.p) {
        sdw_scan_splice(line, sdw_str_of("\"ts\":0"), &timed);
        line = sdw_buf_view(&timed);
    }
    code = take_whole(topology, line, err);
    sdw_buf_release(&timed);
    return code < 0 ? code : 1;
}

static void write_addrs(struct sdw_buf *out, const struct sdw_ip *ip, size_t n)
{
    char text[SDW_IP_TEXT];
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < n; i++)
        sdw_jsonw_text(&w, NULL,
                       ip[i].length == sdw_ip_bits(ip[i].family)
                           ? sdw_ip_show(&ip[i], text)
                           : sdw_ip_show_prefix(&ip[i], text));
    sdw_jsonw_end(&w);
}

static void write_routes(struct sdw_buf *out, const struct sdw_lab_node *node)
{
    char text[SDW_IP_TEXT];
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < node->n_routes; i++) {
        sdw_jsonw_object(&w, NULL);
        sdw_jsonw_text(&w, "to", sdw_ip_show_prefix(&node->routes[i].to, text));
        sdw_jsonw_text(&w, "via", node->routes[i].via);
        if (node->routes[i].priority)
            sdw_jsonw_int(&w, "priority", node->routes[i].priority);
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
}

void sdw_topology_node_line(const struct sdw_topology *topology, size_t index, int64_t ts,
                            struct sdw_buf *out)
{
    const struct sdw_lab_node *node = &topology->nodes[index];
    struct sdw_buf addrs = {0}, routes = {0};
    struct sdw_node rec;
    sdw_rec_init(&sdw_node_schema, &rec);
    rec.ts = ts;
    rec.node = sdw_str_of(node->name);
    rec.role = sdw_str_of(node->router ? "router" : "host");
    rec.sysctls = sdw_str_of(node->sysctls);
    write_addrs(&addrs, node->addrs, node->n_addrs);
    rec.addrs = sdw_buf_view(&addrs);
    if (node->n_routes) {
        write_routes(&routes, node);
        rec.routes = sdw_buf_view(&routes);
    }
    sdw_rec_encode(&sdw_node_schema, &rec, out);
    sdw_buf_release(&addrs);
    sdw_buf_release(&routes);
}

static double or_absent(double value)
{
    return value > 0 ? value : NAN;
}

static int64_t or_absent_int(int64_t value)
{
    return value > 0 ? value : SDW_NO_INT;
}

void sdw_topology_link_line(const struct sdw_topology *topology, size_t index, int64_t ts,
                            struct sdw_buf *out)
{
    const struct sdw_lab_link *link = &topology->links[index];
    const struct sdw_lab_end *a = &link->end[0], *b = &link->end[1];
    struct sdw_buf a_addrs = {0}, b_addrs = {0};
    write_addrs(&a_addrs, a->ip, 2);
    write_addrs(&b_addrs, b->ip, 2);
    struct sdw_link rec;
    sdw_rec_init(&sdw_link_schema, &rec);
    rec.ts = ts;
    rec.link = sdw_str_of(link->name);
    rec.a = sdw_str_of(a->node_name);
    rec.b = sdw_str_of(b->node_name);
    rec.rate_bps = or_absent(a->rate_bps);
    rec.rate_back_bps = or_absent(b->rate_bps);
    rec.buffer_bytes = or_absent_int(a->buffer_bytes);
    rec.buffer_back_bytes = or_absent_int(b->buffer_bytes);
    rec.loss_share = or_absent(a->loss_share);
    rec.loss_back_share = or_absent(b->loss_share);
    rec.burst_bytes = or_absent_int(link->burst_bytes);
    rec.nominal_bps = or_absent(link->nominal_bps);
    rec.metric = link->metric;
    if (a->rate_bps > 0 || b->rate_bps > 0)
        rec.shaper = sdw_str_of(link->htb ? "htb" : "tbf");
    rec.a_dev = sdw_str_of(a->dev);
    rec.b_dev = sdw_str_of(b->dev);
    rec.a_addrs = sdw_buf_view(&a_addrs);
    rec.b_addrs = sdw_buf_view(&b_addrs);
    sdw_rec_encode(&sdw_link_schema, &rec, out);
    sdw_buf_release(&a_addrs);
    sdw_buf_release(&b_addrs);
}
