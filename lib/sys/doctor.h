/* What this machine, and the rights we have on it, allow the tools to do. Looks, changes nothing.
 */
#ifndef SDW_SYS_DOCTOR_H
#define SDW_SYS_DOCTOR_H

#include "core/base.h"

enum sdw_health {
    SDW_HEALTH_OK,
    SDW_HEALTH_LIMITED, /* something works less well without it */
    SDW_HEALTH_MISSING,
};

struct sdw_examination {
    const char *name; /* "raw-sockets" */
    enum sdw_health health;
    bool essential;     /* the main tools cannot work without it */
    char found[160];    /* in words */
    const char *remedy; /* the command that would allow more; NULL: none is needed or known */
};

/* How many examinations there are; make the i-th. */
size_t sdw_doctor_count(void);
void sdw_doctor_examine(size_t i, struct sdw_examination *out);

const char *sdw_health_name(enum sdw_health health); /* ok limited missing */

#endif
