/* What the commands journal and index do to a journal. Each returns the exit code. */
#ifndef FLS_CLI_JOURNAL_UPKEEP_H
#define FLS_CLI_JOURNAL_UPKEEP_H

#include "command.h"

/* A report of the journal, with a line a segment. */
int cli_journal_info(cli_job *job, const char *path);
/* Ends the segment that was written last, so that it can be compressed or taken away. */
int cli_journal_seal(cli_job *job, const char *path);
int cli_journal_compress(cli_job *job, const char *path, int level);
int cli_journal_prune(cli_job *job, const char *path, const fls_prune_options *options);
int cli_journal_rebuild(cli_job *job, const char *path);

int cli_journal_cursors(cli_job *job, const char *path);
/* assignment is NAME=ORDINAL. */
int cli_journal_cursor_set(cli_job *job, const char *path, const char *assignment);
int cli_journal_cursor_remove(cli_job *job, const char *path, const char *name);

#endif
