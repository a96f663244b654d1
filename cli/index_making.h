/* flatstream index on a stream: building, checking and showing FILE.fli. */
#ifndef FLS_CLI_INDEX_MAKING_H
#define FLS_CLI_INDEX_MAKING_H

#include "command.h"

typedef struct cli_index_wishes {
    int extend;
    uint64_t interval_bytes; /* 0: as it is usual */
    uint32_t jobs;
    const char *time; /* --time and --time-unit, or NULL */
    const char *unit;
} cli_index_wishes;

/* Each answers the exit code, after a message. */
int cli_index_build(cli_job *job, const char *path, const cli_index_wishes *wishes);
int cli_index_check(cli_job *job, const char *path, const cli_index_wishes *wishes);
int cli_index_show(cli_job *job, const char *path);

#endif
