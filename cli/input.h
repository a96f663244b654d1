/* The stream that a command reads: a file, or "-" for standard input.
 *
 * Files are read, never mapped, so that one that shrinks meanwhile cannot crash the tool.
 */
#ifndef FLS_CLI_INPUT_H
#define FLS_CLI_INPUT_H

#include <sys/stat.h>

#include "command.h"

typedef struct cli_input {
    cli_job *job;
    const char *path; /* as the user gave it */
    const char *name; /* for messages: the path, or "standard input" */
    int fd;
    int owned;
    int seekable; /* a regular file, read from its start */
    struct stat info;
    fls_source inner;
    uint64_t bytes; /* read so far */
    uint64_t zeros; /* of these, zero bytes at the end */
} cli_input;

/* Opens path for reading; a message and the exit code when it cannot. */
int cli_input_open(cli_input *input, cli_job *job, const char *path);

/* The same for a descriptor that is open already, such as a connection; owned by the input. */
int cli_input_from_fd(cli_input *input, cli_job *job, int fd, const char *name);

/* Reads what is left of an input that is no file, so that its bytes are counted. Exit code, after a
 * message. */
int cli_input_drain(cli_input *input);

/* Bytes of the whole stream: of a file as it is now, of anything else those read so far. */
uint64_t cli_input_size(const cli_input *input);

/* A source on the input, for a reader to take over: closing it leaves the input open. */
fls_source cli_input_source(cli_input *input);

void cli_input_close(cli_input *input);

/* A reader on the input with the common options and the validators given. */
int cli_reader_open(cli_input *input, fls_reader **reader, const fls_validator *validators,
                    size_t validator_count);

/* Says with --verbose which checksum was found, once it was. */
void cli_tell_checksum(cli_input *input, const fls_reader *reader);

/* Complains about how reading ended; adds what to do when the checksum is not proven. Returns the
 * exit code. */
int cli_complain_read(cli_input *input, const fls_error *err);

/* Messages asked for at once. */
#define CLI_BATCH 256

#endif
