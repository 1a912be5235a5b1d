#include "core/buf.h"
#include "core/err.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/pool.h"
#include "core/rng.h"
#include "io/jsonw.h"
#include "unit/tap.h"

#include <errno.h>

static void maps_hold_what_is_put(void)
{
    struct sdw_map map;
    char key[16];
    int wrong = 0;
    sdw_map_init(&map, 42);
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "k%d", (int)i);
        *sdw_map_at(&map, sdw_str_of(key)) = (void *)i;
    }
    for (intptr_t i = 1; i <= 5000; i += 2) {
        snprintf(key, sizeof key, "k%d", (int)i);
        wrong += sdw_map_remove(&map, sdw_str_of(key)) != (void *)i;
    }
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "k%d", (int)i);
        wrong += sdw_map_get(&map, sdw_str_of(key)) != (i % 2 ? NULL : (void *)i);
    }
    ok(wrong == 0 && map.n == 2500, "a map finds what is in it and not what was removed");
    size_t cursor = 0, n = 0;
    struct sdw_str k;
    void *value;
    while (sdw_map_next(&map, &cursor, &k, &value))
        n++;
    ok(n == 2500, "and iterates over each once");
    sdw_map_release(&map);
}

static void arenas_are_reused(void)
{
    struct sdw_arena arena = {0};
    char *first = sdw_arena_alloc(&arena, 100);
    char *big = sdw_arena_alloc(&arena, 1000000);
    memset(big, 1, 1000000);
    sdw_arena_reset(&arena);
    ok(sdw_arena_alloc(&arena, 100) == first, "a reset arena gives the same memory again");
    ok(sdw_arena_alloc(&arena, 900000) == big, "large blocks too");
    sdw_arena_release(&arena);
}

static void pools_give_what_is_zero_and_apart(void)
{
    enum { THINGS = 10000, BYTES = 448 }; /* more than one piece of memory */
    static char *thing[THINGS];
    struct sdw_pool pool = {.size = BYTES};
    size_t wrong = 0;
    for (size_t i = 0; i < THINGS; i++) {
        thing[i] = sdw_pool_take(&pool);
        wrong += thing[i][0] != 0 || thing[i][BYTES - 1] != 0;
        memset(thing[i], (int)(i % 251) + 1, BYTES);
    }
    for (size_t i = 0; i < THINGS; i++)
        wrong += thing[i][0] != (char)(i % 251 + 1) || thing[i][BYTES - 1] != thing[i][0];
    ok(wrong == 0 && pool.n_pieces > 1, "things of a pool are zero at first, and do not overlap");
    sdw_pool_give(&pool, thing[7]);
    char *again = sdw_pool_take(&pool);
    ok(again == thing[7] && again[BYTES - 1] == 0, "what was given back is taken again, zeroed");
    sdw_pool_give(&pool, NULL);
    sdw_pool_release(&pool);
}

static void errors_say_where(void)
{
    struct sdw_err err;
    char line[256];
    sdw_err_field(&err, "rtt_us", "not a %s", "number");
    err.line = 7;
    is_text(sdw_err_line(&err, line, sizeof line), "line 7: rtt_us: not a number",
            "line and field are named");
    errno = EACCES;
    ok(sdw_err_sys(&err, "open %s", "x") == SDW_EPERM && strstr(err.text, "open x: "),
       "a refusal for want of rights is told from other failures");
    static const int codes[] = {SDW_OK, SDW_ENO, SDW_EUSAGE, SDW_EINPUT, SDW_ESYS, SDW_EPERM};
    static const int status[] = {0, 1, 2, 3, 4, 4};
    for (size_t i = 0; i < SDW_LEN(codes); i++)
        ok(sdw_err_exit_status(codes[i]) == status[i], "code %d exits with %d", codes[i],
           status[i]);
}

static void randomness_repeats(void)
{
    struct sdw_rng a, b;
    double mean = 0, pareto = 0;
    int same = 1;
    sdw_rng_seed(&a, 1);
    sdw_rng_seed(&b, 1);
    for (int i = 0; i < 100000; i++) {
        same &= sdw_rng_next(&a) == sdw_rng_next(&b);
        mean += sdw_rng_exponential(&a, 3) / 100000;
        (void)sdw_rng_next(&b);
        pareto += sdw_rng_pareto(&a, 3, 2) / 100000;
        (void)sdw_rng_next(&b);
    }
    ok(same, "the same seed gives the same sequence");
    is_near(mean, 3, 0.05, "exponential draws have their mean");
    is_near(pareto, 2, 0.05, "Pareto draws have their mean");
}

static void the_writer_keeps_commas(void)
{
    struct sdw_buf buf = {0};
    struct sdw_jsonw w = sdw_jsonw(&buf);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_text(&w, "a\"", "\x01\xff\n");
    sdw_jsonw_array(&w, "b");
    sdw_jsonw_int(&w, NULL, -3);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_end(&w);
    sdw_jsonw_null(&w, NULL);
    sdw_jsonw_end(&w);
    sdw_jsonw_bool(&w, "c", true);
    sdw_jsonw_end(&w);
    is_text(buf.p, "{\"a\\\"\":\"\\u0001\xef\xbf\xbd\\n\",\"b\":[-3,{},null],\"c\":true}",
            "nesting, commas and escapes are kept by the writer");
    sdw_buf_release(&buf);
}

int main(void)
{
    maps_hold_what_is_put();
    arenas_are_reused();
    pools_give_what_is_zero_and_apart();
    errors_say_where();
    randomness_repeats();
    the_writer_keeps_commas();
    return tap_done();
}
