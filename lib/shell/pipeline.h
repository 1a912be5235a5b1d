/*
 * A line typed without prefixes (`probe 10.9.0.2 | gradient | jq .state`) as the ordinary sh
 * pipeline that it stands for (`shadow-probe 10.9.0.2 | shadow-gradient | jq .state`). Words that
 * name no tool stay ordinary programs; nothing else of the line is touched.
 */
#ifndef SDW_SHELL_PIPELINE_H
#define SDW_SHELL_PIPELINE_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "shell/words.h"

struct sdw_stage {
    struct sdw_str text; /* commands, as sh understands them */
    bool is_tool;        /* nothing but one tool with its arguments */
};

struct sdw_pipeline {
    struct sdw_buf text;     /* the whole line as sh understands it, without a final & */
    struct sdw_stage *stage; /* [stages]: views into text */
    size_t stages, cap;
    bool background; /* the line ended in & */
    struct sdw_words words;
};

/* What a word in command position stands for: the command to write in its place
 * ("shadow-probe"), or NULL for a word that is no tool. */
typedef const char *sdw_command_of(void *arg, struct sdw_str word);

/* Fill a zero-initialised or used pipeline. 1 when there is something to run, 0 for an empty line
 * or a comment, SDW_EUSAGE for an unclosed quote, a missing command, or a here-document. A line
 * with other operators than | (; && || ...) is one stage: sh runs it as a whole. */
int sdw_pipeline_parse(struct sdw_pipeline *pipeline, struct sdw_str line,
                       sdw_command_of *command_of, void *arg, struct sdw_err *err);
void sdw_pipeline_release(struct sdw_pipeline *pipeline);

#endif
