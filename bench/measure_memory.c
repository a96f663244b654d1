/* Reading and writing in memory: hot in cache, and over 1 GiB. */
#include <string.h>

#include "roads.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

/* Bytes of the hot streams and pools: beyond the first-level cache, well within the second. */
#define HOT_BYTES (64 * KIB)

/* A walk without a checksum touches a line or two of each large frame: enough frames for a run that
 * can be timed are still hot. */
#define HOT_WALK_FRAMES 256u

static size_t large_bytes(void)
{
    return bench_given()->smoke ? 4 * MIB : 1024 * MIB;
}

/* ---- reading ---- */

static double read_goal_hot(size_t payload_bytes)
{
    return payload_bytes < 100 ? 1.40 : 1.15;
}

/* Limits with and without prefetching: which is faster depends on the size of the frames and on
 * where they lie. */
static size_t read_limits_both(bench_competitor *competitors, read_road *limits,
                               const bench_stream *stream)
{
    static char names[BENCH_MAX_COMPETITORS][24];
    size_t plain = road_read_limits(competitors, limits, stream, ROAD_PLAIN);
    size_t both = plain + road_read_limits(&competitors[plain], &limits[plain], stream, ROAD_AHEAD);
    for (size_t i = plain; i < both; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s ahead", competitors[i].name);
        competitors[i].name = names[i];
    }
    return both;
}

static void measure_read_hot(const bench_stream *stream)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    read_road limits[BENCH_MAX_COMPETITORS];
    read_road road = {.stream = stream};
    size_t count = read_limits_both(competitors, limits, stream);
    const bench_competitor ours[] = {
        {"cursor batch", BENCH_SHOWN | BENCH_JUDGED, road_cursor_init, road_cursor_batch, NULL,
         &road},
        {"reader batch", BENCH_SHOWN | BENCH_JUDGED, road_reader_open, road_reader_batch,
         road_reader_close, &road},
        {"cursor next", BENCH_SHOWN, road_cursor_init, road_cursor_next, NULL, &road},
        {"reader next", BENCH_SHOWN, road_reader_open, road_reader_next, road_reader_close, &road},
    };
    memcpy(&competitors[count], ours, sizeof ours);
    count += sizeof ours / sizeof ours[0];
    bench_row row = {stream->pool->payload_bytes,
                     fls_checksum_name(stream->checksum),
                     (double)stream->frames,
                     (double)stream->bytes,
                     stream->frames,
                     read_goal_hot(stream->pool->payload_bytes),
                     competitors,
                     count};
    bench_row_run(&row);
}

static void measure_each_hot(const bench_stream *stream)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    read_road limits[BENCH_MAX_COMPETITORS];
    read_road road = {.stream = stream};
    size_t count = road_read_limits(competitors, limits, stream, ROAD_EACH);
    competitors[count++] =
        (bench_competitor){"reader each",    BENCH_SHOWN | BENCH_JUDGED, road_reader_open,
                           road_reader_each, road_reader_close,          &road};
    bench_row row = {stream->pool->payload_bytes,
                     fls_checksum_name(stream->checksum),
                     (double)stream->frames,
                     (double)stream->bytes,
                     stream->frames,
                     read_goal_hot(stream->pool->payload_bytes),
                     competitors,
                     count};
    bench_row_run(&row);
}

static void measure_hot(const bench_table *table, void (*measure)(const bench_stream *stream))
{
    bench_table_begin(table);
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            bench_stream stream;
            fls_checksum checksum = bench_checksums[k];
            size_t frame_bytes = bench_frame_bytes(bench_sizes[i], checksum);
            size_t frames = HOT_BYTES / frame_bytes;
            if (!bench_wanted(table, bench_sizes[i], fls_checksum_name(checksum))) {
                continue;
            }
            if (checksum == FLS_CHECKSUM_NONE && frames < HOT_WALK_FRAMES &&
                !bench_given()->smoke) {
                frames = HOT_WALK_FRAMES;
            }
            frames = frames > 0 ? frames : 1;
            bench_pool_init(&pool, bench_sizes[i], HOT_BYTES);
            uint8_t *memory = bench_allocate(frames * frame_bytes);
            bench_stream_encode(&stream, memory, frames * frame_bytes, frames, &pool, checksum);
            road_check_read(&stream);
            measure(&stream);
            bench_release(memory, frames * frame_bytes);
            bench_pool_fini(&pool);
        }
    }
}

void bench_read_hot(void)
{
    static const bench_table batches = {
        "read-hot",
        "Read in memory, hot in cache",
        "limit: header walk, bounds and inlined kernel in one loop; goal for the batches 1.15, at "
        "32 B 1.40",
        "checksum",
        "limit",
        21,
        false,
        false,
        false,
        {"cursor batch", "reader batch", "cursor next", "reader next"}};
    static const bench_table each = {
        "each-hot",
        "Read in memory by callback, hot in cache",
        "limit: the same loop, filling a message and calling back with it; goal as above",
        "checksum",
        "limit",
        21,
        false,
        false,
        false,
        {"reader each"}};
    measure_hot(&batches, measure_read_hot);
    measure_hot(&each, measure_each_hot);
}

static void measure_read_large(const bench_stream *stream)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    read_road limits[BENCH_MAX_COMPETITORS];
    read_road road = {.stream = stream};
    size_t count = read_limits_both(competitors, limits, stream);
    const bench_competitor ours[] = {
        {"cursor batch", BENCH_SHOWN | BENCH_JUDGED, road_cursor_init, road_cursor_batch, NULL,
         &road},
        {"reader batch", BENCH_SHOWN | BENCH_JUDGED, road_reader_open, road_reader_batch,
         road_reader_close, &road},
        {"recover", BENCH_SHOWN | BENCH_JUDGED, NULL, road_recover_memory, NULL, &road},
        {"cursor next", BENCH_SHOWN, road_cursor_init, road_cursor_next, NULL, &road},
    };
    memcpy(&competitors[count], ours, sizeof ours);
    count += sizeof ours / sizeof ours[0];
    bench_row row = {stream->pool->payload_bytes,
                     fls_checksum_name(stream->checksum),
                     (double)stream->frames,
                     (double)stream->bytes,
                     stream->frames,
                     stream->checksum == FLS_CHECKSUM_NONE ? 1.20 : 1.15,
                     competitors,
                     count};
    bench_row_run(&row);
}

void bench_read_large(void)
{
    static const bench_table table = {
        "read-large",
        "Read and recover over 1 GiB in memory",
        "limit: header walk with two prefetches 4 KiB ahead, and kernel; goal: none 1.20, else "
        "1.15",
        "checksum",
        "limit",
        5,
        true,
        false,
        false,
        {"cursor batch", "reader batch", "recover", "cursor next"}};
    uint8_t *memory = NULL;
    bench_table_begin(&table);
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            bench_stream stream;
            if (!bench_wanted(&table, bench_sizes[i], fls_checksum_name(bench_checksums[k]))) {
                continue;
            }
            if (memory == NULL) {
                memory = bench_allocate(large_bytes());
            }
            bench_pool_init(&pool, bench_sizes[i], MIB);
            bench_stream_encode(&stream, memory, large_bytes(), SIZE_MAX, &pool,
                                bench_checksums[k]);
            measure_read_large(&stream);
            bench_pool_fini(&pool);
        }
    }
    bench_release(memory, large_bytes());
}

/* ---- writing ---- */

static uint64_t run_limit_write(void *self)
{
    write_road *road = self;
    const bench_pool *pool = road->pool;
    uint8_t *to = road->memory;
    for (size_t left = road->messages; left > 0;) {
        size_t count = left < pool->count ? left : pool->count;
        to += road->loop(to, pool->bytes, pool->payload_bytes, count, road->kernels);
        left -= count;
    }
    return (uint64_t)(to - road->memory);
}

static uint64_t run_writer(void *self)
{
    write_road *road = self;
    uint64_t from = fls_writer_offset(road->writer);
    road_write_messages(road->writer, road->pool, road->messages);
    return fls_writer_offset(road->writer) - from;
}

static void flush(write_road *road)
{
    fls_error err = FLS_ERROR_INIT;
    bench_must(fls_writer_flush(road->writer, &err), &err, "fls_writer_flush");
}

/* Makes the sink empty for the next run; not timed, as opening a reader is not. */
static void reset_sink(void *self)
{
    write_road *road = self;
    flush(road);
    bench_must(fls_sink_memory_reset(&road->sink), NULL, "fls_sink_memory_reset");
}

/* What the writer left in the sink is what the benchmarks' own encoder makes of the same pool. */
static void check_written(write_road *road)
{
    bench_stream stream;
    const void *data;
    size_t size;
    uint8_t *expected = bench_allocate(road->capacity);
    bench_stream_encode(&stream, expected, road->capacity, road->messages, road->pool,
                        road->checksum);
    (void)run_writer(road);
    flush(road);
    bench_must(fls_sink_memory(&road->sink, &data, &size), NULL, "fls_sink_memory");
    if (stream.frames != road->messages || size != stream.bytes ||
        memcmp(data, expected, size) != 0) {
        bench_fail("fls_writer_write made other bytes (%zu bytes, %s)", road->pool->payload_bytes,
                   fls_checksum_name(road->checksum));
    }
    bench_release(expected, road->capacity);
    reset_sink(road);
}

static size_t write_limits(bench_competitor *competitors, write_road *roads, const write_road *like)
{
    const bench_loops *loops[BENCH_MAX_LOOPS];
    const bench_kernels *kernels[BENCH_MAX_KERNELS];
    size_t loop_count = bench_limits(loops);
    size_t kernel_count = bench_kernel_sets(kernels);
    size_t count = 0;
    if (like->checksum != FLS_CHECKSUM_XXH3 || like->pool->payload_bytes <= 240) {
        loop_count = 1;
    }
    kernel_count = like->checksum == FLS_CHECKSUM_CRC32 ? kernel_count : 1;
    for (size_t i = 0; i < loop_count * kernel_count; i++) {
        const bench_loops *set = loops[i % loop_count];
        const bench_kernels *kernel = kernels[i / loop_count];
        write_road *road = &roads[count];
        *road = *like;
        road->loop = set->write[like->checksum];
        road->kernels = kernel;
        competitors[count++] =
            (bench_competitor){.name = kernel_count > 1 ? kernel->name : set->name,
                               .kind = BENCH_LIMIT,
                               .run = run_limit_write,
                               .self = road};
    }
    return count;
}

static void measure_write(write_road *road, double goal)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    write_road limits[BENCH_MAX_COMPETITORS];
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = road_writer_options(road->checksum);
    size_t frame_bytes = bench_frame_bytes(road->pool->payload_bytes, road->checksum);
    size_t count = write_limits(competitors, limits, road);
    bench_must(fls_sink_open_fixed(&road->sink, road->memory, road->capacity, &err), &err,
               "fls_sink_open_fixed");
    bench_must(fls_writer_open(&road->writer, road->sink, &options, &err), &err, "fls_writer_open");
    check_written(road);
    competitors[count++] = (bench_competitor){
        "writer", BENCH_SHOWN | BENCH_JUDGED, NULL, run_writer, reset_sink, road};
    bench_row row = {road->pool->payload_bytes,
                     fls_checksum_name(road->checksum),
                     (double)road->messages,
                     (double)(road->messages * frame_bytes),
                     road->messages * frame_bytes,
                     goal,
                     competitors,
                     count};
    bench_row_run(&row);
    bench_must(fls_writer_close(road->writer, &err), &err, "fls_writer_close");
}

static void measure_writes(const bench_table *table, size_t bytes, bool hot)
{
    uint8_t *memory = NULL;
    size_t capacity = bytes + 2 * MIB;
    bench_table_begin(table);
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            write_road road = {.checksum = bench_checksums[k]};
            size_t frame_bytes = bench_frame_bytes(bench_sizes[i], road.checksum);
            if (!bench_wanted(table, bench_sizes[i], fls_checksum_name(road.checksum))) {
                continue;
            }
            if (memory == NULL) {
                memory = bench_allocate(capacity);
            }
            bench_pool_init(&pool, bench_sizes[i], HOT_BYTES);
            road.pool = &pool;
            road.memory = memory;
            road.messages = bytes / frame_bytes > 0 ? bytes / frame_bytes : 1;
            road.capacity = hot ? road.messages * frame_bytes : capacity;
            measure_write(&road, !hot ? 0 : bench_sizes[i] < 100 ? 1.50 : 1.10);
            bench_pool_fini(&pool);
        }
    }
    bench_release(memory, capacity);
}

void bench_write_hot(void)
{
    static const bench_table table = {
        "write-hot",
        "Write in memory, hot in cache",
        "fls_writer_write into a fixed sink; limit: stores of length and checksum, inlined kernel "
        "and memcpy; goal 1.10, at 32 B 1.50",
        "checksum",
        "limit",
        21,
        false,
        false,
        false,
        {"writer"}};
    measure_writes(&table, HOT_BYTES + HOT_BYTES / 16, true);
}

void bench_write_large(void)
{
    static const bench_table table = {
        "write-large",
        "Write to 1 GiB in memory",
        "as above, the messages in cache, the memory not; no goal of its own",
        "checksum",
        "limit",
        3,
        true,
        false,
        false,
        {"writer"}};
    measure_writes(&table, large_bytes(), false);
}
