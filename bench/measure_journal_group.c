/* Every message waited for until it is durable, by one thread and by sixteen, against the device.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "journal_roads.h"

enum { THREADS = 16, GROUP_MESSAGES = 8192 }; /* the redo log is made in the first ones */

typedef struct group_road {
    journal_road base;
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
        journal_must(pthread_create(&threads[i], NULL, append_durably, road) == 0,
                     "pthread_create");
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
    const journal_road *base = &road->base;
    size_t bytes = road->threads * bench_frame_bytes(base->pool->payload_bytes, FLS_CHECKSUM_XXH3);
    for (size_t i = 0; i < road->each; i++) {
        journal_must(write(base->fd, base->frames->data, bytes) == (ssize_t)bytes, "write(2)");
        journal_must(fdatasync(base->fd) == 0, "fdatasync(2)");
    }
    return road->each * road->threads;
}

static void measure_group(const bench_table *table, const bench_pool *pool,
                          const bench_stream *frames)
{
    size_t messages = bench_given()->smoke ? 64 : GROUP_MESSAGES;
    group_road sixteen;
    memset(&sixteen, 0, sizeof sixteen);
    journal_road_init(&sixteen.base, pool, 1, journal_path("journal"));
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
        {"1 thread", BENCH_LIMIT, road_open_journal, run_group, road_close_journal, &one},
        {"16 threads", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, run_group, road_close_journal,
         &sixteen},
        {"device", BENCH_SHOWN, road_open_bare, run_bare_group, road_close_bare, &bare_one}};
    const bench_competitor to_device[] = {
        {"device, 16", BENCH_LIMIT, road_open_bare, run_bare_group, road_close_bare, &bare},
        {"16 threads", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, run_group, road_close_journal,
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
