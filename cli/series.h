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

/* The same in two steps: values are gathered on any thread, and added in the order of the messages
 * on one, since sums of floats depend on it. */
typedef struct cli_series_value {
    uint32_t column;
    fls_value value;
} cli_series_value;

typedef struct cli_series_values {
    cli_series_value *all;
    size_t count;
    size_t capacity;
} cli_series_values;

/* Appends a message's values. 0 when there are too many for memory that is used again and again;
 * none of them is there then. */
int cli_series_gather(cli_series_set *set, cli_series_values *values, const fls_message *message,
                      uint32_t type);
int cli_series_add_gathered(cli_series_set *set, const cli_series_value *values, size_t count);

/* A list of an object for each column. */
void cli_series_json(cli_series_set *set, cli_json *json);

/* A line of names, and one for each column; before each line `start`, where there is one. */
void cli_series_table_head(const cli_series_set *set, cli_out *out, const char *start);
void cli_series_table(cli_series_set *set, cli_out *out, const char *start);

#endif
