#include "model/discovery.h"
#include "core/mem.h"

#include <stdlib.h>

struct sdw_discovery_item {
    double p;
    void *what;
};

void sdw_discovery_add(struct sdw_discovery *discovery, double p, void *what)
{
    SDW_GROW(discovery->waiting, discovery->cap, discovery->n + 1);
    size_t i = discovery->n++;
    for (; i > 0 && discovery->waiting[i - 1].p > p; i--)
        discovery->waiting[i] = discovery->waiting[i - 1];
    discovery->waiting[i] = (struct sdw_discovery_item){p, what};
}

void *sdw_discovery_take(struct sdw_discovery *discovery, double share, size_t m)
{
    for (size_t k = discovery->n; k > 0; k--)
        if (discovery->waiting[k - 1].p <= share * (double)(discovery->found + k) / (double)m) {
            void *what = discovery->waiting[0].what;
            discovery->found++;
            sdw_discovery_remove(discovery, what);
            return what;
        }
    return NULL;
}

void *sdw_discovery_waiting(const struct sdw_discovery *discovery, size_t i)
{
    return discovery->waiting[i].what;
}

void sdw_discovery_remove(struct sdw_discovery *discovery, const void *what)
{
    for (size_t i = 0; i < discovery->n; i++)
        if (discovery->waiting[i].what == what) {
            memmove(discovery->waiting + i, discovery->waiting + i + 1,
                    (--discovery->n - i) * sizeof *discovery->waiting);
            return;
        }
}

void sdw_discovery_clear(struct sdw_discovery *discovery)
{
    discovery->n = discovery->found = 0;
}

void sdw_discovery_release(struct sdw_discovery *discovery)
{
    free(discovery->waiting);
    *discovery = (struct sdw_discovery){0};
}
