/* What a command of the tool is: one constant that says everything about it, and drives its
 * options, its --help and its man page; and the job, which is one run of a command.
 */
#ifndef FLS_CLI_COMMAND_H
#define FLS_CLI_COMMAND_H

#include <flatstream/flatstream.h>

#include "progress.h"

/* Exit codes; scripts rely on them. */
enum {
    CLI_DONE = 0,    /* done and sound */
    CLI_DAMAGED = 1, /* the data is damaged, refused or did not match */
    CLI_USAGE = 2,   /* wrong usage */
    CLI_SYSTEM = 3,  /* the operating system refused */
    CLI_NOTHING = 4  /* nothing matched */
};

typedef struct cli_option {
    int id;               /* what cli_next_option answers: the letter, or CLI_ID_FIRST and up */
    const char *name;     /* long name without dashes; NULL ends a table */
    const char *argument; /* what its argument is called, or NULL for a flag */
    const char *help;
} cli_option;

#define CLI_ID_FIRST 256

/* A term and what it means: JSON keys, exit codes, examples. A NULL term ends a table. */
typedef struct cli_pair {
    const char *term;
    const char *text;
} cli_pair;

/* Common options that a command takes; -q, -v and -h are everyone's. */
enum {
    CLI_TAKES_CHECKSUM_READ = 1,
    CLI_TAKES_CHECKSUM_WRITE = 2,
    CLI_TAKES_MAX_FRAME = 4,
    CLI_TAKES_RANGE = 8, /* --range and --limit */
    CLI_TAKES_JSON = 16,
    CLI_TAKES_OUTPUT = 32,
    CLI_TAKES_SCHEMA = 64,     /* -s, -r and -I: schemas.h */
    CLI_TAKES_JOURNAL = 128,   /* a FILE may be a journal; --durable */
    CLI_TAKES_TIMES = 256,     /* --since and --until */
    CLI_TAKES_MAX_RECORD = 512 /* --max-frame, of what a journal can hold */
};

struct cli_job;

typedef struct cli_command {
    const char *name;
    const char *summary;            /* half a line, lower case, without a full stop */
    const char *const *synopsis;    /* without the tool's and the command's name; NULL ends */
    const char *const *description; /* paragraphs; NULL ends */
    unsigned takes;                 /* CLI_TAKES_... */
    const cli_option *options;      /* its own; may be NULL */
    const cli_pair *keys;           /* of the --json report; may be NULL */
    const cli_pair *exits;          /* what its exit codes mean */
    const cli_pair *examples;       /* a command line, and what it does */
    int (*run)(struct cli_job *job, int argc, char **argv);
} cli_command;

/* A type of message as given: a schema's file, and its root type, or NULL for the schema's own. */
typedef struct cli_given_type {
    const char *schema;
    const char *root; /* TYPE or TYPE:IDENTIFIER */
} cli_given_type;

enum { CLI_MOST_INCLUDES = 32 };

/* The common options as given. */
typedef struct cli_common {
    fls_checksum checksum; /* FLS_CHECKSUM_DEFAULT: not given */
    uint32_t max_frame_bytes;
    uint64_t range_first; /* ordinals range_first <= n < range_end */
    uint64_t range_end;
    uint64_t limit;    /* messages at most */
    uint64_t since_ns; /* times of receipt, since_ns <= t < until_ns; 0 and UINT64_MAX: not given */
    uint64_t until_ns;
    int durable; /* of a journal only what is durable */
    const char *output;
    int json;
    int quiet;
    int verbose;
    int no_sync; /* a file need not be durable when it appears */
    uint32_t type_count;
    cli_given_type types[FLS_SCHEMA_SET_MOST];
    uint32_t include_count;
    const char *include_directories[CLI_MOST_INCLUDES + 1]; /* a NULL ends them */
} cli_common;

typedef struct cli_job {
    const cli_command *command;
    cli_common common;
    cli_progress progress;
    int option_exit; /* exit code after cli_next_option answered -1 */
    char **operands; /* what is left of the command line, once cli_next_option answered 0 */
    int operand_count;
    const char *journal; /* the operand that is read, where it is a directory; else NULL */
    struct cli_schemas
        *own_types; /* that are the journal's, and change with its segments; or NULL */
} cli_job;

/* All commands, in the order of the list that --help shows; a NULL ends it. */
extern const cli_command *const cli_commands[];

/* NULL when there is none of that name. */
const cli_command *cli_command_find(const char *name);

/* What a command can be told to do, each a command of its own, such as "journal check"; a NULL ends
 * it. NULL for most commands, which do one thing. */
const cli_command *const *cli_command_parts(const cli_command *command);

/* The part that is called so, such as "check", or NULL. */
const cli_command *cli_command_part(const cli_command *command, const char *name);

#endif
