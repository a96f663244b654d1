/* Every check that a journal can have: what verify, journal check and index --check do. */
#ifndef FLS_CLI_JOURNAL_FAULTS_H
#define FLS_CLI_JOURNAL_FAULTS_H

#include "schemas.h"

/* What there is to check beside what a journal always has to be. */
typedef struct cli_more_checks {
    cli_schemas *schemas; /* every message against them, or NULL */
    int table_root;
} cli_more_checks;

/* Checks the journal at path, and its messages against its schemas where it has any (schemas 1);
 * one line a fault, or the report of --json. Messages are read again for more checks (NULL: none).
 * Returns the exit code. */
int cli_journal_check(cli_job *job, const char *path, int schemas, const cli_more_checks *more);

#endif
