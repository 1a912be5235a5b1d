#include "shell/pipeline.h"
#include "unit/tap.h"

static const char *command_of(void *arg, struct sdw_str word)
{
    (void)arg;
    if (sdw_str_is(word, "probe"))
        return "shadow-probe";
    if (sdw_str_is(word, "gradient"))
        return "shadow-gradient";
    return sdw_str_is(word, "filter") ? "shadow filter" : NULL;
}

/* The translated line with / between stages and & behind a background one, or the complaint. */
static const char *parsed(const char *line)
{
    static char out[512];
    struct sdw_pipeline p = {0};
    struct sdw_err err = {0};
    int r = sdw_pipeline_parse(&p, sdw_str_of(line), command_of, NULL, &err);
    out[0] = '\0';
    if (r < 0)
        snprintf(out, sizeof out, "error: %s", err.text);
    for (size_t s = 0; r > 0 && s < p.stages; s++) {
        size_t used = strlen(out);
        snprintf(out + used, sizeof out - used, "%s%.*s", s ? "/" : "", (int)p.stage[s].text.n,
                 p.stage[s].text.p);
    }
    if (r > 0 && p.background)
        strncat(out, "&", 2);
    sdw_pipeline_release(&p);
    return out;
}

static void translation(void)
{
    is_text(parsed("probe 10.9.0.2"), "shadow-probe 10.9.0.2", "a tool is written out");
    is_text(parsed("probe fd09::1|gradient | jq -c ."),
            "shadow-probe fd09::1/shadow-gradient / jq -c .", "stages are cut at |");
    is_text(parsed("filter 'type=slot' <f >g"), "shadow filter 'type=slot' <f >g",
            "a sub-command is a command");
    is_text(parsed("echo probe"), "echo probe", "an argument is never translated");
    is_text(parsed("shadow-probe x"), "shadow-probe x", "a full name stays");
    is_text(parsed("'probe' x"), "'probe' x", "a quoted name is an ordinary program");
    is_text(parsed("A=b probe x"), "A=b shadow-probe x", "an assignment comes before the command");
    is_text(parsed("2>/dev/null probe x"), "2>/dev/null shadow-probe x",
            "a redirection comes before the command");
    is_text(parsed("probe x > probe"), "shadow-probe x > probe", "a file is no command");
    is_text(parsed("jq 'a | b' | cat"), "jq 'a | b' / cat", "| in single quotes is text");
    is_text(parsed("jq \"a | \\\" b\" | cat"), "jq \"a | \\\" b\" / cat",
            "| in double quotes is text");
    is_text(parsed("echo a\\|b"), "echo a\\|b", "| behind a backslash is text");
    is_text(parsed("probe $(cat a | head -1) | cat"), "shadow-probe $(cat a | head -1) / cat",
            "a substitution is left alone");
    is_text(parsed("probe \"$(cat \"a\" | head)\" | cat"),
            "shadow-probe \"$(cat \"a\" | head)\" / cat", "quotes nest in substitutions");
    is_text(parsed("probe a; probe b"), "shadow-probe a; shadow-probe b", "; leaves it to sh");
    is_text(parsed("probe a && gradient || probe b | cat"),
            "shadow-probe a && shadow-gradient || shadow-probe b | cat",
            "&& and || leave it to sh");
    is_text(parsed("if probe a; then gradient; fi"), "if shadow-probe a; then shadow-gradient; fi",
            "keywords are followed by commands");
    is_text(parsed("! probe a | cat"), "! shadow-probe a | cat", "! leaves it to sh");
    is_text(parsed("(probe a | gradient)"), "(shadow-probe a | shadow-gradient)",
            "( leaves it to sh");
    is_text(parsed("probe a | gradient &"), "shadow-probe a / shadow-gradient&",
            "a final & asks for the background");
    is_text(parsed("probe a | cat # all of it | x"), "shadow-probe a / cat",
            "a comment is dropped");
    is_text(parsed(""), "", "an empty line is nothing");
    is_text(parsed("  # only | a comment"), "", "a comment is nothing");
    is_text(parsed("echo a#b"), "echo a#b", "# inside a word is text");
}

static void complaints(void)
{
    is_text(parsed("| cat"), "error: a command is missing before |", "nothing before |");
    is_text(parsed("cat |"), "error: a command is missing after |", "nothing after |");
    is_text(parsed("cat | | cat"), "error: a command is missing before |", "nothing between |");
    is_text(parsed("cat >"), "error: a redirection names no file", "no file");
    is_text(parsed("cat > | cat"), "error: a redirection names no file", "no file before |");
    is_text(parsed("&"), "error: a command is missing before &", "nothing before &");
    is_text(parsed("echo 'a"), "error: a single quote is not closed", "open single quote");
    is_text(parsed("echo \"a"), "error: a double quote is not closed", "open double quote");
    is_text(parsed("echo $(a"), "error: a $( or ` is not closed", "open substitution");
    is_text(parsed("echo `a"), "error: a $( or ` is not closed", "open backquote");
    is_text(parsed("echo a\\"), "error: the line ends in a backslash", "a backslash at the end");
    is_text(parsed("cat <<E"), "error: << is not understood here: put the text into a file",
            "a here-document");
}

int main(void)
{
    translation();
    complaints();
    return tap_done();
}
