/* Appending without syncs against the plain writer, and with a sync every 10 ms against a bare
 * loop. */
#include <unistd.h>

#include "journal_roads.h"

#define INTERVAL_NS 10000000u

static const size_t sizes[] = {100, 1024};

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
    size_t bytes = (bench_given()->smoke ? 1 : 64) * MIB;
    bench_table_begin(&table);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (!bench_wanted(&table, sizes[i], "xxh3")) {
            continue;
        }
        bench_pool pool;
        journal_road writer;
        journal_road one;
        bench_pool_init(&pool, sizes[i], POOL_BYTES);
        journal_road_init(&writer, &pool, bytes, journal_path("file"));
        journal_road_init(&one, &pool, bytes, journal_path("journal"));
        one.options.sync = FLS_JOURNAL_SYNC_NONE;
        journal_road batches = journal_road_in_batches(&one);
        journal_road_check(&one, "append");
        journal_road_check(&batches, "batches");
        const bench_competitor competitors[] = {
            {"writer", BENCH_LIMIT, road_open_writer, road_run_writer, road_close_writer, &writer},
            {"append", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, road_run_journal,
             road_close_journal, &one},
            {"batches of 64", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, road_run_journal,
             road_close_journal, &batches}};
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

/* write(2) and, 10 ms after the last one began and at the end, fdatasync(2). */
static uint64_t run_bare_interval(void *self)
{
    journal_road *road = self;
    size_t left = road->bytes;
    uint64_t synced_at = bench_now_ns();
    while (left > 0) {
        size_t size = left < PIECE_BYTES ? left : PIECE_BYTES;
        ssize_t written = write(road->fd, road->frames->data, size);
        journal_must(written > 0, "write(2)");
        left -= (size_t)written;
        uint64_t now = bench_now_ns();
        if (now - synced_at >= INTERVAL_NS) {
            synced_at = now;
            journal_must(fdatasync(road->fd) == 0, "fdatasync(2)");
        }
    }
    journal_must(fdatasync(road->fd) == 0, "fdatasync(2)");
    return road->bytes;
}

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
        journal_road one;
        uint8_t *memory = bench_allocate(PIECE_BYTES);
        bench_pool_init(&pool, sizes[i], POOL_BYTES);
        bench_stream_encode(&frames, memory, PIECE_BYTES, SIZE_MAX, &pool, FLS_CHECKSUM_XXH3);
        journal_road_init(&one, &pool, (bench_given()->smoke ? 1 : 512) * MIB,
                          journal_path("journal"));
        journal_road bare = one;
        bare.frames = &frames;
        bare.path = journal_path("file");
        one.options.sync = FLS_JOURNAL_SYNC_INTERVAL;
        one.options.sync_interval_ns = INTERVAL_NS;
        one.options.segment_bytes = 1024 * MIB;
        one.durable = true;
        journal_road batches = journal_road_in_batches(&one);
        journal_road_check(&one, "append, interval");
        const bench_competitor competitors[] = {
            {"bare loop", BENCH_LIMIT, road_open_bare, run_bare_interval, road_close_bare, &bare},
            {"append", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, road_run_journal,
             road_close_journal, &one},
            {"batches of 64", BENCH_SHOWN | BENCH_JUDGED, road_open_journal, road_run_journal,
             road_close_journal, &batches}};
        bench_row row = {sizes[i],  "xxh3",  (double)one.messages, (double)one.bytes,
                         one.bytes, 1 / 0.9, competitors,          3};
        bench_row_run(&row);
        bench_pool_fini(&pool);
        bench_release(memory, PIECE_BYTES);
    }
}
