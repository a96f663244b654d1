/* The time of a message: a field, the unit that it counts in, and windows of time. */
#ifndef FLS_CLI_TIME_FIELD_H
#define FLS_CLI_TIME_FIELD_H

#include "queries.h"

typedef struct cli_time_field {
    cli_column column;
    uint64_t unit_ns; /* nanoseconds that 1 stands for */
    char name[256];   /* of the column, where it was not given */
} cli_time_field;

/* path NULL: the first number of the first type's root whose name speaks of time and ends in a
 * unit. unit NULL: as the name's end says, _ns, _us, _ms or _s. Exit code, after a message. */
int cli_time_field_open(cli_time_field *field, cli_job *job, const cli_schemas *schemas,
                        const char *path, const char *unit);
void cli_time_field_close(cli_time_field *field);

/* Whether there is such a field to be found without a path. Nothing is to be closed. */
int cli_time_field_guess(cli_time_field *field, const cli_schemas *schemas);

/* The time in nanoseconds. 0 when the message has none, or it is beyond what 64 bits hold. */
int cli_time_of(cli_time_field *field, const fls_message *message, uint32_t type, int64_t *time_ns);

/* "250ms", "1s", "1.5s", "5m", "1h", "1d". 0 when text is none, or it is nothing. */
int cli_parse_duration(const char *text, int64_t *duration_ns);

/* "2026-09-21T14:13:20Z" when that is a likely time of the calendar, else seconds with a point;
 * with as many decimals as steps of step_ns need. */
#define CLI_TIME_TEXT 48
const char *cli_time_text(char buffer[CLI_TIME_TEXT], int64_t time_ns, int64_t step_ns);

#endif
