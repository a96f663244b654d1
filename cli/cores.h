/* Reading a file with several threads, as far as it is sound. */
#ifndef FLS_CLI_CORES_H
#define FLS_CLI_CORES_H

#include "input.h"

typedef struct cli_parallel {
    cli_input *input;
    uint32_t jobs;                   /* threads; 0: one for each processor */
    const fls_validator *validators; /* of the reader; called by several threads */
    size_t validator_count;
    uint64_t from; /* not before this offset: where there was damage a reader goes on for a while */
} cli_parallel;

/* -j N. Exit code, after a message. */
int cli_parallel_take(cli_job *job, const char *argument, uint32_t *jobs);

/* Whether several threads are worth their while from the reader's position on: there are several,
 * and much of a regular file is left. */
int cli_parallel_pays(const cli_parallel *parallel, const fls_reader *reader);

/* Has the messages from the reader's position on worked on, up to the end (FLS_END) or to a message
 * that is not sound or is refused (FLS_OK). *reader is another one afterwards, which stands there
 * and says the rest. *messages counts them. Other statuses: with err. */
fls_status cli_parallel_read(cli_parallel *parallel, fls_reader **reader,
                             const fls_parallel_work *work, uint64_t *messages, fls_error *err);

#endif
