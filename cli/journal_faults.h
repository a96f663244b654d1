/* Every check that a journal can have: what verify, journal check and index --check do. */
#ifndef FLS_CLI_JOURNAL_FAULTS_H
#define FLS_CLI_JOURNAL_FAULTS_H

#include "input.h"

/* Checks the journal at path, and its messages against its schemas where it has any (schemas 1);
 * one line a fault, or the report of --json. Messages are read again for more validators. Returns
 * the exit code. */
int cli_journal_check(cli_job *job, const char *path, int schemas, const fls_validator *validators,
                      size_t validator_count);

#endif
