/* Benchmarks in memory: copying, digesting, framing and reading, in a buffer that fits the cache,
 * each beside a memcpy of the same payloads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_rows.h"
#include "complain.h"

#define ROUNDS         7
#define ROUND_NS       8e6
#define WORKING_BYTES  ((size_t)256 * 1024)
#define LARGE_BYTES    ((size_t)64 << 20)
#define FRAME_OVERHEAD FLS_MAX_HEADER_BYTES

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

int bench_measure(const bench_work *work, double *median_ns, double *spread)
{
    double rounds[ROUNDS];
    for (int i = -1; i < ROUNDS; i++) { /* the first warms up */
        double start = now_ns();
        double taken;
        uint64_t calls = 0;
        do {
            int code = work->run(work->self);
            if (code != CLI_DONE) {
                return code;
            }
            calls++;
            taken = now_ns() - start;
        } while (taken < ROUND_NS);
        if (i >= 0) {
            rounds[i] = taken / (double)(calls * work->repeats);
        }
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_value);
    *median_ns = rounds[ROUNDS / 2];
    *spread = (rounds[ROUNDS * 3 / 4] - rounds[ROUNDS / 4]) / 2 / *median_ns;
    return CLI_DONE;
}

/* What the work below works on. */
typedef struct bench_bed {
    fls_checksum checksum;
    uint32_t size;  /* of a payload */
    uint64_t count; /* of messages */
    unsigned char *payload;
    unsigned char *frames;
    size_t frames_bytes;
    fls_sink sink;
    fls_writer *writer;
    volatile uint64_t result; /* so that nothing is optimised away */
} bench_bed;

static int copy(void *self)
{
    bench_bed *bed = self;
    for (uint64_t i = 0; i < bed->count; i++) {
        memcpy(bed->frames + i * (bed->size + FRAME_OVERHEAD), bed->payload, bed->size);
    }
    bed->result += bed->frames[0];
    return CLI_DONE;
}

static int digest(void *self)
{
    bench_bed *bed = self;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < bed->count; i++) {
        sum += fls_checksum_digest(bed->checksum, bed->payload, bed->size);
    }
    bed->result += sum;
    return CLI_DONE;
}

static int failed(const fls_error *err)
{
    cli_job quiet = {.command = NULL};
    return cli_complain_error(&quiet, "bench", err);
}

static int write_frames(void *self)
{
    bench_bed *bed = self;
    fls_error err = FLS_ERROR_INIT;
    for (uint64_t i = 0; i < bed->count; i++) {
        if (fls_writer_write(bed->writer, bed->payload, bed->size, &err) != FLS_OK) {
            return failed(&err);
        }
    }
    if (fls_writer_flush(bed->writer, &err) != FLS_OK ||
        fls_sink_memory_reset(&bed->sink) != FLS_OK) {
        return failed(&err);
    }
    return CLI_DONE;
}

static int read_frames(void *self)
{
    bench_bed *bed = self;
    fls_error err = FLS_ERROR_INIT;
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    fls_message messages[64];
    fls_cursor cursor;
    fls_status status;
    size_t count;
    options.checksum = bed->checksum;
    status = fls_cursor_init(&cursor, bed->frames, bed->frames_bytes, &options, &err);
    while (status == FLS_OK) {
        status = fls_cursor_next_batch(&cursor, messages, 64, &count, &err);
        bed->result += count;
    }
    return status == FLS_END ? CLI_DONE : failed(&err);
}

static bench_row *add(bench_table *table, const char *what, const bench_bed *bed)
{
    bench_row *row = &table->rows[table->count++];
    memset(row, 0, sizeof *row);
    row->what = what;
    row->message_bytes = bed->size;
    row->checksum = bed->checksum != 0 ? fls_checksum_name(bed->checksum) : NULL;
    return row;
}

static int measure(bench_bed *bed, bench_row *row, int (*run)(void *self))
{
    bench_work work = {run, bed, bed->count};
    int code = bench_measure(&work, &row->ns, &row->spread);
    row->gb_s = row->ns > 0 ? (double)bed->size / row->ns : 0;
    return code;
}

/* Frames of the bed's checksum and size, ready to be read. */
static void prepare_frames(bench_bed *bed)
{
    uint32_t width = fls_checksum_width(bed->checksum);
    uint64_t sum = fls_checksum_digest(bed->checksum, bed->payload, bed->size);
    bed->frames_bytes = 0;
    for (uint64_t i = 0; i < bed->count; i++) {
        unsigned char *next = bed->frames + bed->frames_bytes;
        size_t header = fls_frame_encode_header(next, bed->size, sum, width);
        memcpy(next + header, bed->payload, bed->size);
        bed->frames_bytes += header + bed->size;
    }
}

static int open_writer(bench_bed *bed)
{
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = bed->checksum;
    if (fls_sink_open_memory(&bed->sink, NULL, &err) != FLS_OK ||
        fls_writer_open(&bed->writer, bed->sink, &options, &err) != FLS_OK) {
        return failed(&err);
    }
    return CLI_DONE;
}

/* A row about the bed's checksum, beside copying the same payloads. */
static int add_measured(bench_table *table, const char *what, bench_bed *bed,
                        int (*run)(void *self), double copy_ns)
{
    bench_row *row = add(table, what, bed);
    row->limit_ns = copy_ns;
    row->limit = "memcpy";
    return measure(bed, row, run);
}

/* The rows of one payload size under one checksum. */
static int bench_checksum(bench_table *table, bench_bed *bed, double copy_ns)
{
    int code = CLI_DONE;
    if (bed->checksum != FLS_CHECKSUM_NONE) {
        code = add_measured(table, "checksum", bed, digest, copy_ns);
    }
    if (code == CLI_DONE) {
        code = open_writer(bed);
    }
    if (code == CLI_DONE) {
        code = add_measured(table, "write in memory", bed, write_frames, copy_ns);
        fls_writer_abort(bed->writer);
    }
    if (code == CLI_DONE) {
        prepare_frames(bed);
        code = add_measured(table, "read in memory", bed, read_frames, copy_ns);
    }
    return code;
}

static int bench_size(bench_table *table, bench_bed *bed)
{
    static const fls_checksum checksums[] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16,
                                             FLS_CHECKSUM_CRC32, FLS_CHECKSUM_XXH3};
    bed->count = WORKING_BYTES / (bed->size + FRAME_OVERHEAD);
    bed->checksum = FLS_CHECKSUM_DEFAULT;
    bench_row *copied = add(table, "memcpy", bed);
    int code = measure(bed, copied, copy);
    for (size_t i = 0; code == CLI_DONE && i < 4; i++) {
        bed->checksum = checksums[i];
        code = bench_checksum(table, bed, copied->ns);
    }
    return code;
}

/* A copy that no cache holds. */
static int bench_large_copy(bench_table *table, const bench_bed *bed)
{
    unsigned char *large = malloc(2 * LARGE_BYTES);
    if (large == NULL) {
        return cli_complain_errno(table->job, NULL, NULL, ENOMEM);
    }
    memset(large, 1, 2 * LARGE_BYTES);
    bench_bed copying = *bed;
    copying.checksum = FLS_CHECKSUM_DEFAULT;
    copying.size = (uint32_t)LARGE_BYTES;
    copying.count = 1;
    copying.payload = large;
    copying.frames = large + LARGE_BYTES;
    int code = measure(&copying, add(table, "memcpy", &copying), copy);
    free(large);
    return code;
}

int bench_memory(bench_table *table)
{
    static const uint32_t sizes[] = {100, 1024, 16384};
    bench_bed bed = {.payload = malloc(sizes[2]), .frames = malloc(WORKING_BYTES)};
    int code = CLI_DONE;
    if (bed.payload == NULL || bed.frames == NULL) {
        free(bed.payload);
        free(bed.frames);
        return cli_complain_errno(table->job, NULL, NULL, ENOMEM);
    }
    memset(bed.frames, 0, WORKING_BYTES);
    for (size_t i = 0; i < sizes[2]; i++) {
        bed.payload[i] = (unsigned char)(i * 7 + i / 256);
    }
    for (size_t i = 0; code == CLI_DONE && i < sizeof sizes / sizeof sizes[0]; i++) {
        bed.size = sizes[i];
        code = bench_size(table, &bed);
    }
    if (code == CLI_DONE) {
        code = bench_large_copy(table, &bed);
    }
    free(bed.payload);
    free(bed.frames);
    return code;
}
