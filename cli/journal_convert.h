/* convert --journal: a stream or journal into a new journal. */
#ifndef FLS_CLI_JOURNAL_CONVERT_H
#define FLS_CLI_JOURNAL_CONVERT_H

#include "command.h"

/* Into the directory of -o, the messages for which a condition holds (NULL: all). Returns the exit
 * code. */
int cli_convert_to_journal(cli_job *job, const char *path, const fls_journal_options *options,
                           const char *condition);

#endif
