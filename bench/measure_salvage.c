/* Salvage, of files in the page cache that are sound, of ones with a flipped bit in every MiB, and
 * the search through random bytes. All of it against a reader that checks every message of the
 * sound file.
 */
#include <string.h>
#include <unistd.h>

#include "roads.h"

#define KIB        ((size_t)1024)
#define MIB        (1024 * KIB)
#define SIZES      3
#define FLIP_EVERY MIB

static const size_t sizes[SIZES] = {100, 1024, 16384};

typedef struct salvage_road {
    const bench_stream *stream;
    const char *path;
    uint64_t flips;
} salvage_road;

static uint64_t run_verify(void *self)
{
    salvage_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_reader_options options = road_reader_options(road->stream->checksum);
    read_road reading = {.stream = road->stream};
    bench_must(fls_reader_open_file(&reading.reader, road->path, &options, &err), &err,
               "fls_reader_open_file");
    uint64_t messages = road_reader_batch(&reading);
    road_reader_close(&reading);
    return messages;
}

/* Returns the number of frames in the stream if no more are lost than bits were flipped. */
static uint64_t run_salvage(void *self)
{
    salvage_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    fls_salvage_report report = FLS_SALVAGE_REPORT_INIT;
    fls_salvage_event event;
    fls_salvager *salvager;
    fls_source source;
    fls_status status;
    uint64_t at = 0;
    options.checksum = road->stream->checksum;
    bench_must(fls_source_open_file(&source, road->path, &err), &err, "fls_source_open_file");
    bench_must(fls_salvage_open(&salvager, &source, &options, &err), &err, "fls_salvage_open");
    while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK && event.from == at) {
        at = event.to;
    }
    fls_salvage_get_report(salvager, &report);
    fls_salvage_close(salvager);
    fls_source_close(&source);
    if (status != FLS_END || at != road->stream->bytes ||
        report.messages + road->flips < road->stream->frames) {
        bench_fail("%llu of %zu messages were salvaged around %llu flips",
                   (unsigned long long)report.messages, road->stream->frames,
                   (unsigned long long)road->flips);
    }
    return road->stream->frames;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

static uint64_t flip_bits(uint8_t *memory, size_t bytes)
{
    uint64_t flips = 0;
    uint64_t state = 1;
    for (size_t from = 0; from + FLIP_EVERY <= bytes; from += FLIP_EVERY) {
        uint64_t place = next_random(&state) % (8 * FLIP_EVERY);
        memory[from + place / 8] ^= (uint8_t)(1u << place % 8);
        flips++;
    }
    return flips;
}

static void measure_files(const bench_stream *stream, uint8_t *memory)
{
    char damaged[512];
    salvage_road sound = {.stream = stream};
    salvage_road flipped = {.stream = stream, .path = damaged};
    (void)snprintf(damaged, sizeof damaged, "%s", bench_path("flipped"));
    sound.path = bench_path("sound");
    bench_write_path(sound.path, memory, stream->bytes);
    flipped.flips = flip_bits(memory, stream->bytes);
    bench_write_path(damaged, memory, stream->bytes);
    const bench_competitor competitors[] = {
        {"reader", BENCH_LIMIT, NULL, run_verify, NULL, &sound},
        {"sound", BENCH_SHOWN | BENCH_JUDGED, NULL, run_salvage, NULL, &sound},
        {"flipped", BENCH_SHOWN, NULL, run_salvage, NULL, &flipped}};
    bench_row row = {stream->pool->payload_bytes,
                     fls_checksum_name(stream->checksum),
                     (double)stream->frames,
                     (double)stream->bytes,
                     stream->frames,
                     1.11,
                     competitors,
                     3};
    bench_row_run(&row);
    (void)unlink(sound.path);
    (void)unlink(damaged);
}

void bench_salvage(void)
{
    static const bench_table table = {
        "salvage",
        "Salvage of a file in the page cache",
        "256 MiB, sound and with a flipped bit in each MiB; limit: a reader of the sound one; goal "
        "for the sound one 1.11, for the flipped one 1.43",
        "checksum",
        "reader",
        7,
        true,
        false,
        false,
        {"sound", "flipped"}};
    size_t bytes = (bench_given()->smoke ? 2 : 256) * MIB;
    bench_table_begin(&table);
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
            bench_pool pool;
            bench_stream stream;
            /* Without a checksum a flipped bit can lead anywhere. */
            if (bench_checksums[k] == FLS_CHECKSUM_NONE ||
                !bench_wanted(&table, sizes[i], fls_checksum_name(bench_checksums[k]))) {
                continue;
            }
            bench_pool_init(&pool, sizes[i], MIB);
            uint8_t *memory = bench_allocate(bytes);
            bench_stream_encode(&stream, memory, bytes, SIZE_MAX, &pool, bench_checksums[k]);
            measure_files(&stream, memory);
            bench_release(memory, bytes);
            bench_pool_fini(&pool);
        }
    }
}

/* ---- through random bytes ---- */

typedef struct search_road {
    const uint8_t *bytes;
    size_t size;
    fls_checksum checksum;
} search_road;

static uint64_t run_search(void *self)
{
    const search_road *road = self;
    fls_error err = FLS_ERROR_INIT;
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    fls_source source;
    uint64_t offset;
    options.checksum = road->checksum;
    bench_must(fls_source_from_memory(&source, road->bytes, road->size, &err), &err,
               "fls_source_from_memory");
    fls_status status = fls_salvage_find(&source, 0, road->size, &options, &offset, &err);
    fls_source_close(&source);
    return status == FLS_END;
}

static uint64_t run_sum(void *self)
{
    const search_road *road = self;
    uint64_t sum = 0;
    for (size_t i = 0; i + 8 <= road->size; i += 8) {
        uint64_t word;
        memcpy(&word, road->bytes + i, sizeof word);
        sum += word;
    }
    __asm__ volatile("" ::"r"(sum));
    return 1;
}

void bench_resync(void)
{
    static const bench_table table = {
        "resync",
        "The search for a frame through random bytes",
        "64 MiB in memory; limit: the sum of its words; goal: 500 MB/s",
        "checksum",
        "sum",
        7,
        true,
        false,
        true,
        {"search"}};
    size_t size = (bench_given()->smoke ? 2 : 64) * MIB;
    uint64_t state = 7;
    bench_table_begin(&table);
    uint8_t *bytes = bench_allocate(size);
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word = next_random(&state);
        memcpy(bytes + i, &word, sizeof word);
    }
    for (size_t k = 0; k < BENCH_CHECKSUMS; k++) {
        search_road road = {bytes, size, bench_checksums[k]};
        const bench_competitor competitors[] = {
            {"sum", BENCH_LIMIT, NULL, run_sum, NULL, &road},
            {"search", BENCH_SHOWN, NULL, run_search, NULL, &road}};
        if (bench_wanted(&table, size, fls_checksum_name(road.checksum))) {
            bench_row row = {
                size, fls_checksum_name(road.checksum), 1, (double)size, 1, 0, competitors, 2};
            bench_row_run(&row);
        }
    }
    bench_release(bytes, size);
}
