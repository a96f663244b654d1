/* Messages as rows of chosen values: CSV, and JSON objects with just those keys. */
#ifndef FLS_CLI_COLUMNS_H
#define FLS_CLI_COLUMNS_H

#include "output.h"
#include "queries.h"

/* The line of names. */
void cli_columns_csv_header(const cli_columns *columns, cli_out *out);

/* A line of CSV (RFC 4180, but that it ends with a line feed): what is absent is empty, an empty
 * text is "". */
void cli_columns_csv(cli_columns *columns, cli_out *out, const fls_message *message, uint32_t type);

/* A line that is a JSON object: what is absent is null, of many values there is a list. */
void cli_columns_json(cli_columns *columns, cli_out *out, const fls_message *message,
                      uint32_t type);

/* A path with [*] cannot stand in CSV. Exit code, after a message. */
int cli_columns_check_csv(const cli_columns *columns, cli_job *job);

#endif
