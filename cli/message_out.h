/* Messages printed in the form that is asked for: what cat and grep have in common. */
#ifndef FLS_CLI_MESSAGE_OUT_H
#define FLS_CLI_MESSAGE_OUT_H

#include "columns.h"
#include "walk.h"

typedef enum cli_form {
    CLI_AS_DEFAULT, /* JSON where there is a schema, else hex */
    CLI_AS_HEX,
    CLI_AS_RAW,
    CLI_AS_FRAMES,
    CLI_AS_DELIMITED,
    CLI_AS_JSON,
    CLI_AS_CSV
} cli_form;

/* What it takes to print messages on a thread beside others: printers of the types that came up. */
typedef struct cli_message_scratch {
    fls_json_printer *printers[FLS_SCHEMA_SET_MOST];
} cli_message_scratch;

/* All zero but for what is asked for. */
typedef struct cli_message_out {
    cli_form as;
    int with_defaults;
    int enum_numbers;
    int typed;
    const char *select;  /* NULL: whole messages */
    cli_schemas schemas; /* opened and closed by the command */
    const cli_input *input;
    fls_reader *reader; /* NULL on a journal */
    cli_out out;
    cli_columns columns;
    cli_message_scratch scratch;
    const char *name; /* of the input */
    int failed;       /* exit code, after a message */
    int by_default;   /* nobody asked for JSON */
    int is_open;
} cli_message_out;

/* Options of commands that print messages, for their tables. */
enum { CLI_ID_AS = 500, CLI_ID_DEFAULTS, CLI_ID_ENUM_NUMBERS, CLI_ID_TYPED, CLI_ID_SELECT };

#define CLI_MESSAGE_OUT_OPTIONS                                                                   \
    {CLI_ID_AS, "as", "FORM",                                                                     \
     "json: one line a message (the default with -s); hex: one line of hexadecimal digits a "     \
     "message (the default without); raw: the payloads, one after another; frames: a stream "     \
     "again, with the same checksum; delimited: each payload after its length as four bytes, "    \
     "little-endian; csv: a line of names, then one a message, with --select."},                  \
        {CLI_ID_SELECT, "select", "PATHS",                                                        \
         "As JSON or CSV: only these values, such as timestamp_ns,pose.position.x,tags.length "   \
         "(docs/QUERIES.md). What is absent is null in JSON, in CSV empty; a path with [*] is a " \
         "list, in JSON only."},                                                                  \
        {CLI_ID_DEFAULTS, "defaults", NULL,                                                       \
         "As JSON: absent fields too, with their default, or null where there is none."},         \
        {CLI_ID_ENUM_NUMBERS, "enum-numbers", NULL,                                               \
         "As JSON: enumerators as numbers, not by name."},                                        \
    {                                                                                             \
        CLI_ID_TYPED, "typed", NULL,                                                              \
            "As JSON: each object begins with \"$type\", the name of the message's type, by "     \
            "which write can tell the types of several -s apart."                                 \
    }

/* Takes one of those options. Exit code, after a message. */
int cli_message_out_option(cli_message_out *print, cli_job *job, int id, const char *argument);

/* Settles the default form, and refuses options that do not go together. The operand is known. */
int cli_message_out_check(cli_message_out *print, cli_job *job);

/* Opens the schemas that the form needs, or those there are. A journal without any is hex then,
 * unless JSON was asked for. Exit code, after a message. */
int cli_message_out_schemas(cli_message_out *print, cli_job *job);

/* Opens columns, reader and output. Whatever it returns, end and close belong to it. */
int cli_message_out_open(cli_message_out *print, cli_input *input);

/* A message that is sound. Not 0: there is no point in going on. */
int cli_message_out_put(cli_message_out *print, const fls_message *message);

/* Messages printed on several threads: each into a part of its own, which are joined in order.
 * Nothing is said of a message that cannot be printed or for which there is no memory: it is left
 * to cli_message_out_put. */
typedef struct cli_message_part {
    cli_out text;
    cli_message_scratch scratch;
} cli_message_part;

/* Of the stream, for a part: text is some times as large as the messages that it is made of, and
 * there are a few parts for each thread. */
#define CLI_MESSAGE_PIECE_BYTES ((size_t)1024 * 1024)

void cli_message_part_open(cli_message_part *part, cli_job *job);
void cli_message_part_close(cli_message_part *part);
/* 0: the message is left. */
int cli_message_part_put(cli_message_out *print, cli_message_part *part,
                         const fls_message *message);

/* cli_shares of a verb that prints all messages, whose walker's self is a cli_message_out. */
cli_shares cli_message_out_shares(cli_message_out *print, uint32_t jobs);

/* The same for a walker whose self is a cli_message_out, and its pause: what was put is written. */
int cli_message_out_take(void *print, const fls_message *message);
void cli_message_out_pause(void *print);

/* Ends the output, with the exit code so far; returns the final one. */
int cli_message_out_end(cli_message_out *print, int code);
void cli_message_out_close(cli_message_out *print);
/* Both, and closes the input. */
int cli_message_out_finish(cli_message_out *print, cli_input *input, int code);

#endif
