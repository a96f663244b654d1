/* What a command reads: a stream in a file, or "-" for standard input; or a journal.
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
    uint64_t bytes;    /* read so far */
    uint64_t zeros;    /* of these, zero bytes at the end */
    fls_index *splits; /* of cli_index_of_splits */
    int looked_for_splits;
    int is_journal;
    fls_journal_reader *journal; /* of a journal, from cli_reader_open on */
    /* A journal is read on behind what is damaged or refused; each is told as it comes: */
    uint64_t damages;      /* places */
    uint64_t refused;      /* messages */
    uint64_t lost;         /* messages that damage took, as far as known */
    fls_error first_fault; /* of damages */
    uint64_t last_damage;  /* the ordinal where nothing sound was behind the damage */
    /* Set before cli_reader_open: */
    int follow;    /* what is read may grow: its end is waited for */
    uint64_t last; /* only so many messages from the end; 0: all. Of a stream perhaps more */
    int from_end;  /* of a journal nothing that there is now */
    /* Of a journal: told of messages that are missing before the next one. May be NULL. */
    /* Every message that was handed out so far was taken. May be NULL. */
    void (*settled)(void *self);
    void *settled_self;
    const char *cursor; /* where to begin; the oldest message where there is none of that name */
    void (*missing)(void *self, const fls_journal_event *event);
    void *missing_self;
    void (*idle)(void *self); /* called a few times a second while there is nothing to read */
    void *idle_self;
} cli_input;

/* Opens path for reading, which may be a journal where the command takes one; a message and the
 * exit code when it cannot. */
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

/* A reader on the input with the common options and the validators given. Where those ask for
 * messages behind the start it may begin behind it, by the index of the stream. On a journal
 * *reader is NULL, and input->journal is open. */
int cli_reader_open(cli_input *input, fls_reader **reader, const fls_validator *validators,
                    size_t validator_count);

/* What verbs that work on one input have in common: opens path and a reader on it, has it worked
 * on, and closes both. The reader may be another one by then. Exit code, as of cli_input_verdict.
 */
int cli_input_use(cli_input *input, fls_reader **reader, cli_job *job, const char *path,
                  int (*work)(void *self), void *self);

/* The checksum of what is read, as far as it is known. reader is that of cli_reader_open. */
fls_checksum cli_input_checksum(const cli_input *input, const fls_reader *reader);

/* Says with --verbose which checksum was found, once it was. */
void cli_tell_checksum(cli_input *input, const fls_reader *reader);

/* Complains about how reading ended; adds what to do when the checksum is not proven. Returns the
 * exit code. */
int cli_complain_read(cli_input *input, const fls_error *err);

/* A message is refused by its schema; err says why. CLI_DONE: it was told, and reading goes on
 * behind it, as in journals. Else the exit code, after a message. */
int cli_input_refused(cli_input *input, const fls_error *err);

/* code, or where that is CLI_DONE and a journal had damage or refused messages CLI_DAMAGED: output
 * that was made of everything else is whole before. */
int cli_input_verdict(const cli_input *input, int code);

/* Messages asked for at once. */
#define CLI_BATCH 256

#endif
