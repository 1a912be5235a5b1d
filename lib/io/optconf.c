#include "io/optconf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONFIG_LINE_MAX = 4096 };

/* Whether the option may be set outside the command line. */
static bool is_allowed(const struct sdw_option *option)
{
    static const char *const never[] = {"help", "version", "generate"};
    for (size_t i = 0; i < SDW_LEN(never); i++)
        if (strcmp(option->name, never[i]) == 0)
            return false;
    return option->kind != SDW_OPT_ACT;
}

/* SHADOW_MAX_RATE for max-rate. */
static const char *variable_of(const struct sdw_option *option, char out[64])
{
    snprintf(out, 64, "SHADOW_%s", option->name);
    for (char *p = out; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return out;
}

static bool command_has(const struct sdw_command *command, const char *name)
{
    for (const struct sdw_option *o = command->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return true;
    for (const struct sdw_command *sub = command->subs; sub && sub->name; sub++)
        if (command_has(sub, name))
            return true;
    return false;
}

/* The option's name when the key is for this tool, NULL when it is for another; *named tells
 * whether the key had a tool in front. */
static char *own_name(const struct sdw_tool *tool, char *key, bool *named)
{
    char *dot = strchr(key, '.');
    *named = dot;
    if (!dot)
        return key;
    *dot = '\0';
    const char *dash = strchr(tool->name, '-');
    bool ours = strcmp(key, tool->name) == 0 || (dash && strcmp(key, dash + 1) == 0);
    return ours ? dot + 1 : NULL;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    text[n] = '\0';
    return text;
}

/* One line that is neither blank nor a comment; at is "file:line". */
static int set_line(const struct sdw_tool *tool, struct sdw_opt_refs *refs, char *line,
                    const char *at, enum sdw_layer layer, struct sdw_arena *arena,
                    struct sdw_err *err)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return sdw_err_set(err, SDW_EUSAGE, "%s: 'option = value' is expected", at);
    *equals = '\0';
    bool named;
    char *name = own_name(tool, trim(line), &named);
    if (!name)
        return 0;
    struct sdw_opt_ref *ref = sdw_opt_refs_find(refs, name);
    if (!ref && named && !command_has(tool->command, name))
        return sdw_err_set(err, SDW_EUSAGE, "%s: %s has no option '%s' (see %s --help)", at,
                           tool->name, name, tool->name);
    if (!ref)
        return 0;
    if (!is_allowed(ref->option))
        return sdw_err_set(err, SDW_EUSAGE, "%s: '%s' goes on the command line only", at, name);
    const char *value = trim(equals + 1);
    char *copy = sdw_arena_alloc(arena, strlen(value) + 1);
    memcpy(copy, value, strlen(value) + 1);
    char where[256];
    snprintf(where, sizeof where, "%s: %s", at, name);
    return sdw_opt_set(ref, layer, copy, arena, where, err);
}

int sdw_optconf_file(const struct sdw_tool *tool, struct sdw_opt_refs *refs, const char *path,
                     enum sdw_layer layer, struct sdw_arena *arena, struct sdw_err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || errno == ENOTDIR ? 0 : sdw_err_sys(err, "cannot read %s", path);
    char line[CONFIG_LINE_MAX];
    int rc = 0;
    for (unsigned number = 1; rc == 0 && fgets(line, sizeof line, file); number++) {
        char at[192];
        snprintf(at, sizeof at, "%s:%u", path, number);
        if (!strchr(line, '\n') && !feof(file)) {
            rc = sdw_err_set(err, SDW_EUSAGE, "%s: the line is longer than %d bytes", at,
                             CONFIG_LINE_MAX - 2);
            break;
        }
        char *text = trim(line);
        if (*text && *text != '#')
            rc = set_line(tool, refs, text, at, layer, arena, err);
    }
    if (rc == 0 && ferror(file))
        rc = sdw_err_sys(err, "cannot read %s", path);
    fclose(file);
    return rc;
}

static int read_environment(struct sdw_opt_refs *refs, struct sdw_arena *arena, struct sdw_err *err)
{
    for (size_t i = 0; i < refs->n; i++) {
        char variable[64];
        if (!is_allowed(refs->ref[i].option))
            continue;
        const char *value = getenv(variable_of(refs->ref[i].option, variable));
        if (!value || !*value)
            continue;
        int rc = sdw_opt_set(&refs->ref[i], SDW_LAYER_ENVIRONMENT, value, arena, variable, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* $XDG_CONFIG_HOME/shadow-tools/config, or below ~/.config; false when neither is known. The
 * specification ignores a relative XDG_CONFIG_HOME. */
static bool user_config(char *out, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n;
    if (base && base[0] == '/')
        n = snprintf(out, size, "%s/shadow-tools/config", base);
    else if (home && home[0] == '/')
        n = snprintf(out, size, "%s/.config/shadow-tools/config", home);
    else
        return false;
    return n > 0 && (size_t)n < size;
}

int sdw_optconf_all(const struct sdw_tool *tool, struct sdw_opt_refs *refs, struct sdw_arena *arena,
                    struct sdw_err *err)
{
    char path[4096];
    int rc = sdw_optconf_file(tool, refs, SDW_SYSTEM_CONFIG, SDW_LAYER_SYSTEM, arena, err);
    if (rc == 0 && user_config(path, sizeof path))
        rc = sdw_optconf_file(tool, refs, path, SDW_LAYER_USER, arena, err);
    return rc == 0 ? read_environment(refs, arena, err) : rc;
}
