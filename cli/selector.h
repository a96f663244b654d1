/* Which messages a verb that writes streams takes: by ordinal, offset, time and condition, all of
 * which have to hold. What the walk can do by itself, such as --range, is left to it.
 */
#ifndef FLS_CLI_SELECTOR_H
#define FLS_CLI_SELECTOR_H

#include "time_field.h"

typedef struct cli_selector {
    /* Set before it is opened; cli_selector_begin has what takes everything. */
    const char *condition; /* --where; NULL: each message */
    int invert;            /* the others */
    int by_field;          /* --since and --until may go by a field of the messages */
    const char *time_path; /* --time */
    const char *time_unit; /* --time-unit */
    uint64_t from_byte;    /* frames that begin at from_byte <= offset < end_byte */
    uint64_t end_byte;
    /* Its own: */
    cli_schemas schemas;
    cli_where where;
    cli_time_field time;
    int has_schemas;
    int has_where;
    int has_time; /* since_ns and until_ns are of the field */
    uint64_t range_first;
    uint64_t range_end;
    uint64_t since_ns;
    uint64_t until_ns;
    uint64_t limit;
    uint64_t looked_at;
    uint64_t taken;
} cli_selector;

void cli_selector_begin(cli_selector *selector);

/* Opens the schemas that it needs, or those given, and takes over of the common options what a walk
 * cannot do. The operand is known. Exit code, after a message, and nothing is to be closed then. */
int cli_selector_open(cli_selector *selector, cli_job *job);
void cli_selector_close(cli_selector *selector);

/* Whether to take a message; CLI_SELECT_END: neither this one nor any behind it. */
enum { CLI_SELECT_NOT = 0, CLI_SELECT_TAKE = 1, CLI_SELECT_END = 2 };
int cli_selector_judge(cli_selector *selector, const fls_message *message);

/* As many as --limit says were taken: there is no point in reading on. */
int cli_selector_is_full(const cli_selector *selector);

/* The type of a message, or FLS_SCHEMA_NONE: where there is one type, it is that. */
uint32_t cli_type_of(const cli_schemas *schemas, const fls_message *message);

#endif
