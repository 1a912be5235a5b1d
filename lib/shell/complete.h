/*
 * What can stand where the cursor is: names of tools, their sub-commands, options and values,
 * record types, field names, hosts seen. Knows nothing of readline.
 */
#ifndef SDW_SHELL_COMPLETE_H
#define SDW_SHELL_COMPLETE_H

#include "core/base.h"
#include "core/buf.h"
#include "shell/tools.h"

struct sdw_completion {
    char **candidate; /* [n]: each begins with the fragment */
    size_t n, cap;
    bool files;   /* names of files fit too */
    bool unended; /* what follows a candidate is not a blank (a condition's operator, a value) */
    struct sdw_tool_entry *tool;    /* the tool whose arguments are being typed; NULL: none */
    const struct sdw_json *command; /* its (sub-)command's table; NULL: unknown */
};

/* Hosts, the latest first: calls each(arg, host) until it returns false. */
typedef void sdw_hosts_seen(bool (*each)(void *arg, const char *host), void *arg);

/* line: up to the cursor; fragment: how many of its last bytes are to be completed (a word, or
 * what follows = , ( . or a quote in it). hosts may be NULL. Release it afterwards. */
void sdw_complete(struct sdw_completion *completion, struct sdw_tools *tools, struct sdw_str line,
                  size_t fragment, sdw_hosts_seen *hosts);
void sdw_completion_release(struct sdw_completion *completion);

/* Append for people what can come at the end of the line. Returns false when the line ends inside
 * quotes or inside an ordinary word, where a ? is just a ?. */
bool sdw_complete_explain(struct sdw_tools *tools, struct sdw_str line, struct sdw_buf *out);

#endif
