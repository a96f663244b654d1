/* The schemas of a journal, for the command that shows and compares schemas. */
#ifndef FLS_CLI_SCHEMA_JOURNAL_H
#define FLS_CLI_SCHEMA_JOURNAL_H

#include "schemas.h"

/* Shows which messages of the journal are of which types, and each schema; with root only that
 * table and what it is made of, of each schema that has it. Exit code, after a message. */
int cli_schema_show_journal(cli_job *job, const char *path, const char *root);

/* The schema that the journal goes on with, as a file; *own_root is the name of the type, of the
 * caller to free. Where there are several root says which. Exit code, after a message. */
int cli_schema_newest_of(cli_job *job, const char *path, const char *root, char **file,
                         char **own_root);

#endif
