/* A program whose output is recorded. */
#ifndef FLS_CLI_RECORD_PROGRAM_H
#define FLS_CLI_RECORD_PROGRAM_H

#include "command.h"

#include <sys/types.h>

typedef struct cli_program {
    pid_t child;
    int output; /* of the program, to be read */
} cli_program;

/* Whether there is such a program to be run. Exit code, after a message. */
int cli_program_find(cli_job *job, const char *name);

/* Starts it; its standard output is a pipe. Exit code, after a message. */
int cli_program_start(cli_program *program, cli_job *job, char **arguments);

/* Waits for it; stop: asks it to end first. CLI_DAMAGED, after a message, when it failed of its own
 * accord. */
int cli_program_end(cli_program *program, cli_job *job, const char *name, int stop);

#endif
