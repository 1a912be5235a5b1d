/*
 * The tools that can be run here: programs called shadow-NAME next to this one and along PATH,
 * and the sub-commands of shadow itself.
 */
#ifndef SDW_SHELL_TOOLS_H
#define SDW_SHELL_TOOLS_H

#include "core/base.h"
#include "core/err.h"
#include "io/opt.h"

struct sdw_tool_entry {
    char *name;            /* "probe" */
    char *command;         /* what sh runs: "shadow-probe", "shadow filter" */
    char *path;            /* the program's file */
    const char *help;      /* of a sub-command; NULL otherwise */
    struct sdw_json *spec; /* its option table, for shell/spec.h */
    bool asked;            /* whether it was asked for that table */
};

struct sdw_json;

struct sdw_tools {
    struct sdw_tool_entry *entry; /* [n], by name */
    size_t n, cap;
    char *dir; /* where the running program lies */
};

/* Look for tools. subs: the sub-commands of shadow (NULL: none). Release it afterwards. */
void sdw_tools_init(struct sdw_tools *tools, const struct sdw_command *subs);
void sdw_tools_release(struct sdw_tools *tools);

/* NULL when there is none of that name. */
struct sdw_tool_entry *sdw_tools_find(const struct sdw_tools *tools, struct sdw_str name);

/* Put the directory of the running program in front of PATH, unless it is there already, so that
 * sh finds the tools that lie next to it. */
void sdw_tools_export_path(const struct sdw_tools *tools);

/* Become the tool: argv[0] is its name without the prefix, argv ends in NULL. Comes back only
 * with SDW_EUSAGE (no such tool) or SDW_ESYS. */
int sdw_tools_exec(const struct sdw_tools *tools, char **argv, struct sdw_err *err);

#endif
