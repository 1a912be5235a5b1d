/*
 * The plan of a laboratory: nodes, links, addresses and routes. Pure: nothing here touches the
 * machine. Everything automatic is a function of the order of nodes and links, so the same plan
 * always has the same addresses.
 *
 *   node i   lo: 10.255.I.1/32, fd00:255::I+1, and what its record lists in "addrs"
 *   link l   10.64+L/256.L%256.1/30 and .2/30, fd00:64::.../126; interface to-PEER
 *
 * The prefix of a listed address ("10.9.0.2/24") is routed to its node by every other node.
 */
#ifndef SDW_NET_TOPOLOGY_H
#define SDW_NET_TOPOLOGY_H

#include "core/base.h"
#include "core/err.h"
#include "core/ip.h"
#include "core/mem.h"
#include "rec/lab.h"

enum { SDW_NODE_NAME = 11, SDW_LINK_NAME = 32, SDW_DEV_NAME = 16, SDW_NODES_MAX = 250 };

/* A route that an operator pinned: to, by the neighbour, instead of or (with a priority) behind
 * the shortest path. */
struct sdw_pinned_route {
    struct sdw_ip to;
    char via[SDW_NODE_NAME];
    uint32_t priority; /* 0: instead of the computed route */
};

struct sdw_lab_node {
    char name[SDW_NODE_NAME];
    bool router;
    struct sdw_ip *addrs; /* automatic (2), then listed, with their prefix lengths */
    size_t n_addrs, cap_addrs;
    struct sdw_pinned_route *routes;
    size_t n_routes, cap_routes;
    char *sysctls; /* JSON object or NULL */
};

struct sdw_lab_end {
    char node_name[SDW_NODE_NAME];
    size_t node; /* index, set by sdw_topology_finish */
    char dev[SDW_DEV_NAME];
    uint8_t mac[6];
    struct sdw_ip ip[2]; /* IPv4, IPv6 */
    double rate_bps;     /* shaped egress; 0: not shaped */
    int64_t buffer_bytes;
    double loss_share; /* random loss of what leaves here */
};

struct sdw_lab_link {
    char name[SDW_LINK_NAME];
    struct sdw_lab_end end[2];
    int64_t burst_bytes; /* 0: two packets */
    double nominal_bps;  /* 0: none stated */
    int64_t metric;
    bool htb;
};

struct sdw_topology {
    struct sdw_lab_node *nodes;
    size_t n_nodes, cap_nodes;
    struct sdw_lab_link *links;
    size_t n_links, cap_links;
};

/* Zero-initialise; release frees all. */
void sdw_topology_release(struct sdw_topology *topology);

/* Add a node or a link; links may come before their nodes. SDW_EINPUT with the field on: a bad or
 * doubled name, a link of a node with itself, a bad address. The pointer is valid until the next
 * of its kind is added. */
int sdw_topology_node(struct sdw_topology *topology, const char *name, bool router,
                      struct sdw_lab_node **node, struct sdw_err *err);
int sdw_topology_link(struct sdw_topology *topology, const char *a, const char *b,
                      struct sdw_lab_link **link, struct sdw_err *err);
int sdw_topology_addr(struct sdw_lab_node *node, struct sdw_str text, struct sdw_err *err);
int sdw_topology_pin(struct sdw_lab_node *node, const char *to, const char *via, uint32_t priority,
                     struct sdw_err *err);
/* Resolve names and give out addresses; to call once, when all is added. */
int sdw_topology_finish(struct sdw_topology *topology, struct sdw_err *err);

/* Index of a name, or -1. Of a link also "b-a": *reversed then tells. */
long sdw_topology_find(const struct sdw_topology *topology, const char *name);
long sdw_topology_find_link(const struct sdw_topology *topology, const char *name, bool *reversed);

/* Cost from every node to the destination; hosts do not forward. INT64_MAX: no way.
 * distance[n_nodes]. Dijkstra's algorithm. */
void sdw_topology_distances(const struct sdw_topology *topology, size_t destination,
                            int64_t *distance);

/* One route of a node: to, by each of the equal-cost links (index of the link; the far end is the
 * one that is not the node). */
struct sdw_lab_route {
    struct sdw_ip to;
    size_t links[16], n_links;
    uint32_t priority;
};

/* All routes of a node: *routes is newly allocated (free it). Returns how many. */
size_t sdw_topology_routes(const struct sdw_topology *topology, size_t node,
                           struct sdw_lab_route **routes);

/* Records. take: one line of a description (other types are ignored: returns 0; 1 when it was
 * one). node and link: the record with addresses in it, appended to out without a newline. */
int sdw_topology_take(struct sdw_topology *topology, struct sdw_str line, struct sdw_err *err);
void sdw_topology_node_line(const struct sdw_topology *topology, size_t node, int64_t ts,
                            struct sdw_buf *out);
void sdw_topology_link_line(const struct sdw_topology *topology, size_t link, int64_t ts,
                            struct sdw_buf *out);

/* Ready-made laboratories. Rates in bit/s of Ethernet bytes, buffers as the time they take. */
struct sdw_preset {
    int64_t hops;        /* chain, trap: routers */
    int64_t bottleneck;  /* chain, trap: hop whose incoming link is tight; ecmp: branch */
    int64_t width;       /* ecmp: branches */
    double rate_bps;     /* true rate of the tight link (diamond: of the primary) */
    double nominal_bps;  /* what its counters would make believe; 0: the true rate */
    double narrow_bps;   /* trap: the idle narrow link before it */
    double standby_bps;  /* diamond; 0: nominal */
    int64_t buffer_us;   /* of every shaped queue */
    double loss_share;   /* gray loss of the tight link */
    double standby_loss; /* diamond: gray loss of the standby */
    int64_t burst_bytes; /* 0: two packets */
    bool htb;
};

/* name: chain diamond trap ecmp. SDW_EUSAGE for others and for a bottleneck outside. */
int sdw_topology_preset(struct sdw_topology *topology, const char *name,
                        const struct sdw_preset *preset, struct sdw_err *err);

/* name: one of these, or a file of node and link records ("-": standard input). The topology is
 * finished. SDW_EINPUT with the line for a bad record. */
int sdw_topology_plan(struct sdw_topology *topology, const char *name,
                      const struct sdw_preset *preset, struct sdw_err *err);

#endif
