/* The types of messages that a command was told of with -s and -r: loaded, and ready to tell what
 * a message is and whether it is sound.
 */
#ifndef FLS_CLI_SCHEMAS_H
#define FLS_CLI_SCHEMAS_H

#include <sys/stat.h>

#include "command.h"

typedef struct cli_schemas {
    /* All types, by whose place in it everything else is known. set.count 0: no -s was given. Of a
     * journal's own types some may have the same identifier: those of before and after a change of
     * schema. So cli_schemas_select selects, not fls_schema_set_select. */
    fls_schema_set set;
    fls_schema *loaded[FLS_SCHEMA_SET_MOST];
    uint32_t loaded_count;
    fls_schema_check check; /* of the set, for cli_schemas_validator; checks may be added */
    const char *paths[FLS_SCHEMA_SET_MOST]; /* of the file of each type */
    char *own_paths[FLS_SCHEMA_SET_MOST];   /* those that were made here */
    /* Of a journal's own types: those of the segment that is read, and where each is in set. A
     * segment that names none is read with the newest ones there are. */
    fls_schema_set here;
    uint32_t places[FLS_SCHEMA_SET_MOST];
    uint64_t signature; /* of the types of that segment; 0: none was entered yet */
    int is_full;        /* there are more types than set can hold; it was told */
} cli_schemas;

/* Takes -s FILE and -r TYPE[:IDENTIFIER] off the command line. Exit code, after a message. */
int cli_schemas_take(cli_job *job, int id, const char *argument);

/* Loads what was given; where nothing was, and a journal is read, what it knows itself: the newest
 * types, and the others as they come up in reading. Nothing is
 * fine. On failure a message, the exit code, and nothing to
 * close. The value must not move while it is in use. */
int cli_schemas_open(cli_schemas *schemas, cli_job *job);
/* Only what was given. */
int cli_schemas_open_given(cli_schemas *schemas, cli_job *job);
/* The same with all of a journal's types, and having none is wrong usage; what says what they are
 * needed for. */
int cli_schemas_require(cli_schemas *schemas, cli_job *job, const char *what);
/* The same where it is enough that a journal's older types come up in reading. For whom they are
 * not, such as queries that one of them has to fit, every segment is looked at before. */
int cli_schemas_require_any(cli_schemas *schemas, cli_job *job, const char *what);
void cli_schemas_close(cli_schemas *schemas);

/* Loads one schema file, with the directories of -I. Exit code, after a message. */
int cli_schema_load(fls_schema **schema, cli_job *job, const char *path);

/* Whether a file is one of the schemas given, which must not be written over. */
int cli_is_schema(const cli_job *job, const struct stat *file);

/* "telemetry.Sample"; "-" for FLS_SCHEMA_NONE. */
const char *cli_schemas_type_name(const cli_schemas *schemas, uint32_t type);

/* The place in set of a message's type, or FLS_SCHEMA_NONE. */
uint32_t cli_schemas_select(const cli_schemas *schemas, const void *payload, size_t size);

/* FLS_OK, and in *type which type the message is; else FLS_VALIDATION_FAILED, with path, rule and
 * byte in err, and the message's place in the stream. */
fls_status cli_schemas_check(const cli_schemas *schemas, const fls_message *message, uint32_t *type,
                             fls_error *err);

/* For cli_reader_open: refuses messages that are of none of the types, or not sound. Not for a
 * journal's own types, which change with the segment. */
fls_validator cli_schemas_validator(const cli_schemas *schemas);

/* The table of a schema that has this name, with its namespace or without. Exit code, after a
 * message that names what is near. */
int cli_schema_find_table(cli_job *job, const fls_schema *schema, const char *path,
                          const char *name, uint32_t *table);

#endif
