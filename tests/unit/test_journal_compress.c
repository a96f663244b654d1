/* Compressing sealed segments on a disk that loses power at every call, and whose calls fail: at
 * any moment a segment is there whole, plain or compressed, and a compressed one never without the
 * manifest's saying so. */
#include <errno.h>

#include "crash_disk.h"
#include "journal/journal_compress.h"
#include "journal/journal_listing.h"
#include "journal/journal_marks.h"
#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "support/testing.h"

enum { SEGMENTS = 3, MESSAGES = 30, SEEDS = 2, LONG_FRAME_BYTES = 5 << 20 };

static crash_disk *disk;
static byte_buffer plain[SEGMENTS];
static fls_error err;

static void open_directory(flsi_directory *directory)
{
    assert_status(flsi_directory_open(directory, ".", 0, crash_disk_calls(), &err), FLS_OK, &err);
}

static void put_file(const flsi_directory *directory, flsi_name_kind kind, uint64_t ordinal,
                     const void *data, size_t size)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, ordinal);
    assert_status(flsi_directory_write_file(directory, name, data, size, &err), FLS_OK, &err);
}

static void add(flsi_marks_builder *marks, flsi_record record)
{
    assert_status(flsi_marks_reserve(marks, 1, 0, &err), FLS_OK, &err);
    flsi_marks_add(marks, &record, NULL);
}

static void put_marks(const flsi_directory *directory, unsigned segment, unsigned seal)
{
    flsi_marks_builder marks;
    uint64_t first = (uint64_t)segment * MESSAGES;
    flsi_marks_builder_init(&marks, fls_allocator_libc());
    add(&marks, (flsi_record){.type = FLSI_RECORD_HEADER,
                              .flags = FLSI_MARKS_VERSION,
                              .checksum = FLS_CHECKSUM_XXH3,
                              .small = 1,
                              .ordinal = first,
                              .id = 1,
                              .time_ns = 1000});
    if (seal != 0) {
        add(&marks, (flsi_record){.type = FLSI_RECORD_SEAL,
                                  .flags = (uint8_t)seal,
                                  .ordinal = first + MESSAGES,
                                  .offset = plain[segment].size,
                                  .time_ns = 2000});
    }
    flsi_marks_close_frame(&marks);
    put_file(directory, FLSI_NAME_MARKS, first, marks.frames, marks.size);
    flsi_marks_builder_fini(&marks);
}

/* A journal of three segments, of which the first two are sealed. */
static void lay_journal(void)
{
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    prng random = prng_seeded(12);
    flsi_directory directory;
    flsi_manifest manifest;
    disk = crash_disk_new(1);
    (void)crash_disk_use(disk);
    open_directory(&directory);
    memset(&manifest, 0, sizeof manifest);
    manifest.epoch = 1;
    manifest.checksum = FLS_CHECKSUM_XXH3;
    manifest.max_frame_bytes = 1u << 24;
    assert_status(flsi_manifest_store(&manifest, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        uint8_t payload[200];
        bytes_clear(&plain[i]);
        for (unsigned k = 0; k < MESSAGES; k++) {
            memset(payload, (int)k, sizeof payload);
            frames_append(&plain[i], &format, payload, 1 + (size_t)prng_below(&random, 200));
        }
        put_file(&directory, FLSI_NAME_SEGMENT, (uint64_t)i * MESSAGES, plain[i].data,
                 plain[i].size);
        put_marks(&directory, i, i + 1 < SEGMENTS ? FLSI_SEAL_ROTATED : 0);
    }
    flsi_directory_close(&directory);
}

static int setup(void **state)
{
    (void)state;
    if (!flsi_zstd_is_there()) {
        return 0;
    }
    lay_journal();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (disk != NULL) {
        assert_int_equal(crash_disk_open_files(disk), 0);
        (void)crash_disk_use(NULL);
        crash_disk_free(disk);
        disk = NULL;
    }
    for (unsigned i = 0; i < SEGMENTS; i++) {
        bytes_free(&plain[i]);
        plain[i] = (byte_buffer)BYTES_INIT;
    }
    return 0;
}

static void need_zstd(void)
{
    if (!flsi_zstd_is_there()) {
        uint64_t segments;
        assert_int_equal(flsi_journal_compress(".", 0, NULL, &segments, NULL, &err),
                         FLS_UNSUPPORTED);
        skip();
    }
}

static fls_status compress(uint64_t *segments)
{
    uint64_t saved;
    return flsi_journal_compress(".", 0, crash_disk_calls(), segments, &saved, &err);
}

/* The plain bytes of a compressed segment. */
static void assert_compressed(const flsi_directory *directory, const char *name,
                              const byte_buffer *wanted)
{
    flsi_file file;
    flsi_zstd_reader *reader;
    uint8_t *content = malloc(wanted->size);
    assert_non_null(content);
    assert_status(flsi_directory_file(directory, &file, name, FLSI_OPEN_READ, NULL, &err), FLS_OK,
                  &err);
    assert_status(flsi_zstd_open(&reader, &file, fls_allocator_libc(), &err), FLS_OK, &err);
    assert_int_equal(flsi_zstd_bytes(reader), wanted->size);
    for (size_t at = 0, got; at < wanted->size; at += got) {
        assert_status(flsi_zstd_read_at(reader, at, content + at, wanted->size - at, &got, &err),
                      FLS_OK, &err);
    }
    assert_memory_equal(content, wanted->data, wanted->size);
    free(content);
    flsi_zstd_close(reader);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
}

/* Every segment is whole on the disk in use. Returns how many are compressed and not plain. */
static unsigned assert_whole(void)
{
    flsi_directory directory;
    flsi_listing listing;
    flsi_manifest manifest;
    byte_buffer content = BYTES_INIT;
    unsigned compressed = 0;
    crash_disk *now = crash_disk_use(NULL);
    (void)crash_disk_use(now);
    open_directory(&directory);
    assert_status(flsi_manifest_load(&manifest, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_status(flsi_listing_read(&listing, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_int_equal(listing.count, SEGMENTS);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        const flsi_listed_segment *segment = listing.segments + i;
        char name[FLSI_NAME_BYTES];
        if (segment->has_compressed) {
            assert_int_equal(manifest.incompatible, FLSI_FEATURE_COMPRESSED);
            flsi_name_format(name, FLSI_NAME_COMPRESSED, segment->first_ordinal);
            assert_compressed(&directory, name, &plain[i]);
            compressed += !segment->has_plain;
        }
        if (segment->has_plain) {
            flsi_name_format(name, FLSI_NAME_SEGMENT, segment->first_ordinal);
            assert_int_equal(crash_disk_read(now, name, &content), 1);
            assert_int_equal(content.size, plain[i].size);
            assert_memory_equal(content.data, plain[i].data, content.size);
        }
    }
    flsi_listing_fini(&listing);
    flsi_directory_close(&directory);
    bytes_free(&content);
    return compressed;
}

static void sealed_ones_are_compressed(void **state)
{
    uint64_t segments;
    (void)state;
    need_zstd();
    assert_status(compress(&segments), FLS_OK, &err);
    assert_int_equal(segments, 2);
    assert_int_equal(assert_whole(), 2);
    assert_status(compress(&segments), FLS_OK, &err);
    assert_int_equal(segments, 0);
    assert_int_equal(assert_whole(), 2);
}

/* Pieces end with frames, but within long ones. */
static void long_frames_are_cut(void **state)
{
    const ref_format format = {FLS_CHECKSUM_XXH3, NULL, 0};
    flsi_directory directory;
    uint64_t segments;
    uint8_t *payload = malloc(LONG_FRAME_BYTES);
    prng random = prng_seeded(3);
    (void)state;
    if (!flsi_zstd_is_there()) {
        free(payload);
        skip();
    }
    assert_non_null(payload);
    prng_fill(&random, payload, LONG_FRAME_BYTES);
    bytes_clear(&plain[0]);
    for (unsigned k = 0; k < MESSAGES; k++) {
        frames_append(&plain[0], &format, payload, k == 7 ? LONG_FRAME_BYTES : 100000 + k);
    }
    free(payload);
    open_directory(&directory);
    put_file(&directory, FLSI_NAME_SEGMENT, 0, plain[0].data, plain[0].size);
    put_marks(&directory, 0, FLSI_SEAL_ROTATED);
    flsi_directory_close(&directory);
    assert_status(compress(&segments), FLS_OK, &err);
    assert_int_equal(segments, 2);
    assert_int_equal(assert_whole(), 2);
}

/* Whatever the crash at this point left: everything is whole, and a second try ends it. */
static void try_crash(void *self, crash_disk *from)
{
    unsigned *points = self;
    for (crash_kind kind = 0; kind < CRASH_KINDS; kind++) {
        for (uint64_t seed = 0; seed < (kind == CRASH_RANDOM ? 4 * SEEDS : SEEDS); seed++) {
            uint64_t segments;
            crash_disk *after = crash_disk_crash(from, kind, 1000 * *points + seed);
            crash_disk *before = crash_disk_use(after);
            (void)assert_whole();
            assert_status(compress(&segments), FLS_OK, &err);
            assert_int_equal(assert_whole(), 2);
            assert_int_equal(crash_disk_open_files(after), 0);
            (void)crash_disk_use(before);
            crash_disk_free(after);
        }
    }
    ++*points;
}

static void crash_at_every_call(void **state)
{
    unsigned points = 0;
    uint64_t segments;
    (void)state;
    need_zstd();
    crash_disk_faults(disk)->point = try_crash;
    crash_disk_faults(disk)->point_self = &points;
    assert_status(compress(&segments), FLS_OK, &err);
    crash_disk_faults(disk)->point = NULL;
    try_crash(&points, disk);
    assert_true(points > 20);
    print_message("%u crash points\n", points);
}

static void every_call_may_fail(void **state)
{
    uint64_t segments;
    uint64_t failed = 0;
    (void)state;
    need_zstd();
    for (uint64_t call = 1;; call++) {
        crash_disk *fresh = crash_disk_crash(disk, CRASH_LOSE, call);
        crash_disk *before = crash_disk_use(fresh);
        crash_disk_faults(fresh)->fail_at = call;
        fls_status st = compress(&segments);
        int reached = crash_disk_faults(fresh)->failed != NULL;
        crash_disk_faults(fresh)->fail_at = 0;
        failed += st != FLS_OK;
        (void)assert_whole();
        assert_status(compress(&segments), FLS_OK, &err);
        assert_int_equal(assert_whole(), 2);
        assert_int_equal(crash_disk_open_files(fresh), 0);
        (void)crash_disk_use(before);
        crash_disk_free(fresh);
        if (!reached) {
            break;
        }
    }
    assert_true(failed > 30);
}

static void damage_stays_as_it_is(void **state)
{
    flsi_directory directory;
    uint64_t segments;
    (void)state;
    need_zstd();
    plain[0].data[plain[0].size / 2] ^= 1;
    open_directory(&directory);
    put_file(&directory, FLSI_NAME_SEGMENT, 0, plain[0].data, plain[0].size);
    flsi_directory_close(&directory);
    assert_int_equal(compress(&segments), FLS_CHECKSUM_MISMATCH);
    assert_int_equal(segments, 1);
    assert_int_equal(assert_whole(), 1);
}

static void only_what_is_sealed(void **state)
{
    flsi_directory directory;
    uint64_t segments;
    (void)state;
    need_zstd();
    open_directory(&directory);
    put_marks(&directory, 0, FLSI_SEAL_CLOSED);
    put_marks(&directory, 1, FLSI_SEAL_RECOVERED);
    flsi_directory_close(&directory);
    assert_status(compress(&segments), FLS_OK, &err);
    assert_int_equal(segments, 1);
    assert_int_equal(assert_whole(), 1);
}

/* A seal that speaks of another end than the segment has is not believed. */
static void seal_has_to_fit(void **state)
{
    flsi_directory directory;
    uint64_t segments;
    (void)state;
    need_zstd();
    open_directory(&directory);
    plain[0].size--;
    put_marks(&directory, 0, FLSI_SEAL_ROTATED);
    plain[0].size++;
    flsi_directory_close(&directory);
    assert_int_equal(compress(&segments), FLS_INVALID_FRAME);
    assert_int_equal(segments, 1);
    assert_int_equal(assert_whole(), 1);
}

static void writer_has_to_have_allowed_it(void **state)
{
    flsi_directory directory;
    flsi_file lock;
    uint64_t segments;
    (void)state;
    need_zstd();
    open_directory(&directory);
    assert_status(flsi_directory_file(&directory, &lock, FLSI_LOCK_NAME,
                                      FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK, NULL,
                                      &err),
                  FLS_OK, &err);
    assert_int_equal(compress(&segments), FLS_LOCKED);
    assert_int_equal(assert_whole(), 0);
    assert_status(flsi_file_close(&lock, &err), FLS_OK, &err);
    assert_status(compress(&segments), FLS_OK, &err);

    /* The bit is there now: beside the writer too. */
    assert_status(flsi_directory_file(&directory, &lock, FLSI_LOCK_NAME,
                                      FLSI_OPEN_WRITE | FLSI_OPEN_LOCK, NULL, &err),
                  FLS_OK, &err);
    assert_status(compress(&segments), FLS_OK, &err);
    assert_status(flsi_file_close(&lock, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
}

/* Retention takes the segment away just before the compressed one gets its name. */
typedef struct retention {
    flsi_directory directory;
    unsigned calls;
} retention;

static fls_status take_first(void *self)
{
    retention *taken = self;
    char name[FLSI_NAME_BYTES];
    if (taken->calls++ == 0) {
        flsi_name_format(name, FLSI_NAME_SEGMENT, 0);
        assert_status(flsi_directory_remove(&taken->directory, name, &err), FLS_OK, &err);
    }
    return FLS_OK;
}

static fls_status stop(void *self)
{
    ++*(unsigned *)self;
    return FLS_STOPPED;
}

static flsi_compress_job job_on(const flsi_directory *directory)
{
    flsi_compress_job job = {0};
    job.directory = directory;
    job.checksum = FLS_CHECKSUM_XXH3;
    job.max_frame_bytes = 1u << 24;
    job.allocator = fls_allocator_libc();
    return job;
}

static void what_retention_took_does_not_come_back(void **state)
{
    retention taken = {0};
    flsi_listing listing;
    (void)state;
    need_zstd();
    open_directory(&taken.directory);
    flsi_compress_job job = job_on(&taken.directory);
    job.between = take_first;
    job.between_self = &taken;
    assert_status(flsi_compress_sealed(&job, &err), FLS_OK, &err);
    assert_int_equal(job.segments, 1);
    assert_true(taken.calls > 1);
    assert_status(flsi_listing_read(&listing, &taken.directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_int_equal(listing.count, SEGMENTS - 1);
    assert_int_equal(listing.segments[0].first_ordinal, MESSAGES);
    flsi_listing_fini(&listing);
    flsi_directory_close(&taken.directory);
}

/* Another comes before the step of the first one with this number. */
typedef struct visit {
    unsigned step;
    unsigned at;
    int within;
} visit;

static void compress_too(void *self, crash_disk *on)
{
    visit *visited = self;
    uint64_t segments;
    (void)on;
    if (!visited->within && visited->step++ == visited->at) {
        visited->within = 1;
        fls_status status = compress(&segments);
        assert_true(status == FLS_OK || status == FLS_LOCKED); /* while the manifest is changed */
        visited->within = 0;
    }
}

/* Both are done, and no segment is lost. */
static void two_at_once(void **state)
{
    (void)state;
    need_zstd();
    uint64_t segments;
    visit visited = {0, 0, 0};
    do {
        (void)teardown(NULL);
        lay_journal();
        visited.step = 0;
        crash_disk_faults(disk)->point = compress_too;
        crash_disk_faults(disk)->point_self = &visited;
        assert_status(compress(&segments), FLS_OK, &err);
        crash_disk_faults(disk)->point = NULL;
        assert_int_equal(assert_whole(), 2);
    } while (visited.at++ < visited.step);
    assert_true(visited.at > 10);
}

static void it_can_be_stopped(void **state)
{
    flsi_directory directory;
    unsigned calls = 0;
    uint64_t segments;
    (void)state;
    need_zstd();
    open_directory(&directory);
    flsi_compress_job job = job_on(&directory);
    job.between = stop;
    job.between_self = &calls;
    assert_int_equal(flsi_compress_sealed(&job, &err), FLS_STOPPED);
    assert_int_equal(calls, 1);
    assert_int_equal(job.segments, 0);
    flsi_directory_close(&directory);
    assert_int_equal(assert_whole(), 0);
    assert_status(compress(&segments), FLS_OK, &err);
    assert_int_equal(assert_whole(), 2);
}

int main(void)
{
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_DISK(sealed_ones_are_compressed),
        ON_DISK(long_frames_are_cut),
        ON_DISK(crash_at_every_call),
        ON_DISK(every_call_may_fail),
        ON_DISK(damage_stays_as_it_is),
        ON_DISK(only_what_is_sealed),
        ON_DISK(seal_has_to_fit),
        ON_DISK(writer_has_to_have_allowed_it),
        ON_DISK(what_retention_took_does_not_come_back),
        ON_DISK(two_at_once),
        ON_DISK(it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
