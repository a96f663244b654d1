/* What marks say of their end: that it is found without reading them all makes no difference, but
 * for damage that no crash leaves.
 */
#include "journal/journal_tail.h"

#include "flatstream/frame.h"
#include "flatstream/journal_reader.h"
#include "journal/journal_marks_file.h"
#include "os/os_calls.h"
#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

static char path[256];
static flsi_directory directory;
static flsi_manifest manifest;
static flsi_listing listing;
static byte_buffer marks;
static fls_error err;

static uint64_t bytes_read;

static ssize_t count_pread(int fd, void *data, size_t size, off_t offset)
{
    ssize_t got = flsi_os_calls_system()->pread(fd, data, size, offset);
    bytes_read += got > 0 ? (uint64_t)got : 0;
    return got;
}

static const char *marks_path(void)
{
    return files_join(path, "00000000000000000000.flm");
}

/* A journal of one segment. */
static void make(fls_journal_sync sync, int count, int is_closed)
{
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal *journal;
    static const uint8_t payload[40] = {1};
    files_make_directory(path, sizeof path);
    options.polled = 1;
    options.sync = sync;
    options.sync_messages = 7;
    options.no_redo = 1; /* durable marks of the files */
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    for (int i = 0; i < count; i++) {
        assert_status(fls_journal_append(journal, payload, 5 + (size_t)i % 30, NULL, &err), FLS_OK,
                      &err);
    }
    if (is_closed) {
        assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    } else {
        assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
        fls_journal_abandon(journal);
    }
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_manifest_load(&manifest, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_status(flsi_listing_read(&listing, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    marks = (byte_buffer)BYTES_INIT;
    assert_int_equal(files_read(marks_path(), &marks), 0);
}

static void unmake(void)
{
    bytes_free(&marks);
    flsi_listing_fini(&listing);
    flsi_directory_close(&directory);
    files_remove_directory(path);
}

static flsi_journal_tail open_tail(int all)
{
    flsi_journal_tail tail;
    assert_status(flsi_journal_tail_open(&tail, &manifest, &directory, &listing.segments[0], all,
                                         FLSI_OPEN_READ, fls_allocator_libc(), &err),
                  FLS_OK, &err);
    flsi_journal_tail_close(&tail);
    return tail;
}

static void assert_same(const flsi_journal_tail *a, const flsi_journal_tail *b)
{
    assert_int_equal(a->sound, b->sound);
    assert_int_equal(a->marks_bytes, b->marks_bytes);
    assert_int_equal(a->valid_bytes, b->valid_bytes);
    assert_int_equal(a->base_ordinal, b->base_ordinal);
    assert_int_equal(a->base_offset, b->base_offset);
    assert_int_equal(a->proof, b->proof);
    assert_int_equal(a->sealed, b->sealed);
    assert_int_equal(a->superseding, b->superseding);
    assert_int_equal(a->last_time_ns, b->last_time_ns);
    assert_int_equal(a->near_base, b->near_base);
    assert_int_equal(a->header.time_ns, b->header.time_ns);
}

/* Torn anywhere, with or without zeros or older bytes behind. */
static void test_torn(void **state)
{
    (void)state;
    prng random = prng_seeded(1);
    for (int closed = 0; closed < 2; closed++) {
        make(FLS_JOURNAL_SYNC_EVERY, 700, closed);
        assert_true(marks.size > 8192);
        for (size_t size = marks.size; size > 40; size -= 1 + prng_below(&random, 100)) {
            byte_buffer torn = BYTES_INIT;
            bytes_append(&torn, marks.data, size);
            if (size % 3 == 1) {
                memset(torn.data + size - size % 37, 0, size % 37);
            }
            files_write(marks_path(), torn.data, torn.size);
            bytes_free(&torn);
            const flsi_journal_tail some = open_tail(0);
            const flsi_journal_tail all = open_tail(1);
            assert_same(&some, &all);
        }
        unmake();
    }
}

/* What is before marks that were synced was synced too: damage in it is none of opening's business.
 */
static void test_damaged_before(void **state)
{
    (void)state;
    make(FLS_JOURNAL_SYNC_EVERY, 700, 0);
    const flsi_journal_tail sound = open_tail(0);
    marks.data[marks.size / 2] ^= 1;
    files_write(marks_path(), marks.data, marks.size);
    const flsi_journal_tail some = open_tail(0);
    const flsi_journal_tail all = open_tail(1);
    assert_same(&some, &sound);
    assert_true(all.base_ordinal < sound.base_ordinal);
    assert_true(all.valid_bytes <= marks.size / 2);
    unmake();
}

/* With one durable mark only, what is before it may have been torn with it. */
static void test_one_durable(void **state)
{
    (void)state;
    make(FLS_JOURNAL_SYNC_NONE, 100000, 1);
    flsi_marks_file file;
    flsi_file opened;
    uint64_t from;
    assert_true(marks.size > 20000);
    assert_status(flsi_directory_file(&directory, &opened, "00000000000000000000.flm",
                                      FLSI_OPEN_READ, NULL, &err),
                  FLS_OK, &err);
    flsi_marks_file_init(&file, &opened, fls_allocator_libc());
    /* Closed: its SEAL says that all before it was synced. Without, nothing does. */
    assert_status(flsi_marks_file_near_end(&file, marks.size, &from, &err), FLS_OK, &err);
    assert_true(from > marks.size / 2);
    files_write(marks_path(), marks.data, marks.size - 1);
    file.window_bytes = 0;
    assert_status(flsi_marks_file_near_end(&file, marks.size - 1, &from, &err), FLS_OK, &err);
    assert_int_equal(from, 0);
    flsi_marks_file_fini(&file);
    (void)flsi_file_close(&opened, NULL);
    unmake();
}

/* Opening reads no more of a long segment's marks than of a short one's. */
static void test_reads_little(void **state)
{
    flsi_os_calls calls = *flsi_os_calls_system();
    uint64_t read[2];
    (void)state;
    calls.pread = count_pread;
    for (int i = 0; i < 2; i++) {
        make(FLS_JOURNAL_SYNC_NONE, i == 0 ? 300000 : 900000, 1);
        flsi_directory_close(&directory);
        assert_status(flsi_directory_open(&directory, path, 0, &calls, &err), FLS_OK, &err);
        assert_true(marks.size > 200000);
        bytes_read = 0;
        const flsi_journal_tail tail = open_tail(0);
        read[i] = bytes_read;
        assert_int_equal(tail.sealed, FLSI_SEAL_CLOSED);
        unmake();
    }
    assert_in_range(read[0], 1, 60000);
    assert_in_range(read[1], 1, 60000);
}

/* ---- times that are made so that they read as marks ---- */

/* A frame of marks with one record. */
static void add_frame(byte_buffer *to, const flsi_record *record)
{
    uint8_t bytes[FLSI_MARKS_HEADER_BYTES + FLSI_RECORD_BYTES];
    flsi_record_encode(bytes + FLSI_MARKS_HEADER_BYTES, record);
    (void)fls_frame_encode_header(
        bytes, FLSI_RECORD_BYTES,
        fls_checksum_digest(FLS_CHECKSUM_XXH3, bytes + FLSI_MARKS_HEADER_BYTES, FLSI_RECORD_BYTES),
        8);
    bytes_append(to, bytes, sizeof bytes);
}

/* An OFFSET and three DURABLE, none of which is true. */
static void imitate(byte_buffer *to)
{
    flsi_record record = {
        .type = FLSI_RECORD_OFFSET, .ordinal = 3, .offset = 3, .time_ns = UINT64_C(1) << 40};
    add_frame(to, &record);
    for (int i = 0; i < 3; i++) {
        record = (flsi_record){
            .type = FLSI_RECORD_DURABLE, .small = 17, .ordinal = 1u << 20, .offset = 1u << 30};
        add_frame(to, &record);
    }
}

/* Messages whose times, as later than one another, are these bytes as LEB128. */
static size_t add_messages(fls_journal_entry *entries, size_t count, uint64_t *time_ns,
                           const byte_buffer *bytes)
{
    static const uint8_t payload[5] = {1};
    for (size_t i = 0; i < bytes->size; i++) {
        uint64_t later = bytes->data[i] & 0x7F;
        for (unsigned shift = 7; bytes->data[i] >= 0x80; shift += 7) {
            later |= (uint64_t)(bytes->data[++i] & 0x7F) << shift;
        }
        *time_ns += later;
        entries[count++] = (fls_journal_entry){payload, sizeof payload, *time_ns};
    }
    return count;
}

static void test_imitated(void **state)
{
    (void)state;
    static const uint8_t zeros[1800];
    for (size_t shift = 0; shift < 4; shift++) {
        fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
        static fls_journal_entry entries[4000];
        fls_journal *journal;
        byte_buffer bytes = BYTES_INIT;
        files_make_directory(path, sizeof path);
        options.polled = 1;
        assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
        uint64_t time_ns = fls_journal_now(journal) + 1000000000;
        bytes_append(&bytes, zeros, sizeof zeros + shift - 4);
        imitate(&bytes);
        bytes_append(&bytes, zeros, 600);
        size_t count = add_messages(entries, 0, &time_ns, &bytes);
        bytes_free(&bytes);
        assert_status(fls_journal_append_batch(journal, entries, count, NULL, NULL, &err), FLS_OK,
                      &err);
        assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
        fls_status status = fls_journal_open(&journal, path, &options, NULL, &err);
        assert_status(status, FLS_OK, &err);
        assert_int_equal(fls_journal_next_ordinal(journal), count);
        assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
        files_remove_directory(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torn),        cmocka_unit_test(test_damaged_before),
        cmocka_unit_test(test_one_durable), cmocka_unit_test(test_reads_little),
        cmocka_unit_test(test_imitated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
