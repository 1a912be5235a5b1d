#include "shell/prompt.h"
#include "core/mem.h"
#include "shell/complete.h"
#include "shell/history.h"
#include "shell/jobs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <readline/readline.h>

struct prompt {
    struct sdw_shell *shell;
    struct sdw_history history;
    struct sdw_jobs jobs;
    struct sdw_buf text; /* the prompt itself */
    char *line;          /* that was entered */
    bool entered, over;
    bool plain; /* the terminal understands no escapes */
};

/* readline's callbacks take no argument of ours: while its prompt is up, this is what they are
 * about. */
static struct prompt *current;

static void on_line(char *line)
{
    current->line = line;
    current->entered = true;
    rl_callback_handler_remove();
}

static const char *prompt_text(struct prompt *p)
{
    int status = p->shell->status;
    sdw_buf_clear(&p->text);
    if (status && p->plain)
        sdw_buf_printf(&p->text, "shadow [%d]> ", status);
    else if (status)
        sdw_buf_printf(&p->text, "shadow \001\033[31m\002[%d]\001\033[0m\002> ", status);
    else
        sdw_buf_text(&p->text, "shadow> ");
    return p->text.p;
}

/* Put the prompt at the start of a line, whatever was printed last: a mark and as many blanks as
 * the terminal is wide go to the next line only when the mark did not stand at the start. */
static void show_prompt(struct prompt *p)
{
    int rows, columns;
    rl_get_screen_size(&rows, &columns);
    if (!p->plain && columns > 1)
        fprintf(rl_outstream, "\033[7m%%\033[27m%*s\r \r", columns - 1, "");
    fflush(rl_outstream);
    rl_callback_handler_install(prompt_text(p), on_line);
}

struct hosts {
    bool (*each)(void *arg, const char *host);
    void *arg;
};

/* The addresses in a line of the history. */
static bool hosts_in_line(void *arg, const char *line)
{
    const struct hosts *to = arg;
    while (*line) {
        size_t n = strcspn(line, " \t,=|<>'\"");
        unsigned char address[16];
        char host[INET6_ADDRSTRLEN];
        if (n > 1 && n < sizeof host) {
            memcpy(host, line, n);
            host[n] = '\0';
            bool is_host =
                inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
            if (is_host && !to->each(to->arg, host))
                return false;
        }
        line += n + (line[n] != '\0');
    }
    return true;
}

static void hosts_seen(bool (*each)(void *arg, const char *host), void *arg)
{
    struct hosts to = {each, arg};
    sdw_history_each(hosts_in_line, &to);
}

/* The candidates as readline wants them: first what they have in common, then each. */
static char **matches_of(const struct sdw_completion *completion)
{
    if (completion->n == 0)
        return NULL;
    char **matches = sdw_xalloc((completion->n + 2) * sizeof *matches);
    size_t common = strlen(completion->candidate[0]);
    for (size_t i = 0; i < completion->n; i++) {
        size_t same = 0;
        while (same < common && completion->candidate[0][same] == completion->candidate[i][same])
            same++;
        common = same;
        matches[i + 1] = sdw_xstrdup(completion->candidate[i]);
    }
    matches[0] = sdw_xstrndup(completion->candidate[0], common);
    if (completion->n == 1) {
        free(matches[1]);
        matches[1] = NULL;
    }
    return matches;
}

static char **on_tab(const char *text, int start, int end)
{
    struct sdw_completion completion;
    (void)text;
    sdw_complete(&completion, &current->shell->tools, (struct sdw_str){rl_line_buffer, (size_t)end},
                 (size_t)(end - start), hosts_seen);
    char **matches = matches_of(&completion);
    rl_attempted_completion_over = !completion.files;
    rl_completion_suppress_append = completion.unended;
    sdw_completion_release(&completion);
    return matches;
}

static int on_question(int count, int key)
{
    struct sdw_buf help = {0};
    bool explained = sdw_complete_explain(
        &current->shell->tools, (struct sdw_str){rl_line_buffer, (size_t)rl_point}, &help);
    if (explained && help.n) {
        rl_crlf();
        fputs(help.p, rl_outstream);
        rl_on_new_line();
        rl_redisplay();
    } else if (!explained) {
        rl_insert(count, key);
    }
    sdw_buf_release(&help);
    return 0;
}

static void set_up_readline(void)
{
    rl_readline_name = "shadow";
    rl_catch_signals = 0;
    rl_attempted_completion_function = on_tab;
    rl_basic_word_break_characters = " \t\n\"'`()[]{}<>|&;=,!~";
    rl_completer_quote_characters = "";
    rl_initialize();
    rl_bind_key('?', on_question);
}

/* Run what was entered, with the terminal as programs expect it. */
static void run_entered(struct prompt *p)
{
    struct sdw_err err = {0};
    char *line = p->line;
    p->line = NULL;
    p->entered = false;
    if (!line) {
        fputs("\n", rl_outstream);
        p->over = true;
        return;
    }
    if (sdw_history_add(&p->history, line, &err) < 0)
        sdw_note(p->shell->ctx, "%s", err.text);
    int r = sdw_shell_line(p->shell, sdw_str_of(line), &err);
    if (r < 0) {
        sdw_warn(p->shell->ctx, "%s", err.text);
        p->shell->status = sdw_err_exit_status(r);
    }
    free(line);
    p->over = p->shell->leaving;
}

/* Ctrl-C forgets the line; what asks the shell itself to stop ends it. */
static void take_signal(struct prompt *p)
{
    struct signalfd_siginfo info;
    if (read(p->shell->ctx->stop_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo != SIGINT) {
        p->over = true;
        p->shell->status = 128 + (int)info.ssi_signo;
        return;
    }
    fputs("^C\n", rl_outstream);
    rl_callback_sigcleanup();
    rl_replace_line("", 1);
    rl_on_new_line();
    rl_redisplay();
}

/* Print what background jobs have said above the line that is being typed. */
static void print_jobs(struct prompt *p, const struct pollfd *fds, size_t n)
{
    struct sdw_buf text = {0};
    for (size_t i = n; i-- > 0;)
        if (fds[i].revents)
            sdw_jobs_read(&p->jobs, i, &text);
    if (text.n) {
        rl_clear_visible_line();
        fwrite(text.p, 1, text.n, rl_outstream);
        fflush(rl_outstream);
        rl_on_new_line();
        rl_redisplay();
    }
    sdw_buf_release(&text);
}

static int wait_for_event(struct prompt *p, struct sdw_err *err)
{
    struct pollfd fds[2 + SDW_JOBS_MAX] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                           {.fd = p->shell->ctx->stop_fd, .events = POLLIN}};
    size_t n = p->jobs.n;
    sdw_jobs_poll(&p->jobs, fds + 2);
    if (poll(fds, 2 + n, -1) < 0)
        return errno == EINTR ? 0 : sdw_err_sys(err, "poll");
    if (fds[1].revents)
        take_signal(p);
    else if (fds[0].revents & (POLLERR | POLLNVAL))
        p->over = true;
    else if (fds[0].revents)
        rl_callback_read_char();
    if (!p->entered && !p->over)
        print_jobs(p, fds + 2, n);
    return 0;
}

static int loop(struct prompt *p, struct sdw_err *err)
{
    int r = 0;
    while (!p->over && r == 0) {
        show_prompt(p);
        while (!p->entered && !p->over && r == 0)
            r = wait_for_event(p, err);
        if (p->entered)
            run_entered(p);
    }
    rl_callback_handler_remove();
    return r;
}

int sdw_prompt_run(struct sdw_shell *shell, struct sdw_err *err)
{
    const char *term = getenv("TERM");
    struct prompt prompt = {.shell = shell, .plain = !term || strcmp(term, "dumb") == 0};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    static const int not_ours[] = {SIGTTOU, SIGTSTP, SIGQUIT};
    struct sdw_err problem;
    for (size_t i = 0; i < SDW_LEN(not_ours); i++)
        sigaction(not_ours[i], &ignore, NULL);
    if (sdw_history_init(&prompt.history, &problem) < 0)
        sdw_note(shell->ctx, "%s", problem.text);
    shell->interactive = true;
    shell->jobs = &prompt.jobs;
    current = &prompt;
    set_up_readline();
    if (!shell->ctx->common.quiet)
        fprintf(rl_outstream,
                "shadow %s: help lists the tools, ? explains, "
                "TAB completes, Ctrl-D leaves\n",
                SDW_VERSION);
    int r = loop(&prompt, err);
    current = NULL;
    shell->jobs = NULL;
    sdw_jobs_release(&prompt.jobs);
    sdw_history_release(&prompt.history);
    sdw_buf_release(&prompt.text);
    free(prompt.line);
    return r;
}
