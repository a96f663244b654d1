/* How many messages of a stream are of each type, and how many of none or not sound; and from when
 * to when they are. */
#ifndef FLS_CLI_TYPE_COUNTS_H
#define FLS_CLI_TYPE_COUNTS_H

#include "report.h"
#include "schemas.h"
#include "time_field.h"

typedef struct cli_type_count {
    uint64_t messages; /* sound ones */
    uint64_t bytes;
} cli_type_count;

/* What was counted. All zero before. */
typedef struct cli_type_tally {
    cli_type_count of[FLS_SCHEMA_SET_MOST];
    uint64_t refused;
    fls_error first; /* of those refused */
    uint64_t with_time;
    int64_t time_first; /* the least, wherever it stands */
    int64_t time_last;
} cli_type_tally;

typedef struct cli_type_counts {
    cli_schemas schemas;
    int timed; /* there is a field to look at */
    cli_time_field time;
    cli_type_tally all;
} cli_type_counts;

/* Loads the schemas, and finds the time field: path and unit as given, or NULL. Exit code, after a
 * message. */
int cli_type_counts_open(cli_type_counts *counts, cli_job *job, const char *time_path,
                         const char *time_unit);
void cli_type_counts_close(cli_type_counts *counts);

/* Counts a message in a tally: counts->all, or one of a thread's own, which is added to that behind
 * what was counted before it. first_ordinal: of the message whose ordinal is 0 in the other one. */
void cli_type_counts_add(cli_type_counts *counts, cli_type_tally *tally,
                         const fls_message *message);
void cli_type_tally_merge(cli_type_tally *tally, const cli_type_tally *other,
                          uint64_t first_ordinal);

/* The keys types, refused, refusal and time of a report; nothing without schemas. */
void cli_type_counts_put_json(cli_json *json, const cli_type_counts *counts);
void cli_type_counts_print(cli_out *out, const cli_type_counts *counts);

#endif
