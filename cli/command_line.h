/* Reading the command line: a command's own options and the common ones, sizes and ranges. */
#ifndef FLS_CLI_COMMAND_LINE_H
#define FLS_CLI_COMMAND_LINE_H

#include <stddef.h>

#include "command.h"

/* The next of the command's own options: its id, with the argument in *argument; common options are
 * taken on the way. 0: no more, and the job has its operands. -1: the run is over, return
 * job->option_exit (after a message, or after --help). */
int cli_next_option(cli_job *job, int argc, char **argv, const char **argument);

/* The common options a command takes, as table entries, one after another; NULL after the last. */
const cli_option *cli_common_option(const cli_command *command, size_t index);

/* A whole number, or a size with k M G (1000) or Ki Mi Gi (1024). 0 when text is not one. */
int cli_parse_count(const char *text, uint64_t *count);
int cli_parse_size(const char *text, uint64_t *bytes);

/* The name of a list that is nearest to word, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names, size_t count);

/* The one operand that may be left out, "-" for standard input: exit code, CLI_DONE when fine. */
int cli_one_operand(cli_job *job, const char **path);

/* Notes in the job that this is what is read, which may be a journal. */
void cli_note_operand(cli_job *job, const char *path);

/* A message is within --range and --limit when its ordinal is in [first, end). */
void cli_selection(const cli_common *common, uint64_t *first, uint64_t *end);

#endif
