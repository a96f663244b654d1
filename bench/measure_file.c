/* Files in the page cache: written, read through read(2), read through a mapping, recovered. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roads.h"

#define KIB         ((size_t)1024)
#define MIB         (1024 * KIB)
#define PIECE_BYTES (256 * KIB)
#define POOL_BYTES  (64 * KIB)

static size_t file_bytes(void)
{
    return (bench_given()->smoke ? 2 : 256) * MIB;
}

static void remove_path(const char *path)
{
    (void)unlink(path);
}

/* ---- writing ---- */

typedef struct file_write_road {
    const bench_pool *pool;
    fls_checksum checksum;
    size_t messages;
    size_t bytes;
    const char *path;
    const bench_stream *frames; /* what the bare write(2) writes, over and over */
} file_write_road;

static uint64_t run_bare_write(void *self)
{
    file_write_road *road = self;
    size_t left = road->bytes;
    size_t at = 0;
    int fd = open(road->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (fd >= 0 && left > 0) {
        ssize_t written =
            write(fd, road->frames->data + at, left < PIECE_BYTES ? left : PIECE_BYTES);
        if (written <= 0) {
            break;
        }
        left -= (size_t)written;
        at = at + 2 * PIECE_BYTES <= road->frames->bytes ? at + PIECE_BYTES : 0;
    }
    (void)close(fd);
    return road->bytes - left;
}

static uint64_t run_file_writer(void *self)
{
    file_write_road *road = self;
    fls_writer *writer;
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = road_writer_options(road->checksum);
    bench_must(fls_writer_open_file(&writer, road->path, &options, &err), &err,
               "fls_writer_open_file");
    road_write_messages(writer, road->pool, road->messages);
    bench_must(fls_writer_flush(writer, &err), &err, "fls_writer_flush");
    uint64_t bytes = fls_writer_offset(writer);
    bench_must(fls_writer_close(writer, &err), &err, "fls_writer_close");
    return bytes;
}

static void remove_written(void *self)
{
    remove_path(((file_write_road *)self)->path);
}

/* Writes the file once and compares it with what the benchmarks' own encoder makes. */
static void check_file(file_write_road *road)
{
    bench_stream stream;
    struct stat status;
    uint8_t *expected = bench_allocate(road->bytes);
    bench_stream_encode(&stream, expected, road->bytes, road->messages, road->pool, road->checksum);
    (void)run_file_writer(road);
    int fd = open(road->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || (size_t)status.st_size != stream.bytes) {
        bench_fail("the written file has not %zu bytes", stream.bytes);
    }
    void *data = mmap(NULL, stream.bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED || memcmp(data, expected, stream.bytes) != 0) {
        bench_fail("the written file is not what was expected");
    }
    (void)munmap(data, stream.bytes);
    (void)close(fd);
    remove_written(road);
    bench_release(expected, road->bytes);
}

static double write_goal(size_t payload_bytes, fls_checksum checksum)
{
    bool judged = payload_bytes >= 1024 || (payload_bytes >= 100 && checksum == FLS_CHECKSUM_NONE);
    return judged ? 1.20 : 0;
}

static void measure_write(const bench_pool *pool, fls_checksum checksum)
{
    bench_stream frames;
    size_t frame_bytes = bench_frame_bytes(pool->payload_bytes, checksum);
    size_t messages = file_bytes() / frame_bytes;
    size_t capacity = PIECE_BYTES + frame_bytes;
    uint8_t *memory = bench_allocate(capacity);
    file_write_road road = {pool,   checksum, messages, messages * frame_bytes, bench_path("write"),
                            &frames};
    bench_stream_encode(&frames, memory, capacity, SIZE_MAX, pool, checksum);
    check_file(&road);
    const bench_competitor competitors[] = {
        {"write(2)", BENCH_LIMIT, NULL, run_bare_write, remove_written, &road},
        {"writer", BENCH_SHOWN | BENCH_JUDGED, NULL, run_file_writer, remove_written, &road}};
    bench_row row = {pool->payload_bytes, fls_checksum_name(checksum),
                     (double)messages,    (double)road.bytes,
                     road.bytes,          write_goal(pool->payload_bytes, checksum),
                     competitors,         2};
    bench_row_run(&row);
    bench_release(memory, capacity);
}

void bench_write_file(void)
{
    static const bench_table table = {
        "write-file",
        "Write a file, page cache",
        "256 MiB in a new file; limit: write(2) of such frames in 256 KiB pieces; goal 1.20 from "
        "100 B up, with checksums from 1 KiB up",
        "checksum",
        "write(2)",
        7,
        true,
        false,
        false,
        {"writer"}};
    bench_table_begin(&table);
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            if (bench_wanted(&table, bench_sizes[i], fls_checksum_name(bench_checksums[k]))) {
                bench_pool pool;
                bench_pool_init(&pool, bench_sizes[i], POOL_BYTES);
                measure_write(&pool, bench_checksums[k]);
                bench_pool_fini(&pool);
            }
        }
    }
}

/* ---- reading ---- */

static uint64_t run_bare_read(void *self)
{
    static _Alignas(4096) uint8_t buffer[PIECE_BYTES];
    read_road *road = self;
    size_t left = road->stream->bytes;
    ssize_t got = 0;
    int fd = open(road->path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && left > 0 && (got = read(fd, buffer, sizeof buffer)) > 0) {
        left -= (size_t)got;
    }
    (void)close(fd);
    return left == 0 ? road->stream->frames : 0;
}

/* The bare read(2), and the kernel over each piece as if it were whole payloads. */
static uint64_t run_read_and_hash(void *self)
{
    static _Alignas(4096) uint8_t buffer[PIECE_BYTES];
    read_road *road = self;
    const bench_loops *loops[BENCH_MAX_LOOPS];
    size_t payload_bytes = road->stream->pool->payload_bytes;
    size_t left = road->stream->bytes;
    size_t held = 0;
    uint64_t sum = 0;
    ssize_t got = 0;
    (void)bench_limits(loops);
    bench_hash_loop *hash = loops[0]->hash[road->stream->checksum];
    int fd = open(road->path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && left > 0 && (got = read(fd, buffer, sizeof buffer)) > 0) {
        left -= (size_t)got;
        held += (size_t)got;
        if (payload_bytes <= sizeof buffer) {
            sum += hash(buffer, payload_bytes, held / payload_bytes, road->kernels);
            held %= payload_bytes;
        } else {
            sum += hash(buffer, (size_t)got, 1, road->kernels);
        }
    }
    __asm__ volatile("" ::"r"(sum));
    (void)close(fd);
    return left == 0 ? road->stream->frames : 0;
}

static uint64_t read_all(read_road *road)
{
    uint64_t messages = road_reader_batch(road);
    road_reader_close(road);
    return messages;
}

static uint64_t run_reader_file(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    bench_must(fls_reader_open_file(&road->reader, road->path, &options, &err), &err,
               "fls_reader_open_file");
    return read_all(road);
}

static uint64_t run_reader_mapped(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    bench_must(fls_reader_open_mapped(&road->reader, road->path, &options, &err), &err,
               "fls_reader_open_mapped");
    return read_all(road);
}

static uint64_t run_recover_file(void *self)
{
    read_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_recover_options options = FLS_RECOVER_OPTIONS_INIT;
    fls_recover_report report = FLS_RECOVER_REPORT_INIT;
    options.checksum = road->stream->checksum;
    bench_must(fls_recover_file(road->path, &options, &report, &err), &err, "fls_recover_file");
    return report.end == FLS_STREAM_CLEAN ? report.frames : 0;
}

static uint64_t map_and_walk(read_road *road, int flags)
{
    uint64_t messages = 0;
    size_t bytes = road->stream->bytes;
    int fd = open(road->path, O_RDONLY | O_CLOEXEC);
    void *data = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, flags, fd, 0);
    if (data != MAP_FAILED) {
        messages = road->loop(data, bytes, road->kernels);
        (void)munmap(data, bytes);
    }
    (void)close(fd);
    return messages;
}

static uint64_t run_map_walk(void *self)
{
    return map_and_walk(self, MAP_SHARED);
}

static uint64_t run_map_walk_populated(void *self)
{
    return map_and_walk(self, MAP_SHARED | MAP_POPULATE);
}

static void check_reader(read_road *road, bool mapped)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status;
    uint64_t count = 0;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    status = mapped ? fls_reader_open_mapped(&road->reader, road->path, &options, &err)
                    : fls_reader_open_file(&road->reader, road->path, &options, &err);
    bench_must(status, &err, "opening a reader");
    while ((status = fls_reader_next(road->reader, &message, &err)) == FLS_OK) {
        bench_check_message(road->stream, &message, count++);
    }
    if (status != FLS_END || count != road->stream->frames) {
        bench_fail("the file gave %llu of %zu messages, then %s", (unsigned long long)count,
                   road->stream->frames, fls_status_name(status));
    }
    road_reader_close(road);
}

static void run_row(const bench_stream *stream, const bench_competitor *competitors, size_t count,
                    double goal)
{
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

static void measure_read(const bench_stream *stream, const char *path)
{
    const bench_kernels *kernels[BENCH_MAX_KERNELS];
    read_road road = {.stream = stream, .path = path};
    (void)bench_kernel_sets(kernels);
    road.kernels = kernels[0];
    bool none = stream->checksum == FLS_CHECKSUM_NONE;
    size_t payload_bytes = stream->pool->payload_bytes;
    const bench_competitor competitors[] = {
        {"read(2)", BENCH_LIMIT, NULL, run_bare_read, NULL, &road},
        {"reader", BENCH_SHOWN | BENCH_JUDGED, NULL, run_reader_file, NULL, &road},
        {"recover", BENCH_SHOWN, NULL, run_recover_file, NULL, &road},
        {"read(2)+kernel", BENCH_SHOWN, NULL, run_read_and_hash, NULL, &road}};
    check_reader(&road, false);
    run_row(stream, competitors, none ? 3 : 4,
            !none || payload_bytes < 100 ? 0 : (payload_bytes < 1024 ? 1.35 : 1.15));
}

static void measure_mapped(const bench_stream *stream, const char *path)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    read_road limits[BENCH_MAX_COMPETITORS];
    read_road road = {.stream = stream, .path = path};
    size_t count = 0;
    size_t loops = road_read_limits(competitors, limits, stream, ROAD_AHEAD);
    for (size_t i = 0; i < loops; i++) {
        limits[i].path = path;
        competitors[count++].run = run_map_walk;
    }
    competitors[count] = competitors[0];
    competitors[count].name = "populated";
    competitors[count++].run = run_map_walk_populated;
    competitors[count++] = (bench_competitor){
        "reader mapped", BENCH_SHOWN | BENCH_JUDGED, NULL, run_reader_mapped, NULL, &road};
    check_reader(&road, true);
    run_row(stream, competitors, count, 1.30);
}

static void measure_files(const bench_table *table,
                          void (*measure)(const bench_stream *stream, const char *path))
{
    bench_table_begin(table);
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            bench_stream stream;
            if (!bench_wanted(table, bench_sizes[i], fls_checksum_name(bench_checksums[k]))) {
                continue;
            }
            bench_pool_init(&pool, bench_sizes[i], MIB);
            uint8_t *memory = bench_allocate(file_bytes());
            bench_stream_encode(&stream, memory, file_bytes(), SIZE_MAX, &pool, bench_checksums[k]);
            const char *path = bench_path("read");
            bench_write_path(path, memory, stream.bytes);
            bench_release(memory, file_bytes());
            measure(&stream, path);
            remove_path(path);
            bench_pool_fini(&pool);
        }
    }
}

void bench_read_file(void)
{
    static const bench_table table = {
        "read-file",
        "Read a file in the page cache through read(2)",
        "256 MiB; limit: read(2) in 256 KiB pieces; goal without a checksum: 1.35 at 100 B, 1.15 "
        "from 1 KiB up",
        "checksum",
        "read(2)",
        7,
        true,
        false,
        false,
        {"reader", "recover", "read(2)+kernel"}};
    measure_files(&table, measure_read);
}

void bench_read_mapped(void)
{
    static const bench_table table = {
        "read-mapped",
        "Read a file in the page cache through a mapping",
        "256 MiB, mapping and unmapping included; limit: mapped, prefetched walk and kernel; goal "
        "1.30",
        "checksum",
        "limit",
        7,
        true,
        false,
        false,
        {"reader mapped"}};
    measure_files(&table, measure_mapped);
}
