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

/* Both files and the environment (SHADOW_MAX_RATE for --max-rate; empty ones are ignored), each in
 * its layer. --help and its like may be set in neither. */
int sdw_optconf_all(const struct sdw_tool *tool, struct sdw_opt_refs *refs, struct sdw_arena *arena,
                    struct sdw_err *err);

#endif
