/*
 * One command table per tool. From it come parsing (over getopt_long), --help, the SYNOPSIS and
 * OPTIONS of the man page and the completions of bash, zsh and fish (io/optgen.h).
 */
#ifndef SDW_IO_OPT_H
#define SDW_IO_OPT_H

#include "core/base.h"
#include "core/err.h"
#include "io/emit.h"
#include "core/mem.h"

/* What an option's value is, and the C type at config + offset. */
enum sdw_opt_kind {
    SDW_OPT_FLAG,     /* bool */
    SDW_OPT_ACT,      /* bool: a flag that counts on the command line only: what changes something
                       * is not turned on by a variable or a file that was left lying around */
    SDW_OPT_INT,      /* int64_t, within [min, max] */
    SDW_OPT_REAL,     /* double, within [min, max] */
    SDW_OPT_TEXT,     /* const char * (valid until sdw_opt_release) */
    SDW_OPT_DURATION, /* int64_t, microseconds */
    SDW_OPT_RATE,     /* double, bit/s */
    SDW_OPT_BYTES,    /* int64_t, bytes */
    SDW_OPT_SHARE,    /* double, 0..1 */
    SDW_OPT_ENUM,     /* int: index into values */
    SDW_OPT_LIST,     /* struct sdw_list: comma-separated and repeatable */
};

/* NULL-ended when n > 0. */
struct sdw_list {
    const char **item;
    size_t n;
};

struct sdw_option {
    const char *name; /* long name; NULL ends the table */
    char letter;      /* or 0 */
    enum sdw_opt_kind kind;
    size_t offset;
    const char *arg;           /* name of the value: "DURATION"; NULL for flags */
    const char *help;          /* a clause without a full stop: "stop after this many bytes" */
    const char *def;           /* default, as it would be typed; NULL: none (zero bytes) */
    double min, max;           /* for INT, REAL, DURATION (microseconds) and SHARE; both 0: any;
                                * max below min: no upper bound */
    const char *const *values; /* for ENUM, NULL at the end */
    const char *complete;      /* completion: file dir interface host type tool NULL */
};

/* Whether the option takes no value. */
bool sdw_opt_is_flag(const struct sdw_option *option);

/* Operands in order. complete as for options; "command" or "tool" on one of them means that a
 * command line follows, of any program or of shadow-NAME: options are then taken only in front of
 * the first operand. */
struct sdw_operand {
    const char *name; /* "DEST"; NULL ends the table */
    const char *help;
    bool optional, many;
    const char *complete;
};

/* Whether one of the operands begins a command line. operands may be NULL. */
bool sdw_operands_take_command_line(const struct sdw_operand *operands);

struct sdw_ctx;

/* A command: the tool itself, or one of its sub-commands. options and operands may be NULL. A
 * sub-command has its own options and the common ones, not those of the tool itself. A tool with
 * sub-commands runs itself only when it has `run`. */
struct sdw_command {
    const char *name;
    const char *help; /* a clause: "builds a laboratory" */
    const struct sdw_option *options;
    const struct sdw_operand *operands;
    int (*run)(struct sdw_ctx *ctx, void *config); /* 0 or a negative sdw_code */
    const struct sdw_command *subs;                /* name NULL at the end; or NULL */
    const char *main_type;                         /* its table shows this; NULL: the tool's */
};

/* An example of the man page; the tests run it with sh. */
struct sdw_example {
    const char *say;     /* what it shows */
    const char *command; /* the command line */
    const char *needs;   /* NULL, or "lab": only run where namespaces may be made */
};

/* A tool: what sdw_main needs to run it and the generators to describe it. */
struct sdw_tool {
    const char *name;    /* "shadow-probe" */
    const char *summary; /* one clause: "inject synthetic traffic and measure each hop" */
    const struct sdw_command *command;
    size_t config_size;
    const char *main_type; /* record type its table shows; NULL: tool has its own output */
    /* The record type its table shows where that rests on the options; NULL: main_type. */
    const char *(*main_type_of)(const void *config);
    sdw_column_of *column_of;           /* sdw_schema_column, for tables */
    bool reads_records;                 /* a filter: standard input is records */
    bool acts;                          /* an actor: SIGPIPE is ignored */
    const struct sdw_example *examples; /* say NULL at the end */
};

/* Options every tool has (--help, --version, -q, -v, --format, --color, -o, --strict, --lock,
 * --deadline); filled by sdw_opt_parse into this. */
struct sdw_common {
    bool help, version, quiet, verbose, strict;
    int format; /* enum sdw_format */
    int color;  /* 0 auto, 1 always, 2 never */
    struct sdw_list types;
    const char *lock;
    int64_t deadline_us;
    const char *generate;    /* hidden: help synopsis mdoc bash zsh fish json */
    struct sdw_arena memory; /* texts and lists of the options */
};
extern const struct sdw_option sdw_common_options[];

/* Zero config (config_size bytes) and common, then fill them with, each over the one before:
 * the defaults, /etc/shadow-tools/config, $XDG_CONFIG_HOME/shadow-tools/config, the environment
 * (SHADOW_MAX_RATE for --max-rate), argv. *command is the (sub-)command chosen; operands are
 * argv[*first_operand..argc), in an order that may differ from before the call (options first).
 * With --help, --version or --generate nothing else is checked. Returns 0, SDW_EUSAGE with a
 * message that names the option and what was expected, or SDW_ESYS/SDW_EPERM for a file that
 * cannot be read. */
int sdw_opt_parse(const struct sdw_tool *tool, int argc, char **argv,
                  const struct sdw_command **command, void *config, struct sdw_common *common,
                  int *first_operand, struct sdw_err *err);
/* Free what parsing allocated; TEXT and LIST values are no longer valid. */
void sdw_opt_release(struct sdw_common *common);

#endif
