/* The reader of laboratory descriptions: what it takes, it can list and take again. */
#include "net/topology.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_lines(struct sdw_topology *topology, struct sdw_str text)
{
    int code = 0;
    while (text.n && code >= 0) {
        const char *newline = memchr(text.p, '\n', text.n);
        size_t n = newline ? (size_t)(newline - text.p) : text.n;
        code = sdw_topology_take(topology, (struct sdw_str){text.p, n}, NULL);
        n += newline ? 1 : 0;
        text.p += n;
        text.n -= n;
    }
    return code < 0 ? code : sdw_topology_finish(topology, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_topology topology = {0}, again = {0};
    struct sdw_buf out = {0};
    struct sdw_lab_route *routes;
    if (take_lines(&topology, (struct sdw_str){(const char *)data, size}) == 0) {
        for (size_t i = 0; i < topology.n_nodes; i++) {
            sdw_topology_node_line(&topology, i, 0, &out);
            sdw_buf_char(&out, '\n');
            sdw_topology_routes(&topology, i, &routes);
            free(routes);
        }
        for (size_t i = 0; i < topology.n_links; i++) {
            sdw_topology_link_line(&topology, i, 0, &out);
            sdw_buf_char(&out, '\n');
        }
        if (take_lines(&again, sdw_buf_view(&out)) != 0)
            abort();
    }
    sdw_buf_release(&out);
    sdw_topology_release(&topology);
    sdw_topology_release(&again);
    return 0;
}
