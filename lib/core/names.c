#include "core/names.h"
#include "core/mem.h"

#include <stdlib.h>

void sdw_names_init(struct sdw_names *names, const char *first)
{
    *names = (struct sdw_names){0};
    sdw_map_init(&names->numbers, (uintptr_t)names);
    (void)sdw_names_number(names, first);
}

void sdw_names_release(struct sdw_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->text[i]);
    free(names->text);
    sdw_map_release(&names->numbers);
}

uint16_t sdw_names_number(struct sdw_names *names, const char *name)
{
    struct sdw_str key = sdw_str_of(name);
    uintptr_t known = (uintptr_t)sdw_map_get(&names->numbers, key); /* number + 1 */
    if (known)
        return (uint16_t)(known - 1);
    if (names->n > UINT16_MAX)
        return 0;
    SDW_GROW(names->text, names->cap, names->n + 1);
    names->text[names->n] = sdw_xstrdup(name);
    *sdw_map_at(&names->numbers, key) = (void *)(uintptr_t)(names->n + 1);
    return (uint16_t)names->n++;
}

const char *sdw_names_text(const struct sdw_names *names, uint16_t number)
{
    return names->text[number];
}
