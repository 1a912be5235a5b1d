#include "net/shape.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit/tap.h"

#define HEAD  "{\"type\":\"shape\",\"v\":1,\"ts\":1,"
#define SIZES "\"sizes\":[[100,3],[1500,1]],"
#define GAPS  "\"gaps_us\":[[0,1],[1000,1]]"

static int read_text(const char *text, struct sdw_traffic_shape *shape, struct sdw_err *err)
{
    *err = (struct sdw_err){0};
    return sdw_shape_read(shape, sdw_str_of(text), err);
}

static void a_shape(void)
{
    struct sdw_traffic_shape shape;
    struct sdw_err err;
    struct sdw_rng rng;
    ok(read_text(HEAD SIZES GAPS ",\"pairs\":[[\"10.0.0.1:1-10.0.0.2:2/udp\",5],"
                                 "[\"[2001:db8::1]:1-[2001:db8::2]:2/tcp\",9]]}",
                 &shape, &err) == 0,
       "a shape record is read");
    is_near(shape.sizes.mean, 450, 1e-9, "with its mean size");
    is_near(sdw_shape_rate(&shape), 450 * 8e6 / 500, 1e-6, "and mean rate");
    ok(shape.n_flows == 2, "and its pairs");
    is_text(shape.flows[0], "[2001:db8::1]:1-[2001:db8::2]:2/tcp", "the most frequent first");
    sdw_rng_seed(&rng, 1);
    int small = 0, odd = 0;
    for (int i = 0; i < 40000; i++) {
        int64_t size = sdw_histogram_draw(&shape.sizes, &rng);
        small += size == 100;
        odd += size != 100 && size != 1500;
    }
    is_near(small / 40000.0, 0.75, 0.01, "sizes are drawn as often as they were seen");
    ok(odd == 0, "and no others");
    sdw_shape_release(&shape);
}

static double planned_bps(const struct sdw_traffic_shape *shape, double bps, struct sdw_plan *plan)
{
    struct sdw_rng rng;
    double bits = 0;
    sdw_rng_seed(&rng, 3);
    sdw_plan_clear(plan);
    for (int i = 0; i < 20; i++)
        sdw_shape_plan(shape, plan, i * INT64_C(1000000000), (i + 1) * INT64_C(1000000000), bps,
                       255, &rng);
    for (size_t i = 0; i < plan->n; i++)
        bits += plan->shots[i].ip_bytes * 8.0;
    return bits / 20;
}

static void plans(void)
{
    struct sdw_traffic_shape shape;
    struct sdw_plan plan = {0};
    struct sdw_err err;
    read_text(HEAD SIZES GAPS "}", &shape, &err);
    is_near(planned_bps(&shape, 2e6, &plan) / 2e6, 1, 0.05, "a plan has the rate that is wanted");
    is_near(planned_bps(&shape, 0, &plan) / sdw_shape_rate(&shape), 1, 0.05,
            "or that of the shape");
    bool rising = true, together = false, load = true;
    for (size_t i = 1; i < plan.n; i++) {
        rising = rising && plan.shots[i].at_ns >= plan.shots[i - 1].at_ns;
        together = together || plan.shots[i].at_ns == plan.shots[i - 1].at_ns;
        load = load && plan.shots[i].load && plan.shots[i].ttl == 255;
    }
    ok(rising && together && load, "in order, with its bursts");
    struct sdw_plan again = {0};
    (void)planned_bps(&shape, 0, &again);
    ok(again.n == plan.n && memcmp(again.shots, plan.shots, plan.n * sizeof *plan.shots) == 0,
       "the same from the same seed");
    sdw_shape_release(&shape);
    read_text(HEAD "\"sizes\":[[65535,1]],\"gaps_us\":[[0,1000000000],[1000000000,1]]}", &shape,
              &err);
    sdw_plan_clear(&plan);
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 9);
    for (int i = 0; i < 100; i++)
        sdw_shape_plan(&shape, &plan, 0, 200000000, 1e6, 255, &rng);
    ok(plan.n <= 100 * (2 * 25000 / 1500 + 2), "a shape that is all burst is cut short");
    sdw_shape_release(&shape);
    sdw_plan_release(&plan);
    sdw_plan_release(&again);
}

static void bad_shapes(void)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {HEAD GAPS "}", "sizes"},
        {HEAD "\"sizes\":[]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":{}," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[100,200]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[100]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[100,0]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[100,-5]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[100,1e18]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[0,1]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[70000,1]]," GAPS "}", "sizes"},
        {HEAD "\"sizes\":[[\"a\",1]]," GAPS "}", "sizes"},
        {HEAD SIZES "\"gaps_us\":[[-1,1]]}", "gaps_us"},
        {HEAD SIZES "\"gaps_us\":[[0,1]]}", "gaps_us"},
        {HEAD SIZES "\"gaps_us\":[[0.5,1]]}", "gaps_us"},
        {HEAD SIZES GAPS ",\"pairs\":[[\"nonsense\",1]]}", "pairs"},
        {HEAD SIZES GAPS ",\"pairs\":[[5,1]]}", "pairs"},
    };
    struct sdw_traffic_shape shape;
    struct sdw_err err;
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(read_text(bad[i].text, &shape, &err) == SDW_EINPUT &&
               strcmp(err.field, bad[i].field) == 0,
           "refused for its %s: %s", bad[i].field, err.text);
}

static void files(void)
{
    char path[] = "/tmp/shadow-shape-XXXXXX";
    struct sdw_traffic_shape shape;
    struct sdw_err err = {0};
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("{\"type\":\"flow.new\",\"v\":1}\n" HEAD SIZES GAPS "}\n", file);
    fclose(file);
    ok(sdw_shape_load(&shape, path, &err) == 0, "the first shape in a file is taken");
    sdw_shape_release(&shape);
    file = fopen(path, "w");
    fputs("{\"type\":\"hop\"}\n" HEAD "\"sizes\":5," GAPS "}\n", file);
    fclose(file);
    ok(sdw_shape_load(&shape, path, &err) == SDW_EINPUT && err.line == 2,
       "a bad one is named by its line");
    file = fopen(path, "w");
    fclose(file);
    ok(sdw_shape_load(&shape, path, &err) == SDW_EINPUT && strstr(err.text, "no shape"),
       "none is an error");
    unlink(path);
    ok(sdw_shape_load(&shape, path, &err) == SDW_ESYS && strstr(err.text, path),
       "a missing file is named");
}

int main(void)
{
    a_shape();
    plans();
    bad_shapes();
    files();
    return tap_done();
}
