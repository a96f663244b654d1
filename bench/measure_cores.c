/* All cores on one file in the page cache that a reader checks alone, and what they can do at most:
 * add up the words of as much memory.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roads.h"

#define MIB        ((size_t)1024 * 1024)
#define SIZES      3
#define MOST_CORES 256u

static const size_t sizes[SIZES] = {100, 1024, 16384};

typedef struct cores_road {
    const bench_stream *stream;
    const uint8_t *memory; /* that is added up */
    const char *path;
} cores_road;

static uint64_t run_reader(void *self)
{
    cores_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    read_road reading = {.stream = road->stream};
    bench_must(fls_reader_open_file(&reading.reader, road->path, &options, &err), &err,
               "fls_reader_open_file");
    uint64_t messages = road_reader_batch(&reading);
    road_reader_close(&reading);
    return messages;
}

/* ---- work that is nothing but checking ---- */

static fls_status collect_nothing(void *self, void *result, const fls_parallel_piece *piece,
                                  fls_error *err)
{
    (void)self;
    (void)result;
    (void)piece;
    (void)err;
    return FLS_OK;
}

static uint64_t read_source(cores_road *road, fls_source *source)
{
    const fls_parallel_work work = {.struct_bytes = sizeof work, .collect = collect_nothing};
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options reading = road_reader_options(road->stream->checksum);
    fls_parallel_options options = FLS_PARALLEL_OPTIONS_INIT;
    fls_parallel_report report = FLS_PARALLEL_REPORT_INIT;
    options.reading = &reading;
    fls_status status = fls_parallel_read(source, &options, &work, &report, &err);
    fls_source_close(source);
    return status == FLS_END ? report.messages : 0;
}

static uint64_t run_cores(void *self)
{
    cores_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_source source;
    bench_must(fls_source_open_file(&source, road->path, &err), &err, "fls_source_open_file");
    return read_source(road, &source);
}

static uint64_t run_mapped(void *self)
{
    cores_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_source source;
    bench_must(fls_source_map_file(&source, road->path, &err), &err, "fls_source_map_file");
    return read_source(road, &source);
}

/* ---- the limit ---- */

typedef struct share {
    const uint8_t *from;
    size_t bytes;
    pthread_t thread;
} share;

static void *add_up(void *self)
{
    const share *mine = self;
    uint64_t sums[8] = {0};
    for (size_t at = 0; at + sizeof sums <= mine->bytes; at += sizeof sums) {
        uint64_t words[8];
        memcpy(words, mine->from + at, sizeof words);
        for (int k = 0; k < 8; k++) {
            sums[k] += words[k];
        }
    }
    __asm__ volatile("" ::"m"(sums));
    return NULL;
}

static uint64_t run_sum(void *self)
{
    const cores_road *road = self;
    share shares[MOST_CORES];
    size_t count = fls_parallel_processors();
    count = count < MOST_CORES ? count : MOST_CORES;
    size_t bytes = road->stream->bytes / count;
    for (size_t i = 0; i < count; i++) {
        shares[i] = (share){.from = road->memory + i * bytes, .bytes = bytes};
        if (pthread_create(&shares[i].thread, NULL, add_up, &shares[i]) != 0) {
            bench_fail("a thread cannot be started");
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(shares[i].thread, NULL);
    }
    return road->stream->frames;
}

/* ---- */

static void run_row(const cores_road *road, const bench_competitor *competitors, size_t count,
                    double goal)
{
    const bench_stream *stream = road->stream;
    bench_row row = {stream->pool->payload_bytes,
                     fls_checksum_name(stream->checksum),
                     (double)stream->frames,
                     (double)stream->bytes,
                     stream->frames,
                     goal,
                     competitors,
                     count};
    bench_row_run(&row);
}

static void against_one(cores_road *road)
{
    const bench_competitor competitors[] = {
        {"reader", BENCH_LIMIT, NULL, run_reader, NULL, road},
        {"cores", BENCH_SHOWN | BENCH_JUDGED, NULL, run_cores, NULL, road}};
    run_row(road, competitors, 2, fls_parallel_processors() > 1 ? 1 / 1.8 : 0);
}

static void against_memory(cores_road *road)
{
    const bench_competitor competitors[] = {
        {"sum", BENCH_LIMIT, NULL, run_sum, NULL, road},
        {"cores", BENCH_SHOWN | BENCH_JUDGED, NULL, run_cores, NULL, road},
        {"mapped", BENCH_SHOWN, NULL, run_mapped, NULL, road}};
    run_row(road, competitors, 3, 1.25);
}

static void measure(const bench_table *table, void (*row)(cores_road *road))
{
    size_t bytes = (bench_given()->smoke ? 2 : 1024) * MIB;
    bench_table_begin(table);
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            bench_stream stream;
            if (!bench_wanted(table, sizes[i], fls_checksum_name(bench_checksums[k]))) {
                continue;
            }
            bench_pool_init(&pool, sizes[i], MIB);
            uint8_t *memory = bench_allocate(bytes);
            bench_stream_encode(&stream, memory, bytes, SIZE_MAX, &pool, bench_checksums[k]);
            cores_road road = {&stream, memory, bench_path("cores")};
            bench_write_path(road.path, memory, stream.bytes);
            row(&road);
            (void)unlink(road.path);
            bench_release(memory, bytes);
            bench_pool_fini(&pool);
        }
    }
}

/* Threads run where their maker may. */
static void let_run_anywhere(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        CPU_SET(i, &set);
    }
    (void)sched_setaffinity(0, sizeof set, &set);
}

void bench_cores(void)
{
    static const bench_table gain = {
        "cores",
        "All cores on a file in the page cache",
        "1 GiB checked by fls_parallel_read with a thread for each processor; limit: one reader; "
        "goal 0.56 (1.8 times as fast)",
        "checksum",
        "reader",
        7,
        true,
        true,
        false,
        {"cores"}};
    static const bench_table bound = {
        "cores-sum",
        "All cores on a file against what they can add up",
        "the same file; limit: the sum of as many bytes in memory by as many threads; goal 1.25 "
        "(0.8 of its speed); mapped: without copying",
        "checksum",
        "sum",
        7,
        true,
        true,
        true,
        {"cores", "mapped"}};
    let_run_anywhere();
    measure(&gain, against_one);
    measure(&bound, against_memory);
    bench_pin(bench_given()->cpu);
}
