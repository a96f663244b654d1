/* Messages into a journal, in batches: what every way of record hands them to.
 *
 * What is taken is gathered until a batch is full, or until nothing more is there to be read for a
 * while; then it is appended with one look at the clock.
 */
#ifndef FLS_CLI_RECORDING_H
#define FLS_CLI_RECORDING_H

#include "output.h"
#include "schemas.h"

enum { CLI_RECORD_BATCH = 1024 };

/* What take and messages return when there were as many messages as are wanted: no exit code. */
#define CLI_RECORD_ENOUGH (-1)

typedef struct cli_recording {
    cli_job *job;
    const char *path;            /* of the journal */
    fls_journal_options options; /* filled by the command */
    const char *needs_schema;    /* the option that cannot do without one; NULL: none */
    int check;                   /* messages against the schemas */
    int quiet;                   /* the last line is a detail */
    int wait_for_space;          /* a full disk is waited for */
    uint64_t tell_ns;            /* a line about what is durable so often; 0: none */
    uint64_t limit;              /* messages that are wanted; 0: all that come */
    uint64_t idle_ns;            /* end when none came for so long; 0: never */
    uint64_t for_ns;             /* end after so long; 0: never */
    cli_schemas schemas;         /* opened by cli_recording_open */
    const cli_schemas *source;   /* of a journal that is read: its types, by segment; or NULL */
    fls_journal *journal;
    fls_journal_report report;
    fls_journal_figures figures; /* when it ended */
    fls_journal_entry entries[CLI_RECORD_BATCH];
    size_t count;
    unsigned char *arena; /* the payloads of entries */
    size_t used;
    void *bfbs[FLS_SCHEMA_SET_MOST]; /* of the schemas given */
    size_t bfbs_bytes[FLS_SCHEMA_SET_MOST];
    fls_journal_type types[FLS_SCHEMA_SET_MOST];
    char identifiers[FLS_SCHEMA_SET_MOST][5];
    uint64_t messages;
    uint64_t bytes;    /* of their payloads */
    uint64_t lost;     /* taken from the input, and not in the journal: it failed before */
    uint32_t *sizes;   /* of the newest messages, which may be in the journal's memory only */
    size_t size_first; /* of them, the oldest */
    size_t size_count;
    size_t size_capacity;
    uint64_t refused; /* empty, too large, or not as the schema has it */
    uint64_t dropped; /* datagrams that the system had no room for */
    uint64_t peers;
    int is_durable; /* everything is */
    int interactive;
    uint64_t started_ns;
    uint64_t heard_ns;    /* when a message came last */
    const char *ended_by; /* what of limit, idle and for_ns came true; NULL: none */
    uint64_t shown_ns;
    uint64_t told_ns;
    int told_full;
    int full;   /* the last failure: no space */
    int failed; /* the journal takes no more */
} cli_recording;

/* Opens the journal; says what recovery found. Exit code, after a message; whatever it is,
 * cli_recording_close is to be called. */
int cli_recording_open(cli_recording *rec);

/* One message, copied. The same as cli_payload_taker has it. */
int cli_recording_take(void *self, const void *payload, size_t size, const char *place);
/* Many, which stay where they are until this returns. */
int cli_recording_messages(cli_recording *rec, const fls_message *messages, size_t count);
/* Appends what was taken. */
int cli_recording_flush(void *self);
/* Messages that are missing before the next one. */
int cli_recording_missing(cli_recording *rec, uint64_t messages, fls_gap_reason reason);
/* The types of the source are others from the next message on. */
int cli_recording_types(cli_recording *rec);

/* Figures on a terminal, and the lines of --report, when it is time for them. */
void cli_recording_idle(void *self);

/* Makes everything durable, closes the journal, and reports. code: how the input went. Returns the
 * final exit code. by_signal: a signal ended it. */
int cli_recording_close(cli_recording *rec, int code, int by_signal);

#endif
