#include "shell/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPEC_MAX = 1024 * 1024 };

/* In the child: the tool, silent but for standard output. */
static SDW_NORETURN void ask(const char *path, int out)
{
    sigset_t none;
    int nothing = open("/dev/null", O_RDWR);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    execl(path, path, "--generate", "json", (char *)NULL);
    _exit(126);
}

/* What the program at path prints of itself; out stays empty when it does not. */
static void read_spec(const char *path, struct sdw_buf *out)
{
    int link[2], status;
    if (pipe2(link, O_CLOEXEC) < 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        ask(path, link[1]);
    close(link[1]);
    while (pid > 0 && out->n < SPEC_MAX) {
        sdw_buf_reserve(out, 4096);
        ssize_t n = read(link[0], out->p + out->n, 4096);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        out->n += n > 0 ? (size_t)n : 0;
    }
    close(link[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

static const struct sdw_json *find_named(const struct sdw_json *array, struct sdw_str name)
{
    for (size_t i = 0; array && i < sdw_json_len(array); i++) {
        const struct sdw_json *one = sdw_json_at(array, i);
        const char *text = sdw_json_text(sdw_json_get(one, "name"));
        if (text && sdw_str_is(name, text))
            return one;
    }
    return NULL;
}

static const struct sdw_json *spec_of(struct sdw_tool_entry *tool)
{
    if (!tool->asked) {
        struct sdw_buf text = {0};
        tool->asked = true;
        read_spec(tool->path, &text);
        if (text.n)
            tool->spec = sdw_json_parse(sdw_buf_view(&text), NULL);
        sdw_buf_release(&text);
    }
    return tool->spec;
}

const char *sdw_spec_summary(struct sdw_tool_entry *tool)
{
    if (tool->help)
        return tool->help;
    const struct sdw_json *spec = spec_of(tool);
    const char *summary = spec ? sdw_json_text(sdw_json_get(spec, "summary")) : NULL;
    return summary ? summary : "";
}

const struct sdw_json *sdw_spec_command(struct sdw_tool_entry *tool, const struct sdw_str *words,
                                        size_t n)
{
    const struct sdw_json *command = spec_of(tool);
    if (command && tool->help) /* a sub-command of shadow itself */
        command = find_named(sdw_json_get(command, "commands"), sdw_str_of(tool->name));
    for (size_t i = 0; command && i < n; i++) {
        const struct sdw_json *sub = find_named(sdw_json_get(command, "commands"), words[i]);
        if (sub)
            command = sub;
    }
    return command;
}

const struct sdw_json *sdw_spec_option(const struct sdw_tool_entry *tool,
                                       const struct sdw_json *command, struct sdw_str word)
{
    const struct sdw_json *const tables[] = {
        sdw_json_get(command, "options"), tool->spec ? sdw_json_get(tool->spec, "common") : NULL};
    bool is_long = word.n > 2 && word.p[0] == '-' && word.p[1] == '-';
    if (!is_long && !(word.n == 2 && word.p[0] == '-'))
        return NULL;
    struct sdw_str name = {word.p + 1 + is_long, word.n - 1 - is_long};
    for (size_t t = 0; t < SDW_LEN(tables); t++)
        for (size_t i = 0; tables[t] && i < sdw_json_len(tables[t]); i++) {
            const struct sdw_json *option = sdw_json_at(tables[t], i);
            const char *text = sdw_json_text(sdw_json_get(option, is_long ? "name" : "letter"));
            if (text && sdw_str_is(name, text))
                return option;
        }
    return NULL;
}

void sdw_spec_each_option(const struct sdw_tool_entry *tool, const struct sdw_json *command,
                          void (*each)(void *arg, const struct sdw_json *option), void *arg)
{
    const struct sdw_json *const tables[] = {
        sdw_json_get(command, "options"), tool->spec ? sdw_json_get(tool->spec, "common") : NULL};
    for (size_t t = 0; t < SDW_LEN(tables); t++)
        for (size_t i = 0; tables[t] && i < sdw_json_len(tables[t]); i++)
            each(arg, sdw_json_at(tables[t], i));
}

static const char *member_text(const struct sdw_json *object, const char *key)
{
    const char *text = sdw_json_text(sdw_json_get(object, key));
    return text ? text : "";
}

static void describe_named(const struct sdw_json *array, struct sdw_buf *out)
{
    for (size_t i = 0; array && i < sdw_json_len(array); i++) {
        const struct sdw_json *one = sdw_json_at(array, i);
        sdw_buf_printf(out, "  %-26s %s\n", member_text(one, "name"), member_text(one, "help"));
    }
}

struct describing {
    struct sdw_str begin;
    struct sdw_buf *out;
};

static void describe_option(void *arg, const struct sdw_json *option)
{
    const struct describing *to = arg;
    struct sdw_buf left = {0};
    const char *letter = member_text(option, "letter"), *value = member_text(option, "arg");
    sdw_buf_printf(&left, "--%s", member_text(option, "name"));
    if (left.n >= to->begin.n && memcmp(left.p, to->begin.p, to->begin.n) == 0) {
        sdw_buf_printf(&left, "%s%s", *value ? " " : "", value);
        sdw_buf_printf(to->out, "  %s%s%s %-*s %s", *letter ? "-" : " ", *letter ? letter : " ",
                       *letter ? "," : " ", 22, left.p, member_text(option, "help"));
        if (*member_text(option, "default"))
            sdw_buf_printf(to->out, " (default %s)", member_text(option, "default"));
        sdw_buf_char(to->out, '\n');
    }
    sdw_buf_release(&left);
}

void sdw_spec_describe(struct sdw_tool_entry *tool, const struct sdw_json *command,
                       struct sdw_str begin, struct sdw_buf *out)
{
    struct describing to = {begin, out};
    sdw_buf_printf(out, "%s: %s\n", tool->name, sdw_spec_summary(tool));
    if (!command)
        return;
    if (begin.n == 0) {
        describe_named(sdw_json_get(command, "commands"), out);
        describe_named(sdw_json_get(command, "operands"), out);
    }
    sdw_spec_each_option(tool, command, describe_option, &to);
}
