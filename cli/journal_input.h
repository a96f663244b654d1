/* Reading a journal as commands read streams. */
#ifndef FLS_CLI_JOURNAL_INPUT_H
#define FLS_CLI_JOURNAL_INPUT_H

#include "input.h"

/* Whether a directory is a journal, or what is left of one. A message and the exit code when it is
 * not. */
int cli_journal_require(cli_job *job, const char *path);

/* Whether a journal can be made or gone on with there: there is nothing, or a directory that is
 * empty or a journal. A message and the exit code when not. */
int cli_journal_welcome(cli_job *job, const char *path);

int cli_journal_input_open(cli_input *input, cli_job *job, const char *path);
int cli_journal_input_read(cli_input *input, const fls_validator *validators,
                           size_t validator_count);

/* Goes where the selected messages begin; ordinals *first <= n < *end. Exit code, after a message.
 */
int cli_journal_input_place(cli_input *input, uint64_t *first, uint64_t *end);

/* Waits for more. FLS_STOPPED: a signal came. */
fls_status cli_journal_input_wait(cli_input *input, fls_error *err);

/* The next CLI_BATCH messages at most, all of one segment, whose types the job's are now. Damage is
 * told and passed over. FLS_STOPPED: after a message, or with FLS_OK from a signal. */
fls_status cli_journal_input_next(cli_input *input, fls_message *messages, size_t *count,
                                  fls_error *err);

/* "DIR/SEGMENT: offset, message: what", or without a segment. Returns the exit code. */
int cli_journal_complain(cli_job *job, const char *path, const fls_error *err);

#endif
