/*
 * Options from where cron and the environment put them. A configuration file holds lines
 *
 *     # a comment
 *     max-rate = 2M            an option, for every tool that has it
 *     probe.max-rate = 1M      for shadow-probe alone (shadow-probe.max-rate is the same)
 */
#ifndef SDW_IO_OPTCONF_H
#define SDW_IO_OPTCONF_H

#include "io/optvalue.h"

#define SDW_SYSTEM_CONFIG "/etc/shadow-tools/config"

/* Set refs from the file; one that does not exist is empty. A name that no command of the tool has
 * is an error when the line names this tool, and skipped when it is for all. Values live in
 * arena. Returns 0, SDW_EUSAGE (the message has file and line), SDW_ESYS or SDW_EPERM. */
int sdw_optconf_file(const struct sdw_tool *tool, struct sdw_opt_refs *refs, const char *path,
                     enum sdw_layer layer, struct sdw_arena *arena, struct sdw_err *err);

/* Set refs from environment variables: SHADOW_MAX_RATE for --max-rate. Empty ones are ignored. */
int sdw_optconf_environment(struct sdw_opt_refs *refs, struct sdw_arena *arena,
                            struct sdw_err *err);

/* Both files and the environment, each in its layer. */
int sdw_optconf_all(const struct sdw_tool *tool, struct sdw_opt_refs *refs, struct sdw_arena *arena,
                    struct sdw_err *err);

/* Whether the option may be set outside the command line; --help and its like may not. */
bool sdw_optconf_allows(const struct sdw_option *option);

/* The variable of an option, SHADOW_MAX_RATE for max-rate. Returns out. */
const char *sdw_optconf_variable(const struct sdw_option *option, char out[64]);

#endif
