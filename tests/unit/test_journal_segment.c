/* Segments that are written: every one a stream of its own, with marks that speak the truth, on
 * disks that fill up too. */
#include "journal/journal_segment.h"

#include <errno.h>

#include "core/cpu.h"
#include "flatstream/reader.h"
#include "os/os_calls.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

/* A disk with so much room. */
static struct {
    uint64_t room;
    size_t at_most; /* bytes a write; 0: all */
} disk;

static ssize_t disk_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    size = disk.at_most != 0 && disk.at_most < size ? disk.at_most : size;
    if (disk.room == 0) {
        errno = ENOSPC;
        return -1;
    }
    size = size < disk.room ? size : (size_t)disk.room;
    disk.room -= size;
    return flsi_os_calls_system()->pwrite(fd, data, size, offset);
}

static ssize_t disk_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    (void)count;
    return disk_pwrite(fd, pieces[0].iov_base, pieces[0].iov_len, offset);
}

static flsi_os_calls calls;
static char path[256];
static flsi_directory directory;
static fls_digest_state digest;
static counting_allocator allocator;
static fls_error err;

static int set_up(void **state)
{
    (void)state;
    disk.room = UINT64_MAX;
    disk.at_most = 0;
    calls = *flsi_os_calls_system();
    calls.pwrite = disk_pwrite;
    calls.pwritev = disk_pwritev;
    counting_allocator_init(&allocator);
    files_make_directory(path, sizeof path);
    assert_status(flsi_directory_open(&directory, path, 0, &calls, &err), FLS_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    flsi_directory_close(&directory);
    files_remove_directory(path);
    assert_int_equal(allocator.live_blocks, 0);
    return 0;
}

#define FIRST 1000u

static void begin(flsi_segment *segment, fls_checksum checksum)
{
    static const flsi_manifest_type type = {0x1234567890ABCDEF, "TELE", "demo.Telemetry"};
    const flsi_segment_start start = {.first_ordinal = FIRST,
                                      .begun_ns = 5,
                                      .epoch = 3,
                                      .journal_id = 77,
                                      .header_flags = FLSI_HEADER_TIMES,
                                      .type_count = 1,
                                      .types = &type};
    assert_status(flsi_digest_init(&digest, checksum, NULL, flsi_cpu_features(), &err), FLS_OK,
                  &err);
    assert_status(flsi_segment_begin(segment, &directory, NULL, NULL, &start, &digest,
                                     &allocator.table, &err),
                  FLS_OK, &err);
}

/* Message n and its time: sizes from 1 byte to some that are handed over from where they lie. */
static size_t message_size(uint64_t n)
{
    prng random = prng_seeded(n);
    uint64_t kind = prng_below(&random, 1000);
    if (kind < 900) {
        return 1 + (size_t)prng_below(&random, 300);
    }
    return 1 + (size_t)prng_below(&random, kind < 990 ? 70000 : 700000);
}

static const void *message(uint64_t n, size_t *size)
{
    static uint8_t bytes[700008];
    prng random = prng_seeded(n * 7919);
    *size = message_size(n);
    uint64_t word = prng_next(&random);
    for (size_t i = 0; i < *size; i += 8) {
        memcpy(bytes + i, &word, 8);
        word = word * 6364136223846793005u + 1;
    }
    return bytes;
}

static uint64_t message_time(uint64_t n)
{
    return 1000000 + n / 3 * 50 + n / 50 * 1000;
}

static fls_status put(flsi_segment *segment, uint64_t n)
{
    size_t size;
    const void *payload = message(n, &size);
    return flsi_segment_put(segment, payload, size, message_time(n), &err);
}

static const char *name_of(flsi_name_kind kind)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, FIRST);
    return files_join(path, name);
}

/* The file, read by the library's reader as any stream is: exactly the first count messages. */
static void expect_messages(uint64_t count, fls_checksum checksum, uint64_t *offsets)
{
    fls_reader *reader;
    fls_message got;
    uint64_t n = 0;
    fls_status status;
    fls_reader_options options = FLS_READER_OPTIONS_INIT;
    options.checksum = checksum;
    assert_status(fls_reader_open_file(&reader, name_of(FLSI_NAME_SEGMENT), &options, &err), FLS_OK,
                  &err);
    while ((status = fls_reader_next(reader, &got, &err)) == FLS_OK) {
        size_t size;
        const void *payload = message(n, &size);
        assert_int_equal(got.size, size);
        assert_memory_equal(got.payload, payload, size);
        if (offsets != NULL) {
            offsets[n] = got.offset;
        }
        n++;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(n, count);
    fls_reader_close(reader);
}

/* The marks say of every message where (or in which piece) it is and when it was received. */
static void expect_marks(uint64_t count, const uint64_t *offsets, uint32_t sealed)
{
    byte_buffer bytes = BYTES_INIT;
    flsi_marks_walk walk;
    flsi_record record;
    uint64_t timed = 0;
    uint64_t last_offset = 0;
    uint64_t pieces = 0;
    assert_int_equal(files_read(name_of(FLSI_NAME_MARKS), &bytes), 0);
    assert_status(flsi_marks_walk_begin(&walk, bytes.data, bytes.size, &err), FLS_OK, &err);
    assert_int_equal(walk.header.ordinal, FIRST);
    assert_int_equal(walk.header.small, 3);
    fls_status status;
    while ((status = flsi_marks_walk_next(&walk, &record, &err)) == FLS_OK) {
        if (record.type == FLSI_RECORD_TYPE) {
            assert_int_equal(record.small, strlen("demo.Telemetry"));
            assert_memory_equal(record.data, "demo.Telemetry", record.small);
            assert_int_equal(record.id, 0x1234567890ABCDEF);
        }
        if (record.type == FLSI_RECORD_OFFSET) {
            uint64_t n = record.ordinal - FIRST;
            assert_true(n < count);
            assert_int_equal(record.offset, offsets[n]);
            assert_int_equal(record.time_ns, message_time(n));
            /* Not over 64 KiB without one, but for one message that is larger. */
            assert_true(record.offset - last_offset <= 65536 || offsets[n - 1] == last_offset);
            last_offset = record.offset;
            pieces++;
        }
        if (record.type == FLSI_RECORD_TIMES) {
            flsi_times_walk times;
            flsi_times_begin(&times, &record);
            do {
                assert_int_equal(times.ordinal, FIRST + timed);
                assert_int_equal(times.time_ns, message_time(timed));
                timed++;
            } while (flsi_times_next(&times));
        }
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(timed, count);
    assert_int_equal(walk.sealed, sealed);
    assert_int_equal(walk.valid_bytes, bytes.size);
    assert_true(pieces > 1);
    bytes_free(&bytes);
}

#define MANY 3000u

static void test_every_size_and_checksum(void **state)
{
    (void)state;
    static uint64_t offsets[MANY];
    for (size_t c = 0; c < FRAMES_CHECKSUMS; c++) {
        flsi_segment segment;
        begin(&segment, frames_checksums[c]);
        for (uint64_t n = 0; n < MANY; n++) {
            assert_status(put(&segment, n), FLS_OK, &err);
            if (n % 700 == 699) {
                assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
                assert_false(flsi_segment_holds(&segment));
            }
        }
        assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
        assert_int_equal(segment.next_ordinal, FIRST + MANY);
        const flsi_record durable = {.type = FLSI_RECORD_DURABLE,
                                     .small = segment.proof_bytes,
                                     .ordinal = segment.begin_ordinal,
                                     .offset = segment.begin_offset,
                                     .value = segment.proof};
        assert_status(flsi_segment_mark_durable(&segment, &durable, &err), FLS_OK, &err);
        assert_status(flsi_segment_seal(&segment, FLSI_SEAL_ROTATED, &err), FLS_OK, &err);
        assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), flsi_segment_bytes(&segment));
        assert_int_equal(files_size(name_of(FLSI_NAME_MARKS)), segment.marks_offset);
        flsi_segment_end(&segment);
        expect_messages(MANY, frames_checksums[c], offsets);
        expect_marks(MANY, offsets, FLSI_SEAL_ROTATED);
        assert_int_equal(remove(name_of(FLSI_NAME_SEGMENT)), 0);
        assert_int_equal(remove(name_of(FLSI_NAME_MARKS)), 0);
    }
}

/* At each flush the proof is that of the last 4096 bytes at most of the last frame. */
static void test_proofs(void **state)
{
    (void)state;
    flsi_segment segment;
    byte_buffer bytes = BYTES_INIT;
    begin(&segment, FLS_CHECKSUM_XXH3);
    for (uint64_t n = 0; n < 400; n++) {
        uint64_t frame = message_size(n) + 12;
        assert_status(put(&segment, n), FLS_OK, &err);
        assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
        size_t wanted = frame < FLSI_PROOF_BYTES ? (size_t)frame : FLSI_PROOF_BYTES;
        assert_int_equal(segment.proof_bytes, wanted);
        bytes_clear(&bytes);
        assert_int_equal(files_read(name_of(FLSI_NAME_SEGMENT), &bytes), 0);
        assert_int_equal(bytes.size, segment.begin_offset);
        assert_int_equal(
            segment.proof,
            fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes.data + bytes.size - wanted, wanted));
    }
    flsi_segment_end(&segment);
    bytes_free(&bytes);
}

/* However little room comes back each time, no message is lost, torn or taken twice, and the file
 * never ends within one. */
static void test_full_disk(void **state)
{
    (void)state;
    static uint64_t offsets[MANY];
    prng random = prng_seeded(4);
    flsi_segment segment;
    begin(&segment, FLS_CHECKSUM_XXH3);
    uint64_t refused = 0;
    disk.room = 100000;
    disk.at_most = 60000;
    for (uint64_t n = 0; n < MANY;) {
        uint64_t before = segment.next_ordinal;
        fls_status status = put(&segment, n);
        if (status == FLS_OK) {
            n++;
            continue;
        }
        assert_status(status, FLS_NO_SPACE, &err);
        assert_int_equal(segment.next_ordinal, before);
        assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), segment.begin_offset);
        expect_messages(segment.begin_ordinal - FIRST, FLS_CHECKSUM_XXH3, NULL);
        refused++;
        disk.room = refused % 3 == 0 ? 0 : prng_below(&random, 1500000);
    }
    assert_true(refused > 20);
    disk.room = UINT64_MAX;
    assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
    flsi_segment_end(&segment);
    expect_messages(MANY, FLS_CHECKSUM_XXH3, offsets);
    expect_marks(MANY, offsets, 0);
}

/* Frames are handed over up to whole multiples of 256 KiB; what is said to be held is whole frames,
 * and a disk that is full has the file cut back to whole frames. */
static void test_handed_over_to_an_edge(void **state)
{
    (void)state;
    static const uint8_t payload[1000] = {1, 2, 3};
    flsi_segment segment;
    begin(&segment, FLS_CHECKSUM_XXH3);
    uint64_t size = 0;
    for (uint64_t n = 0; n < 2000; n++) {
        assert_status(flsi_segment_put(&segment, payload, sizeof payload, 7, &err), FLS_OK, &err);
        size = files_size(name_of(FLSI_NAME_SEGMENT));
        assert_int_equal(size % (256 * 1024), 0);
        assert_int_equal(segment.begin_offset, size / 1012 * 1012);
        assert_int_equal(segment.begin_ordinal, FIRST + size / 1012);
        assert_int_equal(flsi_segment_bytes(&segment), (n + 1) * 1012);
    }
    assert_true(size > segment.begin_offset);
    disk.room = 0;
    assert_status(flsi_segment_flush(&segment, &err), FLS_NO_SPACE, &err);
    assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), segment.begin_offset);
    while (flsi_segment_put(&segment, payload, sizeof payload, 7, &err) == FLS_OK) {
    }
    assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), segment.begin_offset);
    uint64_t taken = segment.next_ordinal;
    disk.room = UINT64_MAX;
    assert_status(flsi_segment_put(&segment, payload, sizeof payload, 7, &err), FLS_OK, &err);
    assert_int_equal(segment.next_ordinal, taken + 1);
    assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
    assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), (taken + 1 - FIRST) * 1012);
    flsi_segment_end(&segment);
}

static void test_goes_on_where_it_was(void **state)
{
    (void)state;
    static uint64_t offsets[MANY];
    flsi_segment segment;
    begin(&segment, FLS_CHECKSUM_CRC32);
    for (uint64_t n = 0; n < MANY; n++) {
        assert_status(put(&segment, n), FLS_OK, &err);
        if (n % 1000 != 500) {
            continue;
        }
        assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
        assert_status(flsi_segment_seal(&segment, FLSI_SEAL_CLOSED, &err), FLS_OK, &err);
        const flsi_journal_place place = {.next_ordinal = segment.next_ordinal,
                                          .last_time_ns = segment.last_time_ns,
                                          .has_segment = 1,
                                          .segment_first_ordinal = FIRST,
                                          .segment_offset = segment.begin_offset,
                                          .marks_offset = segment.marks_offset,
                                          .segment_begun_ns = 5,
                                          .segment_epoch = 3};
        flsi_segment_end(&segment);
        assert_status(flsi_segment_resume(&segment, &directory, &place, FLSI_HEADER_TIMES, &digest,
                                          &allocator.table, &err),
                      FLS_OK, &err);
    }
    assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
    flsi_segment_end(&segment);
    expect_messages(MANY, FLS_CHECKSUM_CRC32, offsets);
    expect_marks(MANY, offsets, 0);
}

/* One that holds something is not begun again; one that holds nothing is. */
static void test_names_that_are_taken(void **state)
{
    (void)state;
    const flsi_segment_start start = {.first_ordinal = FIRST};
    flsi_segment segment;
    files_write(name_of(FLSI_NAME_SEGMENT), "", 0);
    files_write(name_of(FLSI_NAME_MARKS), "something", 9);
    begin(&segment, FLS_CHECKSUM_XXH3);
    assert_status(put(&segment, 0), FLS_OK, &err);
    assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
    flsi_segment_end(&segment);
    assert_status(flsi_segment_begin(&segment, &directory, NULL, NULL, &start, &digest,
                                     &allocator.table, &err),
                  FLS_IO, &err);
    flsi_segment_end(&segment);
    expect_messages(1, FLS_CHECKSUM_XXH3, NULL);
}

static void test_gaps_keep_their_place(void **state)
{
    (void)state;
    flsi_segment segment;
    byte_buffer bytes = BYTES_INIT;
    flsi_marks_walk walk;
    flsi_record record;
    begin(&segment, FLS_CHECKSUM_XXH3);
    for (uint64_t n = 0; n < 500; n++) {
        if (n % 7 == 0) {
            const flsi_record gap = {.type = FLSI_RECORD_GAP,
                                     .flags = FLS_GAP_DROPPED_NEWEST,
                                     .small = 9,
                                     .ordinal = segment.next_ordinal,
                                     .offset = n + 1};
            assert_status(flsi_segment_mark(&segment, &gap, &err), FLS_OK, &err);
        }
        assert_status(put(&segment, n), FLS_OK, &err);
    }
    assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
    flsi_segment_end(&segment);
    assert_int_equal(files_read(name_of(FLSI_NAME_MARKS), &bytes), 0);
    assert_status(flsi_marks_walk_begin(&walk, bytes.data, bytes.size, &err), FLS_OK, &err);
    uint64_t n = 0;
    while (flsi_marks_walk_next(&walk, &record, &err) == FLS_OK) {
        if (record.type == FLSI_RECORD_GAP) {
            assert_int_equal(record.ordinal, FIRST + n);
            assert_int_equal(record.offset, n + 1);
            n += 7;
        }
    }
    assert_int_equal(n, 504);
    assert_int_equal(walk.valid_bytes, bytes.size);
    bytes_free(&bytes);
}

/* Memory that runs out at any call: the message is not taken, and later ones are. */
static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 6; at++) {
        const flsi_segment_start start = {.first_ordinal = FIRST, .header_flags = 1};
        flsi_segment segment;
        allocator.fail_from = allocator.calls + at;
        allocator.fail_calls = 1;
        fls_status status = flsi_segment_begin(&segment, &directory, NULL, NULL, &start, &digest,
                                               &allocator.table, &err);
        uint64_t n = 0;
        for (int tries = 0; status == FLS_OK && tries < 600; tries++) {
            n += flsi_segment_put(&segment, "abcdefgh", 8, 1 + n, &err) == FLS_OK;
        }
        if (status == FLS_OK) {
            assert_true(n >= 599);
            assert_int_equal(segment.next_ordinal, FIRST + n);
            assert_status(flsi_segment_flush(&segment, &err), FLS_OK, &err);
            assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT)), n * 20);
        }
        flsi_segment_end(&segment);
        (void)remove(name_of(FLSI_NAME_SEGMENT));
        (void)remove(name_of(FLSI_NAME_MARKS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_size_and_checksum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_proofs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_handed_over_to_an_edge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gaps_keep_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
