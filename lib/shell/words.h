/*
 * A command line cut into words and operators as sh(1) would cut it, without expanding anything:
 * enough to know where commands begin, what is quoted and what is still being typed.
 */
#ifndef SDW_SHELL_WORDS_H
#define SDW_SHELL_WORDS_H

#include "core/base.h"
#include "core/buf.h"

enum sdw_word_kind {
    SDW_WORD,     /* an argument, an assignment, or (command) the word that names a command */
    SDW_REDIRECT, /* < > >> 2> >& and so on, with its file descriptor, without its operand */
    SDW_HEREDOC,  /* << */
    SDW_PIPE,     /* | */
    SDW_CONTROL,  /* ; && || ( ) |& newline */
    SDW_AMP,      /* & */
};

struct sdw_word {
    size_t at, n; /* place in the line, in bytes */
    enum sdw_word_kind kind;
    bool command;  /* names a command */
    bool keyword;  /* a reserved word of sh in command position: if, while, {, ... */
    bool redirect; /* the operand of a redirection */
};

/* How the line ends. */
enum sdw_words_end {
    SDW_ENDS_WELL,
    SDW_ENDS_IN_SINGLE_QUOTE,
    SDW_ENDS_IN_DOUBLE_QUOTE,
    SDW_ENDS_IN_SUBSTITUTION, /* $( or ` */
    SDW_ENDS_IN_BACKSLASH,
};

struct sdw_words {
    struct sdw_word *word;
    size_t n, cap;
    enum sdw_words_end end;
    bool comment; /* the line ends in a comment, which is no word */
};

/* Zero-initialised words may be filled again and again; release once. */
void sdw_words_split(struct sdw_words *words, struct sdw_str line);
void sdw_words_release(struct sdw_words *words);

/* Append a word without its quotes and backslashes; expansions stay as they are. */
void sdw_word_plain(struct sdw_str word, struct sdw_buf *out);

#endif
