/*
 * The user's own map: which server names, ports and addresses belong to which application, and how
 * sensitive to delay applications and categories are.
 *
 * One rule a line, words separated by blanks, # starts a comment:
 *
 *     name      SUFFIX           APPLICATION [high|medium|low]
 *     port      [tcp/|udp/]N[-M] APPLICATION [high|medium|low]
 *     net       ADDRESS[/LENGTH] APPLICATION [high|medium|low]
 *     app       APPLICATION      high|medium|low
 *     category  CATEGORY         high|medium|low
 *
 * Of several rules that match a flow the first in the file counts. A name matches itself and all
 * below it; ports and addresses are those of either end.
 */
#ifndef SDW_NET_APPMAP_H
#define SDW_NET_APPMAP_H

#include "core/base.h"
#include "core/err.h"

enum sdw_sensitivity { SDW_SENSITIVITY_LOW, SDW_SENSITIVITY_MEDIUM, SDW_SENSITIVITY_HIGH };
/* "low", "medium", "high", NULL. */
extern const char *const sdw_sensitivities[];

struct sdw_appmap;

/* An empty map: no rule, the sensitivities of our own table of categories. */
struct sdw_appmap *sdw_appmap_new(void);
void sdw_appmap_free(struct sdw_appmap *map);

/* Add the rules of a text, or of a file. SDW_EUSAGE with the line and what is wrong with it,
 * SDW_ESYS or SDW_EPERM for a file that cannot be read. */
int sdw_appmap_read(struct sdw_appmap *map, struct sdw_str text, struct sdw_err *err);
int sdw_appmap_load(struct sdw_appmap *map, const char *path, struct sdw_err *err);

/* The ends of a flow: addresses of 4 or 16 bytes by version (4 or 6). host: "" when not known. */
struct sdw_appmap_flow {
    const uint8_t *src, *dst;
    uint16_t sport, dport;
    uint8_t version, protocol;
    const char *host;
};

/* The application the map gives a flow, NULL when no rule matches. Valid as long as the map. */
const char *sdw_appmap_find(const struct sdw_appmap *map, const struct sdw_appmap_flow *flow);
/* Whether any rule goes by name: then a flow is worth asking about again once its name is known. */
bool sdw_appmap_by_name(const struct sdw_appmap *map);

/* How sensitive to delay an application is: by what its rule or an app line says, else by its
 * category. */
enum sdw_sensitivity sdw_appmap_sensitivity(const struct sdw_appmap *map, const char *app,
                                            const char *category);

#endif
