#include "shell/pipeline.h"
#include "core/mem.h"

#include <stdlib.h>

static int check_end(const struct sdw_words *words, struct sdw_err *err)
{
    static const char *const complaint[] = {
        [SDW_ENDS_WELL] = NULL,
        [SDW_ENDS_IN_SINGLE_QUOTE] = "a single quote is not closed",
        [SDW_ENDS_IN_DOUBLE_QUOTE] = "a double quote is not closed",
        [SDW_ENDS_IN_SUBSTITUTION] = "a $( or ` is not closed",
        [SDW_ENDS_IN_BACKSLASH] = "the line ends in a backslash",
    };
    if (words->end == SDW_ENDS_WELL)
        return 0;
    return sdw_err_set(err, SDW_EUSAGE, "%s", complaint[words->end]);
}

/* Each | has a command before and after it, and each redirection its file. */
static int check_commands(const struct sdw_words *words, struct sdw_err *err)
{
    bool something = false, file = true;
    for (size_t i = 0; i < words->n; i++) {
        const struct sdw_word *word = &words->word[i];
        if (word->kind == SDW_HEREDOC)
            return sdw_err_set(err, SDW_EUSAGE,
                               "<< is not understood here: put the text into a file");
        if (word->kind == SDW_PIPE && !something)
            return sdw_err_set(err, SDW_EUSAGE, "a command is missing before |");
        if (!file && word->kind != SDW_WORD)
            return sdw_err_set(err, SDW_EUSAGE, "a redirection names no file");
        something = word->kind == SDW_WORD || word->kind == SDW_REDIRECT;
        file = word->kind != SDW_REDIRECT;
    }
    if (!file)
        return sdw_err_set(err, SDW_EUSAGE, "a redirection names no file");
    if (words->n && words->word[words->n - 1].kind == SDW_PIPE)
        return sdw_err_set(err, SDW_EUSAGE, "a command is missing after |");
    return 0;
}

/* Whether | is the only operator, so that the stages can be run (and judged) one by one. */
static bool is_plain(const struct sdw_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        if (words->word[i].kind == SDW_CONTROL || words->word[i].kind == SDW_AMP ||
            words->word[i].keyword)
            return false;
    return true;
}

/* Copy the line with the names of tools written out; note in at[stages] where stages begin. */
static void translate(struct sdw_pipeline *pipeline, struct sdw_str line, bool plain,
                      sdw_command_of *command_of, void *arg)
{
    const struct sdw_words *words = &pipeline->words;
    size_t copied = words->n ? words->word[0].at : 0;
    size_t stage = 0;
    size_t *begin = sdw_xrealloc(NULL, words->n + 2, sizeof *begin);
    bool first = true;
    begin[0] = 0;
    SDW_GROW(pipeline->stage, pipeline->cap, words->n);
    pipeline->stage[0].is_tool = false;
    for (size_t i = 0; i < words->n; i++) {
        const struct sdw_word *word = &words->word[i];
        sdw_buf_add(&pipeline->text, line.p + copied, word->at - copied);
        struct sdw_str text = {line.p + word->at, word->n};
        const char *command = word->command ? command_of(arg, text) : NULL;
        if (command)
            sdw_buf_text(&pipeline->text, command);
        else
            sdw_buf_str(&pipeline->text, text);
        copied = word->at + word->n;
        pipeline->stage[stage].is_tool |= plain && first && command;
        first = plain && word->kind == SDW_PIPE;
        if (first) {
            begin[++stage] = pipeline->text.n;
            pipeline->stage[stage].is_tool = false;
        }
    }
    begin[stage + 1] = pipeline->text.n + 1;
    pipeline->stages = stage + 1;
    for (size_t s = 0; s <= stage; s++)
        pipeline->stage[s].text =
            (struct sdw_str){pipeline->text.p + begin[s], begin[s + 1] - 1 - begin[s]};
    free(begin);
}

int sdw_pipeline_parse(struct sdw_pipeline *pipeline, struct sdw_str line,
                       sdw_command_of *command_of, void *arg, struct sdw_err *err)
{
    struct sdw_words *words = &pipeline->words;
    sdw_words_split(words, line);
    sdw_buf_clear(&pipeline->text);
    pipeline->stages = 0;
    int r = check_end(words, err);
    if (r < 0)
        return r;
    if (words->n == 0)
        return 0;
    pipeline->background = words->word[words->n - 1].kind == SDW_AMP;
    words->n -= pipeline->background;
    if (words->n == 0)
        return sdw_err_set(err, SDW_EUSAGE, "a command is missing before &");
    r = check_commands(words, err);
    if (r < 0)
        return r;
    translate(pipeline, line, is_plain(words), command_of, arg);
    return 1;
}

void sdw_pipeline_release(struct sdw_pipeline *pipeline)
{
    sdw_buf_release(&pipeline->text);
    sdw_words_release(&pipeline->words);
    free(pipeline->stage);
    *pipeline = (struct sdw_pipeline){0};
}
