#include "core/rng.h"
#include "core/clock.h"

#include <errno.h>
#include <math.h>
#include <sys/random.h>

void sdw_rng_seed(struct sdw_rng *rng, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        rng->s[i] = z ^ (z >> 31);
    }
}

uint64_t sdw_rng_secret(void)
{
    uint64_t secret;
    ssize_t n;
    do
        n = getrandom(&secret, sizeof secret, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof secret ? secret : (uint64_t)sdw_mono_ns();
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t sdw_rng_next(struct sdw_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t sdw_rng_below(struct sdw_rng *rng, uint64_t bound)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x = sdw_rng_next(rng);
    while (x >= limit)
        x = sdw_rng_next(rng);
    return x % bound;
}

double sdw_rng_unit(struct sdw_rng *rng)
{
    return (double)(sdw_rng_next(rng) >> 11) * 0x1p-53;
}

double sdw_rng_exponential(struct sdw_rng *rng, double mean)
{
    return -mean * log1p(-sdw_rng_unit(rng));
}

double sdw_rng_pareto(struct sdw_rng *rng, double shape, double mean)
{
    double scale = mean * (shape - 1) / shape;
    return scale / pow(1 - sdw_rng_unit(rng), 1 / shape);
}

double sdw_rng_normal(struct sdw_rng *rng)
{
    double u = 1 - sdw_rng_unit(rng);
    double v = sdw_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}
