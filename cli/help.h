/* --help and the man pages, both from the commands' own tables. */
#ifndef FLS_CLI_HELP_H
#define FLS_CLI_HELP_H

#include "command.h"

/* Help for one command, or with NULL for the whole tool, on standard output. Exit code. */
int cli_help_command(cli_job *job, const cli_command *command);

/* Source for scdoc of the man page of a command, or with NULL of flatstream(1). Exit code. */
int cli_help_scdoc(cli_job *job, const cli_command *command);

#endif
