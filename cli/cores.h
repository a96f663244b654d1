/* Reading a file with several threads, as far as it is sound. */
#ifndef FLS_CLI_CORES_H
#define FLS_CLI_CORES_H

#include "input.h"

typedef struct cli_parallel {
    cli_input *input;
    uint32_t jobs;                   /* threads; 0: one for each processor */
    const fls_validator *validators; /* of the reader; called by several threads */
    size_t validator_count;
    size_t piece_bytes; /* of the stream, that a thread works on at once, at most; 0: 4 MiB */
    uint64_t from; /* not before this offset: where there was damage a reader goes on for a while */
} cli_parallel;

/* For the option tables of verbs that have it. */
#define CLI_JOBS_OPTION                                                                   \
    {                                                                                     \
        'j', "jobs", "N",                                                                 \
            "Cores to use for a large file; all of them unless given. The output is the " \
            "same whatever their number."                                                 \
    }

/* -j N. Exit code, after a message. */
int cli_parallel_take(cli_job *job, const char *argument, uint32_t *jobs);

/* Threads that are worth their while on a whole input: as many as were given, or as there are
 * processors (jobs 0); 1 where it is no regular file, or a small one. */
uint32_t cli_parallel_threads(const cli_input *input, uint32_t jobs);

/* Whether several threads are worth their while from the reader's position on: there are several,
 * and much of a regular file is left; less of it when the number of threads was given. */
int cli_parallel_pays(const cli_parallel *parallel, const fls_reader *reader);

/* Has the messages from the reader's position on worked on, up to the end (FLS_END) or to whatever
 * ends it before (FLS_OK): a message that is not sound or is refused, or is too large to be held by
 * several threads; a failure of the system; or the work's collect, which has to remember that it
 * did. *reader is another one afterwards, which stands there and meets what there is to be told.
 * *messages counts those that were collected. Other statuses: with err. */
fls_status cli_parallel_read(cli_parallel *parallel, fls_reader **reader,
                             const fls_parallel_work *work, uint64_t *messages, fls_error *err);

#endif
