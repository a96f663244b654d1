/* The work whose instructions are counted: count_stream write|read none|crc16|crc32|xxh3 ROUNDS.
 * Each round writes, or reads, the same 1024 messages of 100 bytes in memory. Everything else is
 * the same for any number of rounds, so that the difference of two runs is that of their rounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatstream/flatstream.h"

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

int main(int argc, char **argv)
{
    fls_sink sink;
    fls_writer *writer;
    const void *data;
    size_t size;
    fls_checksum checksum;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    if (argc != 4 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "read") != 0) ||
        fls_checksum_from_name(argv[2], &checksum) != FLS_OK) {
        (void)fprintf(stderr, "usage: count_stream write|read CHECKSUM ROUNDS\n");
        return 2;
    }
    int writing = strcmp(argv[1], "write") == 0;
    long rounds = strtol(argv[3], NULL, 10);
    for (size_t i = 0; i < sizeof payloads; i++) {
        (&payloads[0][0])[i] = (uint8_t)(i * 167 + i / 251 + 1);
    }
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
