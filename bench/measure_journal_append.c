/* Appending: without syncs against the plain writer; with a sync every 10 ms against a bare loop; a
 * durable message a call by one thread and by sixteen against the device.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "journal_bench.h"

#define PIECE_BYTES (256 * KIB)
#define INTERVAL_NS 10000000u

enum { THREADS = 16, GROUP_MESSAGES = 1024 };

static const size_t sizes[] = {100, 1024};

typedef struct append_road {
    const bench_pool *pool;
    size_t messages;
    size_t bytes; /* of frames */
    const char *path;
    const bench_stream *frames;
    fls_journal_options options;
    fls_writer *writer;
    fls_journal *journal;
    int fd;
} append_road;

static void must(int holds, const char *what)
{
    if (!holds) {
        bench_fail("%s failed", what);
    }
}

/* ---- roads ---- */

static void open_writer(void *self)
{
    append_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_writer_options options = FLS_WRITER_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_XXH3;
    bench_must(fls_writer_open_file(&road->writer, road->path, &options, &err), &err,
               "fls_writer_open_file");
}

static uint64_t run_writer(void *self)
{
    append_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    for (size_t i = 0; i < road->messages; i++) {
        size_t size = bench_opaque(road->pool->payload_bytes);
        const uint8_t *payload =
            road->pool->bytes + i % road->pool->count * road->pool->payload_bytes;
        fls_status status = fls_writer_write(road->writer, payload, size, &err);
        if (status != FLS_OK) {
            bench_must(status, &err, "fls_writer_write");
        }
    }
    bench_must(fls_writer_flush(road->writer, &err), &err, "fls_writer_flush");
    return fls_writer_offset(road->writer);
}

static void close_writer(void *self)
{
    append_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    bench_must(fls_writer_close(road->writer, &err), &err, "fls_writer_close");
    journal_remove(road->path);
}

static void open_journal(void *self)
{
    append_road *road = self;
    road->journal = journal_open(road->path, &road->options);
}

/* Everything was handed to the system. */
static uint64_t bytes_written(append_road *road)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    bench_must(fls_journal_flush(road->journal, &err), &err, "fls_journal_flush");
    fls_journal_get_figures(road->journal, &figures);
    return figures.written_ordinal == road->messages ? figures.appended_bytes : 0;
}

static uint64_t run_append(void *self)
{
    append_road *road = self;
    journal_append(road->journal, road->pool, road->messages);
    return bytes_written(road);
}

static uint64_t run_append_batches(void *self)
{
    append_road *road = self;
    journal_append_batches(road->journal, road->pool, road->messages);
    return bytes_written(road);
}

/* Everything is durable. */
static uint64_t bytes_durable(append_road *road)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    bench_must(fls_journal_sync_now(road->journal, &err), &err, "fls_journal_sync_now");
    fls_journal_get_figures(road->journal, &figures);
    return figures.durable_ordinal == road->messages ? figures.appended_bytes : 0;
}

static uint64_t run_durable(void *self)
{
    append_road *road = self;
    journal_append(road->journal, road->pool, road->messages);
    return bytes_durable(road);
}

static uint64_t run_durable_batches(void *self)
{
    append_road *road = self;
    journal_append_batches(road->journal, road->pool, road->messages);
    return bytes_durable(road);
}

static void close_journal(void *self)
{
    append_road *road = self;
    fls_journal_abandon(road->journal);
    journal_remove(road->path);
}

static void open_bare(void *self)
{
    append_road *road = self;
    road->fd = open(road->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(road->fd >= 0, "open(2)");
}

static void close_bare(void *self)
{
    append_road *road = self;
    (void)close(road->fd);
    journal_remove(road->path);
}

/* write(2) and, 10 ms after the last one began and at the end, fdatasync(2). */
static uint64_t run_bare_interval(void *self)
{
    append_road *road = self;
    size_t left = road->bytes;
    uint64_t synced_at = bench_now_ns();
    while (left > 0) {
        size_t size = left < PIECE_BYTES ? left : PIECE_BYTES;
        ssize_t written = write(road->fd, road->frames->data, size);
        must(written > 0, "write(2)");
        left -= (size_t)written;
        uint64_t now = bench_now_ns();
        if (now - synced_at >= INTERVAL_NS) {
            synced_at = now;
            must(fdatasync(road->fd) == 0, "fdatasync(2)");
        }
    }
    must(fdatasync(road->fd) == 0, "fdatasync(2)");
    return road->bytes;
}

/* What is in the journal is what was appended. */
static void check_journal(append_road *road, const char *name)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader *reader;
    fls_message message;
    fls_status status;
    uint64_t count = 0;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    bench_must(fls_journal_reader_open(&reader, road->path, &options, &err), &err, name);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        const uint8_t *wanted =
            road->pool->bytes + count % road->pool->count * road->pool->payload_bytes;
        if (message.ordinal != count || message.size != road->pool->payload_bytes ||
            memcmp(message.payload, wanted, message.size) != 0) {
            bench_fail("%s: message %llu is another one", name, (unsigned long long)count);
        }
        count++;
    }
    if (status != FLS_END || count != road->messages) {
        bench_fail("%s: %llu of %zu messages, then %s", name, (unsigned long long)count,
                   road->messages, fls_status_name(status));
    }
    fls_journal_reader_close(reader);
}

static void check_road(append_road *road, uint64_t (*run)(void *self), const char *name)
{
    open_journal(road);
    if (run(road) != road->bytes) {
        bench_fail("%s: not all was taken", name);
    }
    check_journal(road, name);
    close_journal(road);
}

static void road_init(append_road *road, const bench_pool *pool, size_t bytes, const char *path)
{
    size_t frame_bytes = bench_frame_bytes(pool->payload_bytes, FLS_CHECKSUM_XXH3);
    memset(road, 0, sizeof *road);
    road->pool = pool;
    road->messages = bytes / frame_bytes;
    road->bytes = road->messages * frame_bytes;
    road->path = path;
    road->options = (fls_journal_options)FLS_JOURNAL_OPTIONS_INIT;
    road->options.checksum = FLS_CHECKSUM_XXH3;
}

/* ---- without syncs ---- */

void bench_journal_append(void)
{
    static const bench_table table = {
        "journal-append",
        "Append without syncs",
        "64 MiB of frames handed to the system; limit: the plain writer; goal: 0.9 of its speed",
        "checksum",
        "writer",
        15,
        true,
        true,
        false,
        {"append", "batches of 64"}};
    bench_table_begin(&table);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (!bench_wanted(&table, sizes[i], "xxh3")) {
            continue;
        }
        bench_pool pool;
        append_road writer;
        append_road journal;
        bench_pool_init(&pool, sizes[i], POOL_BYTES);
        road_init(&writer, &pool, (bench_given()->smoke ? 1 : 64) * MIB, journal_path("file"));
        road_init(&journal, &pool, (bench_given()->smoke ? 1 : 64) * MIB, journal_path("journal"));
        journal.options.sync = FLS_JOURNAL_SYNC_NONE;
        check_road(&journal, run_append, "append");
        check_road(&journal, run_append_batches, "batches");
        const bench_competitor competitors[] = {
            {"writer", BENCH_LIMIT, open_writer, run_writer, close_writer, &writer},
            {"append", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_append, close_journal,
             &journal},
            {"batches of 64", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_append_batches,
             close_journal, &journal}};
        bench_row row = {sizes[i],
                         "xxh3",
                         (double)writer.messages,
                         (double)writer.bytes,
                         writer.bytes,
                         1 / 0.9,
                         competitors,
                         3};
        bench_row_run(&row);
        bench_pool_fini(&pool);
    }
}

/* ---- with a sync every 10 ms ---- */

void bench_journal_interval(void)
{
    static const bench_table table = {
        "journal-interval",
        "Append with a sync every 10 ms",
        "512 MiB of frames, durable at the end; limit: write(2) of the same in 256 KiB and "
        "fdatasync(2); goal: 0.9 of its speed",
        "checksum",
        "bare loop",
        7,
        true,
        true,
        false,
        {"append", "batches of 64"}};
    bench_table_begin(&table);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (!bench_wanted(&table, sizes[i], "xxh3")) {
            continue;
        }
        bench_pool pool;
        bench_stream frames;
        append_road road;
        uint8_t *memory = bench_allocate(PIECE_BYTES);
        bench_pool_init(&pool, sizes[i], POOL_BYTES);
        bench_stream_encode(&frames, memory, PIECE_BYTES, SIZE_MAX, &pool, FLS_CHECKSUM_XXH3);
        road_init(&road, &pool, (bench_given()->smoke ? 1 : 512) * MIB, journal_path("journal"));
        append_road bare = road;
        bare.frames = &frames;
        bare.path = journal_path("file");
        road.options.sync = FLS_JOURNAL_SYNC_INTERVAL;
        road.options.sync_interval_ns = INTERVAL_NS;
        road.options.segment_bytes = 1024 * MIB;
        check_road(&road, run_durable, "append, interval");
        const bench_competitor competitors[] = {
            {"bare loop", BENCH_LIMIT, open_bare, run_bare_interval, close_bare, &bare},
            {"append", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_durable, close_journal, &road},
            {"batches of 64", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_durable_batches,
             close_journal, &road}};
        bench_row row = {sizes[i],   "xxh3",  (double)road.messages, (double)road.bytes,
                         road.bytes, 1 / 0.9, competitors,           3};
        bench_row_run(&row);
        bench_pool_fini(&pool);
        bench_release(memory, PIECE_BYTES);
    }
}

/* ---- group commit ---- */

typedef struct group_road {
    append_road base;
    size_t threads;
    size_t each; /* messages of one thread */
} group_road;

static void *append_durably(void *self)
{
    group_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    for (size_t i = 0; i < road->each; i++) {
        uint64_t ordinal;
        const bench_pool *pool = road->base.pool;
        const uint8_t *payload = pool->bytes + i % pool->count * pool->payload_bytes;
        bench_must(
            fls_journal_append(road->base.journal, payload, pool->payload_bytes, &ordinal, &err),
            &err, "fls_journal_append");
        bench_must(fls_journal_wait_durable(road->base.journal, ordinal, &err), &err,
                   "fls_journal_wait_durable");
        if (fls_journal_durable(road->base.journal) <= ordinal) {
            bench_fail("message %llu is not durable", (unsigned long long)ordinal);
        }
    }
    return NULL;
}

static uint64_t run_group(void *self)
{
    group_road *road = self;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < road->threads; i++) {
        must(pthread_create(&threads[i], NULL, append_durably, road) == 0, "pthread_create");
    }
    for (size_t i = 0; i < road->threads; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return fls_journal_durable(road->base.journal);
}

/* write(2) and fdatasync(2) of so many messages at a time as there are threads. */
static uint64_t run_bare_group(void *self)
{
    group_road *road = self;
    const append_road *base = &road->base;
    size_t bytes = road->threads * bench_frame_bytes(base->pool->payload_bytes, FLS_CHECKSUM_XXH3);
    for (size_t i = 0; i < road->each; i++) {
        must(write(base->fd, base->frames->data, bytes) == (ssize_t)bytes, "write(2)");
        must(fdatasync(base->fd) == 0, "fdatasync(2)");
    }
    return road->each * road->threads;
}

static void measure_group(const bench_table *table, const bench_pool *pool,
                          const bench_stream *frames)
{
    size_t messages = bench_given()->smoke ? 64 : GROUP_MESSAGES;
    group_road sixteen;
    memset(&sixteen, 0, sizeof sixteen);
    road_init(&sixteen.base, pool, 1, journal_path("journal"));
    sixteen.base.options.sync = FLS_JOURNAL_SYNC_NONE;
    sixteen.base.frames = frames;
    sixteen.threads = THREADS;
    sixteen.each = messages / THREADS;
    group_road one = sixteen;
    one.threads = 1;
    one.each = messages;
    group_road bare = sixteen;
    bare.base.path = journal_path("file");
    group_road bare_one = bare;
    bare_one.threads = 1;
    bare_one.each = messages;
    const bench_competitor to_one[] = {
        {"1 thread", BENCH_LIMIT, open_journal, run_group, close_journal, &one},
        {"16 threads", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_group, close_journal,
         &sixteen},
        {"device", BENCH_SHOWN, open_bare, run_bare_group, close_bare, &bare_one}};
    const bench_competitor to_device[] = {
        {"device, 16", BENCH_LIMIT, open_bare, run_bare_group, close_bare, &bare},
        {"16 threads", BENCH_SHOWN | BENCH_JUDGED, open_journal, run_group, close_journal,
         &sixteen}};
    bench_row row = {pool->payload_bytes,
                     "1 thread",
                     (double)messages,
                     (double)messages,
                     messages,
                     1 / 8.0,
                     to_one,
                     3};
    if (bench_wanted(table, pool->payload_bytes, row.variant)) {
        bench_row_run(&row);
    }
    row.variant = "device, 16";
    row.goal = 1.3;
    row.competitors = to_device;
    row.count = 2;
    if (bench_wanted(table, pool->payload_bytes, row.variant)) {
        bench_row_run(&row);
    }
}

void bench_journal_group(void)
{
    static const bench_table table = {
        "journal-group",
        "Every message waited for until it is durable",
        "by threads at once; goals: 16 threads 8 times as fast as one, and within 1.3 of write(2) "
        "and fdatasync(2) of 16 messages at a time",
        "against",
        "limit",
        9,
        true,
        true,
        false,
        {"16 threads", "device"}};
    bench_pool pool;
    bench_stream frames;
    uint8_t *memory = bench_allocate(PIECE_BYTES);
    bench_table_begin(&table);
    bench_pool_init(&pool, 100, POOL_BYTES);
    bench_stream_encode(&frames, memory, PIECE_BYTES, SIZE_MAX, &pool, FLS_CHECKSUM_XXH3);
    measure_group(&table, &pool, &frames);
    bench_pool_fini(&pool);
    bench_release(memory, PIECE_BYTES);
}
