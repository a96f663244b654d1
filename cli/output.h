/* Where results go: standard output, or with -o a file that appears whole or not at all. */
#ifndef FLS_CLI_OUTPUT_H
#define FLS_CLI_OUTPUT_H

#include <stddef.h>

#include "complain.h"
#include "input.h"

/* Bytes gathered before they are written. The first failure sticks, and what follows it is dropped;
 * cli_out_end reports it. */
typedef struct cli_out {
    cli_job *job;
    const char *name; /* for messages */
    fls_sink sink;
    char *buffer;
    size_t used;
    size_t capacity;
    fls_status status;
    fls_error err;
    int to_stdout;
    int whole;     /* appears whole or not at all */
    int in_memory; /* the buffer grows, and is not written */
} cli_out;

/* path NULL or "-" is standard output. input (may be NULL) is what is read: being the same file is
 * wrong usage. A message and the exit code when it cannot be opened. */
int cli_out_open(cli_out *out, cli_job *job, const char *path, const cli_input *input);

/* The same on a sink, which is taken over. */
int cli_out_from_sink(cli_out *out, cli_job *job, fls_sink sink, const char *name);

/* The sink of cli_out_open alone, for a writer. */
int cli_sink_open(cli_job *job, fls_sink *sink, const char *path, const cli_input *input);

/* In memory, for cli_out_join to put behind what another one has; FLS_NO_MEMORY sticks. It holds no
 * memory until something is put. cli_out_empty begins anew, and forgets a failure too. */
void cli_out_in_memory(cli_out *out, cli_job *job);
void cli_out_empty(cli_out *out);
void cli_out_forget(cli_out *out);
void cli_out_join(cli_out *out, const cli_out *part);

void cli_out_bytes(cli_out *out, const void *data, size_t size);
void cli_out_text(cli_out *out, const char *text);
void cli_out_format(cli_out *out, const char *format, ...) CLI_PRINTF(2, 3);
/* A sound message as the frame that it was read from. */
void cli_out_frame(cli_out *out, const fls_message *message, uint32_t checksum_width);
void cli_out_flush(cli_out *out);

/* Ends the output with code as the exit code so far: with CLI_DONE a file appears; with another
 * code standard output and connections still get everything, but no file appears. Returns the final
 * exit code; a reader of standard output that went away is no failure. */
int cli_out_end(cli_out *out, int code);

/* Exit code after a writer to path failed, with a message; quiet success when standard output's
 * reader went away. */
int cli_write_failed(cli_job *job, const char *path, const fls_error *err);

int cli_is_stdout(const char *path);

/* A stream is not written to a terminal without --output. Exit code, after a message. */
int cli_stream_output(cli_job *job);

/* Numbers for people; capacity 32 is enough for each. */
#define CLI_NUMBER 32
const char *cli_count(char buffer[CLI_NUMBER], uint64_t value);    /* 12,345,678 */
const char *cli_bytes(char buffer[CLI_NUMBER], double bytes);      /* 12.3 MB */
const char *cli_duration(char buffer[CLI_NUMBER], double seconds); /* 1 h 02 min, 3.4 s, 12 us */

#endif
