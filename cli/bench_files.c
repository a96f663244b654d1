/* Benchmarks of a file in the page cache, and of making an append durable, beside the bare system
 * calls for the same bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench_rows.h"
#include "complain.h"

#define FILE_BYTES    ((size_t)64 << 20)
#define PIECE_BYTES   ((size_t)256 * 1024)
#define MESSAGE_BYTES 1024u
#define MESSAGES      (FILE_BYTES / (MESSAGE_BYTES + FLS_MAX_HEADER_BYTES))
#define ROUNDS        5
#define SYNCS         21
#define SYNC_BYTES    4096u

typedef struct file_bed {
    bench_table *table;
    int fd; /* an unlinked file */
    unsigned char *piece;
} file_bed;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static int refused(const file_bed *bed)
{
    return cli_complain_errno(bed->table->job, bed->table->folder, NULL, errno);
}

static int empty_file(const file_bed *bed)
{
    int failed = ftruncate(bed->fd, 0) != 0 || lseek(bed->fd, 0, SEEK_SET) != 0;
    return failed ? refused(bed) : CLI_DONE;
}

static int write_bare(file_bed *bed)
{
    for (size_t done = 0; done < FILE_BYTES; done += PIECE_BYTES) {
        if (write(bed->fd, bed->piece, PIECE_BYTES) != (ssize_t)PIECE_BYTES) {
            return refused(bed);
        }
    }
    return CLI_DONE;
}

static int read_bare(file_bed *bed)
{
    ssize_t got;
    do {
        got = read(bed->fd, bed->piece, PIECE_BYTES);
    } while (got > 0);
    return got < 0 ? refused(bed) : CLI_DONE;
}

static int write_stream(file_bed *bed)
{
    fls_error err = FLS_ERROR_INIT;
    fls_sink sink;
    fls_writer *writer;
    fls_status status = fls_sink_from_fd(&sink, bed->fd, 0, &err);
    if (status == FLS_OK) {
        status = fls_writer_open(&writer, sink, NULL, &err);
    }
    if (status != FLS_OK) {
        return cli_complain_error(bed->table->job, bed->table->folder, &err);
    }
    for (size_t i = 0; status == FLS_OK && i < MESSAGES; i++) {
        status = fls_writer_write(writer, bed->piece, MESSAGE_BYTES, &err);
    }
    if (status != FLS_OK) {
        fls_writer_abort(writer);
    } else {
        status = fls_writer_close(writer, &err);
    }
    return status == FLS_OK ? CLI_DONE
                            : cli_complain_error(bed->table->job, bed->table->folder, &err);
}

static int read_stream(file_bed *bed)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[256];
    fls_source source;
    fls_reader *reader;
    size_t count;
    fls_status status = fls_source_from_fd(&source, bed->fd, 0, &err);
    if (status == FLS_OK) {
        status = fls_reader_open(&reader, source, NULL, &err);
    }
    if (status != FLS_OK) {
        return cli_complain_error(bed->table->job, bed->table->folder, &err);
    }
    do {
        status = fls_reader_next_batch(reader, messages, 256, &count, &err);
    } while (status == FLS_OK);
    fls_reader_close(reader);
    return status == FLS_END ? CLI_DONE
                             : cli_complain_error(bed->table->job, bed->table->folder, &err);
}

/* One pass over the file a round, from its start; a written one starts empty. */
static int measure(file_bed *bed, int (*pass)(file_bed *bed), int empty, double *median_ns,
                   double *spread)
{
    double rounds[ROUNDS];
    for (int i = -1; i < ROUNDS; i++) {
        int code = CLI_DONE;
        if (empty) {
            code = empty_file(bed);
        } else if (lseek(bed->fd, 0, SEEK_SET) != 0) {
            code = refused(bed);
        }
        double start = now_ns();
        if (code == CLI_DONE) {
            code = pass(bed);
        }
        if (code != CLI_DONE) {
            return code;
        }
        if (i >= 0) {
            rounds[i] = now_ns() - start;
        }
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_value);
    *median_ns = rounds[ROUNDS / 2];
    *spread = (rounds[ROUNDS * 3 / 4] - rounds[ROUNDS / 4]) / 2 / *median_ns;
    return CLI_DONE;
}

static int bench_pass(file_bed *bed, const char *what, int (*pass)(file_bed *bed), int empty,
                      const char *checksum, const bench_row *limit)
{
    bench_table *table = bed->table;
    bench_row *row = &table->rows[table->count++];
    size_t messages = MESSAGES;
    memset(row, 0, sizeof *row);
    row->what = what;
    row->checksum = checksum;
    row->message_bytes = MESSAGE_BYTES;
    int code = measure(bed, pass, empty, &row->ns, &row->spread);
    row->gb_s = (double)FILE_BYTES / row->ns;
    row->ns /= (double)messages;
    if (limit != NULL) {
        row->limit_ns = limit->ns;
        row->limit = limit->what;
    }
    return code;
}

static int bench_sync(file_bed *bed)
{
    double rounds[SYNCS];
    bench_table *table = bed->table;
    bench_row *row = &table->rows[table->count++];
    int code = empty_file(bed);
    if (code != CLI_DONE) {
        return code;
    }
    for (int i = 0; i < SYNCS; i++) {
        double start = now_ns();
        if (write(bed->fd, bed->piece, SYNC_BYTES) != (ssize_t)SYNC_BYTES ||
            fdatasync(bed->fd) != 0) {
            return refused(bed);
        }
        rounds[i] = now_ns() - start;
    }
    qsort(rounds, SYNCS, sizeof rounds[0], by_value);
    memset(row, 0, sizeof *row);
    row->what = "append and fdatasync";
    row->message_bytes = SYNC_BYTES;
    row->ns = rounds[SYNCS / 2];
    row->spread = (rounds[SYNCS * 3 / 4] - rounds[SYNCS / 4]) / 2 / row->ns;
    return CLI_DONE;
}

static int bench_all(file_bed *bed)
{
    bench_table *table = bed->table;
    size_t first = table->count;
    int code = bench_pass(bed, "write(2)", write_bare, 1, NULL, NULL);
    if (code == CLI_DONE) {
        code = bench_pass(bed, "read(2)", read_bare, 0, NULL, NULL);
    }
    if (code == CLI_DONE) {
        code = bench_pass(bed, "write a file", write_stream, 1, "xxh3", &table->rows[first]);
    }
    if (code == CLI_DONE) {
        code = bench_pass(bed, "read a file", read_stream, 0, "xxh3", &table->rows[first + 1]);
    }
    return code == CLI_DONE ? bench_sync(bed) : code;
}

int bench_files(bench_table *table)
{
    char path[4096];
    file_bed bed = {.table = table};
    snprintf(path, sizeof path, "%s/flatstream-bench-XXXXXX", table->folder);
    bed.fd = mkstemp(path);
    if (bed.fd < 0) {
        return refused(&bed);
    }
    (void)unlink(path);
    bed.piece = malloc(PIECE_BYTES);
    int code = CLI_DONE;
    if (bed.piece == NULL) {
        code = cli_complain_errno(table->job, NULL, NULL, ENOMEM);
    } else {
        memset(bed.piece, 0x5a, PIECE_BYTES);
        code = bench_all(&bed);
    }
    free(bed.piece);
    (void)close(bed.fd);
    return code;
}
