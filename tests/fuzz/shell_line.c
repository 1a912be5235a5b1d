/* Lines as typed at the prompt: cut into words, translated, completed, explained. No tool is known
 * or asked, so that nothing runs. */
#include "shell/complete.h"
#include "shell/pipeline.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *command_of(void *arg, struct sdw_str word)
{
    (void)arg;
    return sdw_str_is(word, "probe") ? "shadow-probe" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdw_str line = {(const char *)data, size};
    struct sdw_pipeline pipeline = {0};
    struct sdw_tools tools = {0};
    struct sdw_completion completion;
    struct sdw_buf out = {0};
    if (sdw_pipeline_parse(&pipeline, line, command_of, NULL, NULL) > 0)
        for (size_t i = 0; i < pipeline.stages; i++) {
            const struct sdw_str text = pipeline.stage[i].text;
            if (text.p < pipeline.text.p || text.p + text.n > pipeline.text.p + pipeline.text.n)
                abort();
        }
    for (size_t i = 0; i < pipeline.words.n; i++)
        if (pipeline.words.word[i].at + pipeline.words.word[i].n > size)
            abort();
    sdw_word_plain(line, &out);
    sdw_complete(&completion, &tools, line, size % 3, NULL);
    sdw_completion_release(&completion);
    (void)sdw_complete_explain(&tools, line, &out);
    sdw_buf_release(&out);
    sdw_pipeline_release(&pipeline);
    return 0;
}
