/* Options of whatever writes a journal: durability, rotation, retention, compression. */
#ifndef FLS_CLI_JOURNAL_OPTIONS_H
#define FLS_CLI_JOURNAL_OPTIONS_H

#include "command.h"

enum {
    CLI_ID_SYNC = 600,
    CLI_ID_SEGMENT_BYTES,
    CLI_ID_SEGMENT_MESSAGES,
    CLI_ID_SEGMENT_AGE,
    CLI_ID_RETAIN_BYTES,
    CLI_ID_RETAIN_SEGMENTS,
    CLI_ID_RETAIN_AGE,
    CLI_ID_COMPRESS
};

#define CLI_SEGMENT_OPTIONS                                                                    \
    {CLI_ID_SEGMENT_BYTES, "segment-bytes", "SIZE",                                            \
     "A segment of the journal ends when it has so many bytes; 256Mi unless given, 1000 at "   \
     "least. "                                                                                 \
     "As all of these options it holds for this run, and is not remembered."},                 \
        {CLI_ID_SEGMENT_MESSAGES, "segment-messages", "N", "... or so many messages."},        \
    {                                                                                          \
        CLI_ID_COMPRESS, "compress", NULL,                                                     \
            "Compress segments that have ended, with zstd. They are read as if they were not." \
    }

#define CLI_RETAIN_OPTIONS                                                                         \
    {CLI_ID_RETAIN_BYTES, "retain-bytes", "SIZE",                                                  \
     "Remove the oldest segments while there are more bytes than that, but never the last one. A " \
     "segment that a cursor still needs stays."},                                                  \
        {CLI_ID_RETAIN_SEGMENTS, "retain-segments", "N", "... or more segments."},                 \
    {                                                                                              \
        CLI_ID_RETAIN_AGE, "retain-age", "TIME",                                                   \
            "... or segments whose newest message is older, such as 7d."                           \
    }

enum { CLI_LEAST_SEGMENT_BYTES = 1000 };

/* Whether those that were given go together. Exit code, after a message. */
int cli_journal_options_check(cli_job *job, const fls_journal_options *options);

/* Takes one of those options, and --sync and --segment-age. Exit code, after a message. */
int cli_journal_option(cli_job *job, fls_journal_options *options, int id, const char *argument);

/* The same for --retain-... of prune. */
int cli_prune_option(cli_job *job, fls_prune_options *options, int id, const char *argument);

#endif
