#include "net/shapebook.h"
#include "core/rng.h"
#include "net/shape.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"

/* The records of one telling, as lines. */
struct told {
    struct sdw_buf line[8];
    int n;
};

static int keep(void *arg, const struct sdw_shape *shape)
{
    struct told *told = arg;
    sdw_buf_clear(&told->line[told->n]);
    sdw_rec_encode(&sdw_shape_schema, shape, &told->line[told->n++]);
    return 0;
}

static void release(struct told *told)
{
    for (size_t i = 0; i < SDW_LEN(told->line); i++)
        sdw_buf_release(&told->line[i]);
}

static bool has(const struct sdw_buf *line, const char *text)
{
    return line->p && strstr(line->p, text);
}

static void gathers(void)
{
    struct sdw_names apps;
    sdw_names_init(&apps, "Unknown");
    uint16_t web = sdw_names_number(&apps, "Web");
    struct sdw_shapebook *book = sdw_shapebook_new(&apps, "eth0", true);
    struct sdw_biflow flow = {.key = {.low = {10, 0, 0, 1},
                                      .high = {10, 0, 0, 2},
                                      .low_port = 80,
                                      .high_port = 5000,
                                      .protocol = IPPROTO_TCP,
                                      .version = 4},
                              .id = 77,
                              .app = web,
                              .src_is_high = true};
    struct told told = {0};
    for (int64_t i = 0; i < 4; i++)
        sdw_shapebook_packet(book, web, SDW_REVERSE, IPPROTO_TCP, 1500, i * 20000);
    sdw_shapebook_packet(book, web, SDW_FORWARD, IPPROTO_TCP, 40, 60000);
    sdw_shapebook_packet(book, 0, SDW_FORWARD, IPPROTO_UDP, 9000, 10060000);
    sdw_shapebook_flow(book, &flow, SDW_FORWARD, 1);
    sdw_shapebook_flow(book, &flow, SDW_REVERSE, 4);
    ok(sdw_shapebook_tell(book, 5, keep, &told) == 0 && told.n == 2,
       "the whole link and each application with a second packet have a shape");
    ok(has(&told.line[0], "\"shape\":\"eth0\"") && has(&told.line[1], "\"shape\":\"Web/reverse\""),
       "the link first");
    ok(has(&told.line[0], "\"sizes\":[[40,1],[1500,4],[9088,1]]"),
       "sizes of packets are exact, those of large ones within 1/32");
    ok(has(&told.line[0], "\"gaps_us\":[[0,1],[20,3],"), "gaps are in microseconds");
    ok(has(&told.line[0], "\"protocols\":[[\"tcp\",5],[\"udp\",1]]"), "protocols are counted");
    ok(has(&told.line[1], "\"pairs\":[[\"10.0.0.1:80-10.0.0.2:5000/tcp\",4]]"),
       "pairs go the way of the packets");
    ok(has(&told.line[1], "\"packets\":4,\"duration_us\":60,"), "over the time between them");
    told.n = 0;
    ok(sdw_shapebook_tell(book, 6, keep, &told) == 0 && told.n == 0, "telling begins anew");
    release(&told);
    sdw_shapebook_free(book);
    sdw_names_release(&apps);
}

/* Busy flows stay named among many others. */
static void names_the_busy(void)
{
    struct sdw_names apps;
    sdw_names_init(&apps, "Unknown");
    struct sdw_shapebook *book = sdw_shapebook_new(&apps, "x", true);
    struct sdw_biflow flow = {.key = {.high_port = 9, .protocol = IPPROTO_UDP, .version = 6}};
    struct told told = {0};
    for (int64_t i = 0; i < 3; i++)
        sdw_shapebook_packet(book, 0, SDW_FORWARD, IPPROTO_UDP, 100, i * 1000000);
    for (uint16_t i = 0; i < 2000; i++) /* the first has no port to name */ {
        flow.id = i;
        flow.key.low_port = i;
        sdw_shapebook_flow(book, &flow, SDW_FORWARD, i == 700 ? 500 : 2);
    }
    sdw_shapebook_tell(book, 1, keep, &told);
    ok(has(&told.line[0], "\"pairs\":[[\"[::]:700-[::]:9/udp\",500],"),
       "the busiest of 2000 flows is named first");
    struct sdw_traffic_shape shape;
    struct sdw_err err = {0};
    ok(sdw_shape_read(&shape, sdw_buf_view(&told.line[0]), &err) == 0 && shape.n_flows == 16,
       "and no more than can be mirrored");
    sdw_shape_release(&shape);
    release(&told);
    sdw_shapebook_free(book);
    sdw_names_release(&apps);
}

static uint64_t size_at(const struct sdw_traffic_shape *shape, const struct sdw_histogram *h,
                        double q)
{
    (void)shape;
    uint64_t wanted = (uint64_t)(q * (double)h->upto[h->n - 1]);
    size_t i = 0;
    while (i + 1 < h->n && h->upto[i] < wanted)
        i++;
    return (uint64_t)h->value[i];
}

static bool alike(uint64_t a, uint64_t b)
{
    return fabs((double)a - (double)b) <= 0.1 * (double)a + 2;
}

/* Traffic, its shape, traffic made from the shape, and the shape of that. */
static void comes_back(void)
{
    struct sdw_names apps;
    sdw_names_init(&apps, "Unknown");
    struct sdw_shapebook *book = sdw_shapebook_new(&apps, "x", false);
    struct sdw_rng rng;
    struct told told = {0};
    struct sdw_traffic_shape live, again;
    struct sdw_plan plan = {0};
    struct sdw_err err = {0};
    int64_t ns = 0;
    sdw_rng_seed(&rng, 5);
    for (int i = 0; i < 20000; i++) {
        uint32_t size = i % 3 == 0 ? 60 : i % 3 == 1 ? 576 : (uint32_t)(1000 + i % 500);
        sdw_shapebook_packet(book, 0, SDW_FORWARD, IPPROTO_UDP, size, ns);
        ns += i % 5 ? 1000 : (int64_t)sdw_rng_exponential(&rng, 2e6);
    }
    sdw_shapebook_tell(book, 1, keep, &told);
    ok(sdw_shape_read(&live, sdw_buf_view(&told.line[0]), &err) == 0,
       "what is told is what can be replayed");
    is_near(sdw_shape_rate(&live) * (double)ns / 8e9 / 20000, live.sizes.mean,
            0.02 * live.sizes.mean, "at the rate that it had");
    sdw_shape_plan(&live, &plan, 0, ns, 0, 255, &rng);
    for (size_t i = 0; i < plan.n; i++)
        sdw_shapebook_packet(book, 0, SDW_FORWARD, IPPROTO_UDP, plan.shots[i].ip_bytes,
                             plan.shots[i].at_ns);
    told.n = 0;
    sdw_shapebook_tell(book, 2, keep, &told);
    ok(sdw_shape_read(&again, sdw_buf_view(&told.line[0]), &err) == 0, "the replay has a shape");
    for (int q = 1; q <= 9; q += 2) {
        ok(alike(size_at(&live, &live.sizes, q / 10.0), size_at(&again, &again.sizes, q / 10.0)),
           "with the same %d%% of sizes", 10 * q);
        ok(alike(size_at(&live, &live.gaps, q / 10.0), size_at(&again, &again.gaps, q / 10.0)),
           "and of gaps");
    }
    sdw_plan_release(&plan);
    sdw_shape_release(&live);
    sdw_shape_release(&again);
    release(&told);
    sdw_shapebook_free(book);
    sdw_names_release(&apps);
}

int main(void)
{
    gathers();
    names_the_busy();
    comes_back();
    return tap_done();
}
