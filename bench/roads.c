/* The library's roads, walked as a program would walk them. */
#include "roads.h"

#include <string.h>

#define BATCH 64

fls_reader_options road_reader_options(fls_checksum checksum)
{
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

fls_writer_options road_writer_options(fls_checksum checksum)
{
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = checksum;
    return options;
}

/* ---- reading ---- */

static void must_end(fls_status status, fls_status wanted, const fls_error *err)
{
    if (status != wanted) {
        bench_must(status, err, "reading");
        bench_fail("reading ended with %s", fls_status_name(status));
    }
}

void road_cursor_init(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    options.checksum = road->stream->checksum;
    bench_must(
        fls_cursor_init(&road->cursor, road->stream->data, road->stream->bytes, &options, &err),
        &err, "fls_cursor_init");
}

void road_reader_open(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    bench_must(fls_reader_open_memory(&road->reader, road->stream->data, road->stream->bytes,
                                      &options, &err),
               &err, "fls_reader_open_memory");
}

void road_reader_close(void *self)
{
    read_road *road = self;
    fls_reader_close(road->reader);
    road->reader = NULL;
}

uint64_t road_limit_read(void *self)
{
    read_road *road = self;
    return road->loop(road->stream->data, road->stream->bytes, road->kernels);
}

uint64_t road_cursor_batch(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[BATCH];
    fls_status status;
    size_t count;
    uint64_t total = 0;
    while ((status = fls_cursor_next_batch(&road->cursor, messages, BATCH, &count, &err)) ==
           FLS_OK) {
        total += count;
    }
    must_end(status, FLS_END, &err);
    return total;
}

uint64_t road_cursor_next(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    uint64_t total = 0;
    while ((status = fls_cursor_next(&road->cursor, &message, &err)) == FLS_OK) {
        __asm__ volatile("" ::"m"(message)); /* the caller has it */
        total++;
    }
    must_end(status, FLS_END, &err);
    return total;
}

uint64_t road_reader_batch(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[BATCH];
    fls_status status;
    size_t count;
    uint64_t total = 0;
    while ((status = fls_reader_next_batch(road->reader, messages, BATCH, &count, &err)) ==
           FLS_OK) {
        total += count;
    }
    must_end(status, FLS_END, &err);
    return total;
}

static fls_status count_message(void *self, const fls_message *message)
{
    (void)message;
    ++*(uint64_t *)self;
    return FLS_OK;
}

uint64_t road_limit_each(void *self)
{
    read_road *road = self;
    uint64_t total = 0;
    bench_kernels calling = *road->kernels;
    calling.callback = count_message;
    calling.self = &total;
    (void)road->loop(road->stream->data, road->stream->bytes, &calling);
    return total;
}

uint64_t road_reader_each(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    uint64_t total = 0;
    must_end(fls_reader_each(road->reader, count_message, &total, &err), FLS_OK, &err);
    return total;
}

uint64_t road_reader_next(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    uint64_t total = 0;
    while ((status = fls_reader_next(road->reader, &message, &err)) == FLS_OK) {
        total++;
    }
    must_end(status, FLS_END, &err);
    return total;
}

uint64_t road_recover_memory(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    options.checksum = road->stream->checksum;
    bench_must(fls_recover_memory(road->stream->data, road->stream->bytes, &options, &report, &err),
               &err, "fls_recover_memory");
    return report.end == FLS_STREAM_CLEAN ? report.frames : 0;
}

/* ---- proof ---- */

typedef struct checked {
    const bench_stream *stream;
    uint64_t count;
} checked;

static fls_status check_message(void *self, const fls_message *message)
{
    checked *done = self;
    bench_check_message(done->stream, message, done->count++);
    return FLS_OK;
}

static void must_have_all(const checked *done, const char *road)
{
    if (done->count != done->stream->frames) {
        bench_fail("%s gave %llu of %zu messages", road, (unsigned long long)done->count,
                   done->stream->frames);
    }
}

static void check_batches(read_road *road, bool with_reader)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[BATCH];
    fls_status status = FLS_OK;
    size_t count = 0;
    checked done = {road->stream, 0};
    while (status == FLS_OK) {
        status = with_reader ? fls_reader_next_batch(road->reader, messages, BATCH, &count, &err)
                             : fls_cursor_next_batch(&road->cursor, messages, BATCH, &count, &err);
        for (size_t i = 0; status == FLS_OK && i < count; i++) {
            (void)check_message(&done, &messages[i]);
        }
    }
    must_end(status, FLS_END, &err);
    must_have_all(&done, with_reader ? "fls_reader_next_batch" : "fls_cursor_next_batch");
}

static void check_singles(read_road *road, bool with_reader)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    checked done = {road->stream, 0};
    while ((status = with_reader ? fls_reader_next(road->reader, &message, &err)
                                 : fls_cursor_next(&road->cursor, &message, &err)) == FLS_OK) {
        (void)check_message(&done, &message);
    }
    must_end(status, FLS_END, &err);
    must_have_all(&done, with_reader ? "fls_reader_next" : "fls_cursor_next");
}

void road_check_read(const bench_stream *stream)
{
    fls_error err = FLS_ERROR_INIT;
    read_road road = {.stream = stream};
    checked done = {stream, 0};
    road_cursor_init(&road);
    check_batches(&road, false);
    road_cursor_init(&road);
    check_singles(&road, false);
    road_reader_open(&road);
    check_batches(&road, true);
    road_reader_close(&road);
    road_reader_open(&road);
    check_singles(&road, true);
    road_reader_close(&road);
    road_reader_open(&road);
    must_end(fls_reader_each(road.reader, check_message, &done, &err), FLS_OK, &err);
    must_have_all(&done, "fls_reader_each");
    road_reader_close(&road);
}

/* ---- writing ---- */

void road_write_messages(fls_writer *writer, const bench_pool *pool, size_t messages)
{
    fls_error err = FLS_ERROR_INIT;
    for (size_t left = messages; left > 0;) {
        size_t count = left < pool->count ? left : pool->count;
        const uint8_t *payload = pool->bytes;
        left -= count;
        for (; count > 0; count--) {
            size_t size = bench_opaque(pool->payload_bytes);
            fls_status status = fls_writer_write(writer, payload, size, &err);
            if (status != FLS_OK) {
                bench_must(status, &err, "fls_writer_write");
            }
            payload += size;
        }
    }
}

/* ---- limits ---- */

static bench_read_loop *loop_of(const bench_loops *set, road_how how, fls_checksum checksum)
{
    switch (how) {
    case ROAD_AHEAD: return set->read_ahead[checksum];
    case ROAD_EACH: return set->read_each[checksum];
    default: return set->read[checksum];
    }
}

static bench_competitor limit_of(read_road *road, const bench_stream *stream, const char *name,
                                 const bench_loops *set, const bench_kernels *kernels, road_how how)
{
    memset(road, 0, sizeof *road);
    road->stream = stream;
    road->loop = loop_of(set, how, stream->checksum);
    road->kernels = kernels;
    return (bench_competitor){.name = name,
                              .kind = BENCH_LIMIT,
                              .run = how == ROAD_EACH ? road_limit_each : road_limit_read,
                              .self = road};
}

size_t road_read_limits(bench_competitor *competitors, read_road *roads, const bench_stream *stream,
                        road_how how)
{
    const bench_loops *loops[BENCH_MAX_LOOPS];
    const bench_kernels *kernels[BENCH_MAX_KERNELS];
    size_t loop_count = bench_limits(loops);
    size_t kernel_count = bench_kernel_sets(kernels);
    size_t count = 0;
    /* The loops of a set differ from the baseline only where XXH3 has vectors. */
    if (stream->checksum == FLS_CHECKSUM_XXH3 && stream->pool->payload_bytes > 240) {
        for (size_t i = 0; i < loop_count; i++) {
            competitors[count] =
                limit_of(&roads[count], stream, loops[i]->name, loops[i], kernels[0], how);
            count++;
        }
    } else if (stream->checksum == FLS_CHECKSUM_CRC32) {
        for (size_t i = 0; i < kernel_count; i++) {
            if (strcmp(kernels[i]->name, "zlib") != 0) { /* it takes ten times as long */
                competitors[count] =
                    limit_of(&roads[count], stream, kernels[i]->name, loops[0], kernels[i], how);
                count++;
            }
        }
    } else {
        competitors[count] =
            limit_of(&roads[count], stream, loops[0]->name, loops[0], kernels[0], how);
        count++;
    }
    return count;
}
