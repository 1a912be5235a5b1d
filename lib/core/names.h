/* Names as small numbers: the same name has the same number as long as the table lives. */
#ifndef SDW_CORE_NAMES_H
#define SDW_CORE_NAMES_H

#include "core/map.h"

struct sdw_names {
    struct sdw_map numbers;
    char **text; /* text[n] */
    size_t n, cap;
};

/* `first` has the number 0: what a zeroed number stands for. */
void sdw_names_init(struct sdw_names *names, const char *first);
void sdw_names_release(struct sdw_names *names);

/* The number of a name, made when it is new; 0 once 65536 are in use. */
uint16_t sdw_names_number(struct sdw_names *names, const char *name);
/* The name of a number that was given; valid as long as the table. */
const char *sdw_names_text(const struct sdw_names *names, uint16_t number);

#endif
