/* The work whose instructions are counted:
 * count_stream write|read|append|batch none|crc16|crc32|xxh3 ROUNDS.
 * Each round writes, or reads, the same 1024 messages of 100 bytes in memory; or appends them to a
 * journal below the working directory, one by one or 64 at a time, with a clock that costs next to
 * nothing. Everything else is the same for any number of rounds, so that the difference of two runs
 * is that of their rounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/flatstream.h"
#include "flatstream/journal.h"

#define MESSAGES      1024u
#define PAYLOAD_BYTES 100u
#define BATCH         64u

static uint8_t payloads[MESSAGES][PAYLOAD_BYTES];
static uint8_t stream[MESSAGES * (FLS_MAX_HEADER_BYTES + PAYLOAD_BYTES)];

static void must(fls_status status, const char *what)
{
    if (status != FLS_OK) {
        (void)fprintf(stderr, "count_stream: %s: %s\n", what, fls_status_text(status));
        exit(1);
    }
}

static void write_round(fls_writer *writer, const fls_sink *sink)
{
    static volatile size_t size = PAYLOAD_BYTES; /* which the compiler must not know */
    must(fls_sink_memory_reset(sink), "reset");
    for (size_t i = 0; i < MESSAGES; i++) {
        fls_status status = fls_writer_write(writer, payloads[i], size, NULL);
        if (status != FLS_OK) {
            must(status, "write");
        }
    }
    must(fls_writer_flush(writer, NULL), "flush");
}

static void read_round(const void *data, size_t size, fls_checksum checksum)
{
    fls_cursor cursor;
    fls_message messages[BATCH];
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    fls_status status;
    size_t count;
    size_t total = 0;
    options.checksum = checksum;
    must(fls_cursor_init(&cursor, data, size, &options, NULL), "cursor");
    while ((status = fls_cursor_next_batch(&cursor, messages, BATCH, &count, NULL)) == FLS_OK) {
        total += count;
    }
    if (status != FLS_END || total != MESSAGES) {
        must(FLS_INVALID_ARGUMENT, "read");
    }
}

/* ---- a journal ---- */

static uint64_t next_time(void *self)
{
    uint64_t *now = self;
    *now += 100;
    return *now;
}

static void append_round(fls_journal *journal, int in_batches)
{
    static volatile size_t size = PAYLOAD_BYTES;
    fls_journal_entry entries[BATCH];
    for (size_t i = 0; i < MESSAGES; i++) {
        if (in_batches) {
            entries[i % BATCH] = (fls_journal_entry){payloads[i], size, 0};
            if (i % BATCH == BATCH - 1) {
                must(fls_journal_append_batch(journal, entries, BATCH, NULL, NULL, NULL), "batch");
            }
            continue;
        }
        fls_status status = fls_journal_append(journal, payloads[i], size, NULL, NULL);
        if (status != FLS_OK) {
            must(status, "append");
        }
    }
}

/* Polled: a thread of its own would do what it does by the time that passes. */
static int count_journal(fls_checksum checksum, int in_batches, long rounds)
{
    static uint64_t now = 1;
    const fls_clock clock = {next_time, &now};
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.checksum = checksum;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.polled = 1;
    options.must_be_new = 1;
    options.clock = &clock;
    must(fls_journal_open(&journal, "count_stream.journal", &options, NULL, NULL), "journal");
    for (; rounds > 0; rounds--) {
        append_round(journal, in_batches);
    }
    must(fls_journal_close(journal, NULL), "close");
    return 0;
}

static int count_memory(fls_checksum checksum, int writing, long rounds)
{
    fls_sink sink;
    fls_writer *writer;
    const void *data;
    size_t size;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    must(fls_sink_open_fixed(&sink, stream, sizeof stream, NULL), "sink");
    must(fls_writer_open(&writer, sink, &options, NULL), "writer");
    write_round(writer, &sink);
    must(fls_sink_memory(&sink, &data, &size), "memory");
    for (; rounds > 0; rounds--) {
        if (writing) {
            write_round(writer, &sink);
        } else {
            read_round(data, size, checksum);
        }
    }
    must(fls_writer_close(writer, NULL), "close");
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const verbs[] = {"write", "read", "append", "batch"};
    fls_checksum checksum;
    size_t verb = 0;
    while (argc == 4 && verb < 4 && strcmp(argv[1], verbs[verb]) != 0) {
        verb++;
    }
    if (argc != 4 || verb == 4 || fls_checksum_from_name(argv[2], &checksum) != FLS_OK) {
        (void)fprintf(stderr, "usage: count_stream write|read|append|batch CHECKSUM ROUNDS\n");
        return 2;
    }
    long rounds = strtol(argv[3], NULL, 10);
    for (size_t i = 0; i < sizeof payloads; i++) {
        (&payloads[0][0])[i] = (uint8_t)(i * 167 + i / 251 + 1);
    }
    return verb < 2 ? count_memory(checksum, verb == 0, rounds)
                    : count_journal(checksum, verb == 3, rounds);
}
