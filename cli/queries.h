/* --where and --select: conditions and columns, compiled for each type of message.
 *
 * A type that lacks a field which a condition names never meets it; a column that it lacks is
 * absent. What no type has is wrong usage. Types that come up later, in a journal that is followed,
 * are compiled for then.
 */
#ifndef FLS_CLI_QUERIES_H
#define FLS_CLI_QUERIES_H

#include "schemas.h"

typedef struct cli_where {
    const cli_schemas *schemas;
    const char *text;
    uint32_t known;                                 /* types that it was compiled for */
    fls_predicate *predicates[FLS_SCHEMA_SET_MOST]; /* NULL: never */
} cli_where;

/* text NULL: every message of a known type. Exit code, after a message that shows the place. The
 * schemas have to outlive it. */
int cli_where_open(cli_where *where, cli_job *job, const cli_schemas *schemas, const char *text);
void cli_where_close(cli_where *where);

/* Whether a message meets the condition; its type in *type, FLS_SCHEMA_NONE when it has none. */
int cli_where_holds(cli_where *where, const fls_message *message, uint32_t *type);

/* How many of the messages meet it. */
uint64_t cli_where_count(cli_where *where, const fls_message *messages, size_t count);

#define CLI_MOST_COLUMNS 64

typedef struct cli_column {
    const cli_schemas *schemas;
    const char *name;                     /* the path as given */
    uint32_t known;                       /* types that it was compiled for */
    const fls_path *any;                  /* some type's */
    fls_path *paths[FLS_SCHEMA_SET_MOST]; /* NULL: the type has no such field */
} cli_column;

typedef struct cli_columns {
    const cli_schemas *schemas;
    uint32_t count;
    char *text; /* that the names are cut from */
    cli_column columns[CLI_MOST_COLUMNS];
} cli_columns;

/* Paths with commas between them. Each has to lead to values, not to tables and the like. Exit
 * code, after a message. */
int cli_columns_open(cli_columns *columns, cli_job *job, const cli_schemas *schemas,
                     const char *text);
void cli_columns_close(cli_columns *columns);

/* One path, such as that of --time, as columns. */
int cli_column_open(cli_column *column, cli_job *job, const cli_schemas *schemas,
                    const char *option, const char *path);
void cli_column_close(cli_column *column);

/* The column's path in a type, which may have come up since; NULL: it has no such field. */
const fls_path *cli_column_path(cli_column *column, uint32_t type);

#endif
