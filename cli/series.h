/* Statistics of columns, and their report as a table or as JSON. */
#ifndef FLS_CLI_SERIES_H
#define FLS_CLI_SERIES_H

#include "queries.h"
#include "report.h"

/* One column's values. */
typedef struct cli_series {
    fls_statistics *statistics;
} cli_series;

typedef struct cli_series_set {
    cli_columns *columns;
    uint32_t checked; /* types whose columns are numbers */
    cli_series series[CLI_MOST_COLUMNS];
    int as_float[CLI_MOST_COLUMNS]; /* types differ in what kind of number it is */
    uint64_t messages;
} cli_series_set;

/* Exit code, after a message: memory, or a column that is text. */
int cli_series_open(cli_series_set *set, cli_job *job, cli_columns *columns);
void cli_series_close(cli_series_set *set);
void cli_series_reset(cli_series_set *set);

/* 0 when there is no memory. */
int cli_series_add(cli_series_set *set, const fls_message *message, uint32_t type);

/* A list of an object for each column. */
void cli_series_json(cli_series_set *set, cli_json *json);

/* A line of names, and one for each column; before each line `start`, where there is one. */
void cli_series_table_head(const cli_series_set *set, cli_out *out, const char *start);
void cli_series_table(cli_series_set *set, cli_out *out, const char *start);

#endif
