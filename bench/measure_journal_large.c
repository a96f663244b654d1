/* A journal of 10 GiB: opening it after a crash, against one of 256 MiB, and seeking in it. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "journal_bench.h"

#define GIB              (1024 * MIB)
#define LARGE_BYTES      (10 * GIB)
#define SMALL_BYTES      (256 * MIB)
#define UNSYNCED_BYTES   (4 * MIB)
#define PAYLOAD_BYTES    ((size_t)1024)
#define OPEN_GOAL_NS     50e6
#define SEEK_GOAL_NS     1e6
#define ROOM_BEYOND      (2 * GIB)
#define FRAMES_AT_A_TIME ((size_t)65536)

enum { OPENS = 21, SEEKS = 2000 };

static const char open_table[] = "journal-open";
static const char seek_table[] = "journal-seek";

typedef struct large_journal {
    const char *path;
    bench_pool pool;
    fls_journal *journal;
} large_journal;

static fls_journal_options large_options(void)
{
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.checksum = FLS_CHECKSUM_XXH3;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    return options;
}

static void make_journal(large_journal *large, const char *name, size_t bytes)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = large_options();
    size_t frame_bytes = bench_frame_bytes(PAYLOAD_BYTES, FLS_CHECKSUM_XXH3);
    large->path = journal_path(name);
    bench_pool_init(&large->pool, PAYLOAD_BYTES, POOL_BYTES);
    large->journal = journal_open(large->path, &options);
    for (size_t left = bytes / frame_bytes; left > 0;) {
        size_t count = left < FRAMES_AT_A_TIME ? left : FRAMES_AT_A_TIME;
        journal_append_batches(large->journal, &large->pool, count);
        left -= count;
    }
    bench_must(fls_journal_sync_now(large->journal, &err), &err, "fls_journal_sync_now");
}

static void remove_journal(large_journal *large)
{
    fls_journal_abandon(large->journal);
    journal_remove(large->path);
    bench_pool_fini(&large->pool);
}

/* The writer dies with messages in the file that no sync covers (but where a segment ended among
 * them), and one opens after it. */
static uint64_t crash_and_open(large_journal *large)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = large_options();
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    size_t unsynced = (bench_given()->smoke ? MIB / 4 : UNSYNCED_BYTES) / PAYLOAD_BYTES;
    journal_append_batches(large->journal, &large->pool, unsynced);
    bench_must(fls_journal_flush(large->journal, &err), &err, "fls_journal_flush");
    uint64_t messages = fls_journal_next_ordinal(large->journal);
    fls_journal_abandon(large->journal);
    uint64_t from = bench_now_ns();
    bench_must(fls_journal_open(&large->journal, large->path, &options, &report, &err), &err,
               "fls_journal_open");
    uint64_t ns = bench_now_ns() - from;
    if (report.was_clean || report.messages != messages ||
        report.base_ordinal + report.kept_messages != messages || report.kept_messages > unsynced) {
        bench_fail("opening: %llu messages of %llu, %llu kept", (unsigned long long)report.messages,
                   (unsigned long long)messages, (unsigned long long)report.kept_messages);
    }
    return ns;
}

static void measure_open(large_journal *large, large_journal *small)
{
    bench_latency times[2];
    size_t opens = bench_given()->smoke ? 2 : OPENS;
    bench_latency_goal goal = {.median_ns = OPEN_GOAL_NS};
    latency_init(&times[0], open_table, "256 MiB", opens);
    latency_init(&times[1], open_table, "10 GiB", opens);
    for (size_t i = 0; i < opens; i++) {
        latency_add(&times[0], crash_and_open(small));
        latency_add(&times[1], crash_and_open(large));
    }
    latency_heading("Open after a crash", open_table,
                    "from the page cache, 4 MiB not covered by a sync, which become durable; goal: "
                    "50 ms, whatever the size");
    latency_report(&times[0], &goal);
    latency_report(&times[1], &goal);
    latency_fini(&times[0]);
    latency_fini(&times[1]);
}

/* ---- seeking ---- */

/* Spread over all, and the same in every run. */
static uint64_t place(size_t i, uint64_t end)
{
    return (uint64_t)i * 0x9E3779B97F4A7C15u % end;
}

static void read_one(fls_journal_reader *reader, fls_message *message)
{
    fls_error err = FLS_ERROR_INIT;
    bench_must(fls_journal_reader_next(reader, message, &err), &err, "fls_journal_reader_next");
}

static void seek_ordinals(fls_journal_reader *reader, bench_latency *latency, uint64_t end,
                          uint64_t *times)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    for (size_t i = 0; i < latency->capacity; i++) {
        uint64_t ordinal = place(i, end);
        uint64_t from = bench_now_ns();
        bench_must(fls_journal_reader_seek_ordinal(reader, ordinal, &err), &err,
                   "fls_journal_reader_seek_ordinal");
        read_one(reader, &message);
        latency_add(latency, bench_now_ns() - from);
        if (message.ordinal != ordinal || message.time_ns == 0) {
            bench_fail("sought message %llu, found %llu", (unsigned long long)ordinal,
                       (unsigned long long)message.ordinal);
        }
        times[i] = message.time_ns;
    }
}

static void seek_times(fls_journal_reader *reader, bench_latency *latency, uint64_t end,
                       const uint64_t *times)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    for (size_t i = 0; i < latency->capacity; i++) {
        uint64_t from = bench_now_ns();
        bench_must(fls_journal_reader_seek_time(reader, times[i], &err), &err,
                   "fls_journal_reader_seek_time");
        read_one(reader, &message);
        latency_add(latency, bench_now_ns() - from);
        /* A whole batch has one time. */
        if (message.time_ns != times[i] || message.ordinal > place(i, end)) {
            bench_fail("sought time %llu, found %llu", (unsigned long long)times[i],
                       (unsigned long long)message.time_ns);
        }
    }
}

static void measure_seek(const char *path)
{
    bench_latency ordinals;
    bench_latency by_time;
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    uint64_t first;
    uint64_t end;
    size_t seeks = bench_given()->smoke ? 20 : SEEKS;
    uint64_t *times = calloc(seeks, sizeof *times);
    bench_latency_goal goal = {.median_ns = SEEK_GOAL_NS, .p999_ns = SEEK_GOAL_NS};
    if (times == NULL) {
        bench_fail("out of memory");
    }
    latency_init(&ordinals, seek_table, "ordinal", seeks);
    latency_init(&by_time, seek_table, "time", seeks);
    bench_must(fls_journal_reader_open(&reader, path, NULL, &err), &err, "fls_journal_reader_open");
    bench_must(fls_journal_reader_bounds(reader, &first, &end, &err), &err,
               "fls_journal_reader_bounds");
    seek_ordinals(reader, &ordinals, end, times);
    seek_times(reader, &by_time, end, times);
    fls_journal_reader_close(reader);
    latency_heading("Seek", seek_table,
                    "in 10 GiB of messages of 1 KiB, to random places and reading a message there; "
                    "goal: 1 ms");
    latency_report(&ordinals, &goal);
    latency_report(&by_time, &goal);
    latency_fini(&ordinals);
    latency_fini(&by_time);
    free(times);
}

void bench_journal_large(void)
{
    large_journal large;
    large_journal small;
    struct statvfs room;
    bool smoke = bench_given()->smoke;
    bool opens = latency_wanted(open_table, "10 GiB");
    bool seeks = latency_wanted(seek_table, "10 GiB");
    size_t bytes = smoke ? 4 * MIB : LARGE_BYTES;
    if (!opens && !seeks) {
        return;
    }
    if (!smoke && (statvfs(bench_given()->directory, &room) != 0 ||
                   (uint64_t)room.f_bavail * room.f_frsize < LARGE_BYTES + ROOM_BEYOND)) {
        (void)printf("\n%s, %s: not measured: there is no room for 10 GiB\n", open_table,
                     seek_table);
        return;
    }
    make_journal(&large, "large", bytes);
    if (opens) {
        make_journal(&small, "small", smoke ? MIB : SMALL_BYTES);
        measure_open(&large, &small);
        remove_journal(&small);
    }
    if (seeks) {
        measure_seek(large.path);
    }
    remove_journal(&large);
}
