#include "shell/tools.h"
#include "core/buf.h"
#include "core/mem.h"
#include "io/json.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char prefix[] = "shadow-";
enum { PREFIX = sizeof prefix - 1 };

static int by_name(const void *a, const void *b)
{
    const struct sdw_tool_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

struct sdw_tool_entry *sdw_tools_find(const struct sdw_tools *tools, struct sdw_str name)
{
    for (size_t i = 0; i < tools->n; i++)
        if (sdw_str_is(name, tools->entry[i].name))
            return &tools->entry[i];
    return NULL;
}

/* Takes ownership of command and path. The first of a name counts. */
static void add(struct sdw_tools *tools, const char *name, char *command, char *path,
                const char *help)
{
    if (sdw_tools_find(tools, sdw_str_of(name))) {
        free(command);
        free(path);
        return;
    }
    SDW_GROW(tools->entry, tools->cap, tools->n + 1);
    tools->entry[tools->n++] = (struct sdw_tool_entry){
        .name = sdw_xstrdup(name), .command = command, .path = path, .help = help};
}

static char *joined(const char *a, const char *between, const char *b)
{
    struct sdw_buf text = {0};
    sdw_buf_printf(&text, "%s%s%s", a, between, b);
    return text.p;
}

static void add_directory(struct sdw_tools *tools, const char *dir)
{
    DIR *listing = opendir(dir);
    if (!listing)
        return;
    for (struct dirent *file; (file = readdir(listing));) {
        if (strncmp(file->d_name, prefix, PREFIX) != 0 || !file->d_name[PREFIX])
            continue;
        char *path = joined(dir, "/", file->d_name);
        if (access(path, X_OK) == 0)
            add(tools, file->d_name + PREFIX, sdw_xstrdup(file->d_name), path, NULL);
        else
            free(path);
    }
    closedir(listing);
}

/* Calls visit for each directory of PATH. */
static void along_path(void (*visit)(struct sdw_tools *tools, const char *dir),
                       struct sdw_tools *tools)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        char *dir = sdw_xstrndup(path, n);
        if (n)
            visit(tools, dir);
        free(dir);
        path += n + (path[n] == ':');
    }
}

void sdw_tools_init(struct sdw_tools *tools, const struct sdw_command *subs)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    *tools = (struct sdw_tools){0};
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (const struct sdw_command *sub = subs; sub && sub->name; sub++)
        add(tools, sub->name, joined("shadow", " ", sub->name), sdw_xstrdup(self), sub->help);
    if (slash) {
        tools->dir = sdw_xstrndup(self, (size_t)(slash - self));
        add_directory(tools, tools->dir);
    }
    along_path(add_directory, tools);
    if (tools->n)
        qsort(tools->entry, tools->n, sizeof *tools->entry, by_name);
}

void sdw_tools_release(struct sdw_tools *tools)
{
    for (size_t i = 0; i < tools->n; i++) {
        free(tools->entry[i].name);
        free(tools->entry[i].command);
        free(tools->entry[i].path);
        sdw_json_free(tools->entry[i].spec);
    }
    free(tools->entry);
    free(tools->dir);
    *tools = (struct sdw_tools){0};
}

void sdw_tools_export_path(const struct sdw_tools *tools)
{
    const char *path = getenv("PATH");
    size_t n = tools->dir ? strlen(tools->dir) : 0;
    if (n == 0)
        return;
    if (!path || !*path)
        path = "/usr/bin:/bin";
    for (const char *p = path; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL)
        if (strncmp(p, tools->dir, n) == 0 && (p[n] == ':' || p[n] == '\0'))
            return;
    char *longer = joined(tools->dir, ":", path);
    setenv("PATH", longer, 1);
    free(longer);
}

/* The tool whose name begins as the word does, or that the word begins with. */
static const char *similar(const struct sdw_tools *tools, const char *word)
{
    for (size_t same = strlen(word); same >= 2; same--)
        for (size_t i = 0; i < tools->n; i++)
            if (strncmp(tools->entry[i].name, word, same) == 0)
                return tools->entry[i].name;
    return NULL;
}

static int no_tool(const struct sdw_tools *tools, const char *word, struct sdw_err *err)
{
    struct sdw_buf names = {0};
    const char *near = similar(tools, word);
    if (near)
        return sdw_err_set(err, SDW_EUSAGE, "no tool is called '%.60s': did you mean '%s'?", word,
                           near);
    for (size_t i = 0; i < tools->n; i++)
        sdw_buf_printf(&names, "%s%s", i ? " " : "", tools->entry[i].name);
    sdw_err_set(err, SDW_EUSAGE, "no tool is called '%.60s'; there are: %s", word,
                names.p ? names.p : "none");
    sdw_buf_release(&names);
    return SDW_EUSAGE;
}

int sdw_tools_exec(const struct sdw_tools *tools, char **argv, struct sdw_err *err)
{
    const struct sdw_tool_entry *tool = sdw_tools_find(tools, sdw_str_of(argv[0]));
    if (!tool || tool->help)
        return no_tool(tools, argv[0], err);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    argv[0] = tool->command;
    execv(tool->path, argv);
    return sdw_err_sys(err, "cannot run %s", tool->path);
}
