/* How many messages of a stream are of each type, and how many of none or not sound. */
#ifndef FLS_CLI_TYPE_COUNTS_H
#define FLS_CLI_TYPE_COUNTS_H

#include "report.h"
#include "schemas.h"

typedef struct cli_type_count {
    uint64_t messages; /* sound ones */
    uint64_t bytes;
} cli_type_count;

typedef struct cli_type_counts {
    cli_schemas schemas;
    cli_type_count of[FLS_SCHEMA_SET_MOST];
    uint64_t refused;
    fls_error first; /* of those refused */
} cli_type_counts;

void cli_type_counts_add(cli_type_counts *counts, const fls_message *message);

/* The keys types, refused and refusal of a report; nothing without schemas. */
void cli_type_counts_put_json(cli_json *json, const cli_type_counts *counts);
void cli_type_counts_print(cli_out *out, const cli_type_counts *counts);

#endif
