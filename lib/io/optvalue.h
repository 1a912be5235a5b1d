/*
 * The value of one option: text to the C type its table asks for. Every source of values (table
 * default, configuration file, environment, command line) comes through here.
 */
#ifndef SDW_IO_OPTVALUE_H
#define SDW_IO_OPTVALUE_H

#include "io/opt.h"

/* Where a value comes from; a later one wins. */
enum sdw_layer {
    SDW_LAYER_NONE,
    SDW_LAYER_DEFAULT,
    SDW_LAYER_SYSTEM,
    SDW_LAYER_USER,
    SDW_LAYER_ENVIRONMENT,
    SDW_LAYER_COMMAND_LINE
};

/* An option, the struct its value goes into, and what has set it so far. */
struct sdw_opt_ref {
    const struct sdw_option *option;
    void *config;
    enum sdw_layer layer;
};

/* The options that one command takes: its own, then the common ones. */
struct sdw_opt_refs {
    struct sdw_opt_ref *ref;
    size_t n, cap;
};

void sdw_opt_refs_add(struct sdw_opt_refs *refs, const struct sdw_option *options, void *config);
struct sdw_opt_ref *sdw_opt_refs_find(const struct sdw_opt_refs *refs, const char *name);

/* The least value of a duration or a share, as it would be typed: "50ms", "1%". False when the
 * table sets none. */
bool sdw_opt_least(const struct sdw_option *option, char out[32]);

/* Set the option from text (NULL: a flag without a value). A value from a lower layer than the one
 * that is there is checked and dropped; a list of the same layer grows. where is how the user
 * wrote the option's name ("--max-rate", "SHADOW_MAX_RATE", "/etc/shadow-tools/config:3: ..."),
 * for the message of SDW_EUSAGE. text must live as long as config; arena holds lists. */
int sdw_opt_set(struct sdw_opt_ref *ref, enum sdw_layer layer, const char *text,
                struct sdw_arena *arena, const char *where, struct sdw_err *err);

#endif
