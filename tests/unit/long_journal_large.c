/* A journal of 100 GiB that takes less than one (see large_journal.h), and one segment of more than
 * 4 GiB, nearly all of it holes. Skipped with the reason where there is no room.
 */
#include "large_journal.h"
#include "os/os_calls.h"

#define MEBIBYTE ((uint64_t)1 << 20)

static int clean(void **state)
{
    (void)state;
    if (path[0] != '\0') {
        remove_large();
    }
    path[0] = '\0';
    return 0;
}

static void test_hundred_gibibytes(void **state)
{
    (void)state;
    const char *why = make_large(400, 256 * MEBIBYTE / FRAME_BYTES, 1200 * MEBIBYTE);
    if (why != NULL) {
        printf("skipped: %s\n", why);
        skip();
    }
    inspect_large();
    seek_large(500);
    go_on_large();
    prune_and_check_large(19);
}

/* ---- a segment of more than 4 GiB ---- */

#define HOLE_BYTES  ((size_t)64 * 1024)
#define LARGE_BYTES ((size_t)1 << 20)
#define LARGE_FRAME (LARGE_BYTES + 12)
#define LARGE_COUNT 5200u

static int is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Writes what is not zero, behind the end of a file: the rest are holes. */
static ssize_t write_holes(int fd, const void *data, size_t size, off_t offset)
{
    const uint8_t *bytes = data;
    for (size_t done = 0; done < size;) {
        size_t part = size - done < HOLE_BYTES ? size - done : HOLE_BYTES;
        int last = done + part == size;
        off_t at = offset + (off_t)done;
        if (part < 4096 || last || !is_zero(bytes + done, part)) {
            if (flsi_os_calls_system()->pwrite(fd, bytes + done, part, at) != (ssize_t)part) {
                return -1;
            }
        }
        done += part;
    }
    return (ssize_t)size;
}

static ssize_t write_pieces(int fd, const struct iovec *pieces, int count, off_t offset)
{
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0 &&
            write_holes(fd, pieces[i].iov_base, pieces[i].iov_len, offset + done) < 0) {
            return -1;
        }
        done += (ssize_t)pieces[i].iov_len;
    }
    return done;
}

static fls_journal *open_with_holes(fls_journal_report *report)
{
    static flsi_os_calls calls;
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    calls = *flsi_os_calls_system();
    calls.pwrite = write_holes;
    calls.pwritev = write_pieces;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.segment_bytes = UINT64_MAX;
    assert_status(flsi_journal_open(&journal, path, &options, &calls, report, &err), FLS_OK, &err);
    return journal;
}

static void append_large(fls_journal *journal, uint64_t count)
{
    static uint8_t payload[LARGE_BYTES];
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ordinal = fls_journal_next_ordinal(journal);
        memcpy(payload, &ordinal, sizeof ordinal);
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
    }
}

static void large_is(const fls_message *message, uint64_t ordinal, uint64_t segment)
{
    uint64_t told;
    assert_int_equal(message->ordinal, ordinal);
    assert_int_equal(message->size, LARGE_BYTES);
    assert_int_equal(message->offset, (ordinal - segment) * LARGE_FRAME);
    memcpy(&told, message->payload, sizeof told);
    assert_int_equal(told, ordinal);
}

/* Every 97th message and the ones around 4 GiB, by ordinal, time, and backwards. */
static void look_around(uint64_t segment, uint64_t end)
{
    fls_journal_reader *reader;
    fls_message message;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    for (uint64_t ordinal = segment + 1;
         ordinal<end; ordinal += ordinal> 4090 && ordinal < 4100 ? 1 : 97) {
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        large_is(&message, ordinal, segment);
        uint64_t time_ns = message.time_ns;
        assert_status(fls_journal_reader_seek_time(reader, time_ns, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_int_equal(message.time_ns, time_ns);
        assert_in_range(message.ordinal, segment, ordinal);
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
        large_is(&message, ordinal - 1, segment);
    }
    fls_journal_reader_close(reader);
}

static void test_large_segment(void **state)
{
    (void)state;
    struct statvfs disk;
    struct stat file;
    uint64_t compressed = 0;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    files_make_directory(path, sizeof path);
    if (statvfs(path, &disk) != 0 || disk.f_bavail * disk.f_frsize < 2048 * MEBIBYTE) {
        printf("skipped: there is too little room\n");
        skip();
    }
    fls_journal *journal = open_with_holes(&report);
    append_large(journal, LARGE_COUNT - 50);
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    append_large(journal, 50);
    assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
    fls_journal_abandon(journal);
    assert_int_equal(stat(name_of(FLSI_NAME_SEGMENT, 0), &file), 0);
    assert_int_equal(file.st_size, LARGE_COUNT * LARGE_FRAME);
    if ((uint64_t)file.st_blocks * 512 > 1024 * MEBIBYTE) {
        printf("skipped: files have no holes there\n");
        skip();
    }
    look_around(0, LARGE_COUNT);

    journal = open_with_holes(&report);
    assert_int_equal(report.messages, LARGE_COUNT);
    assert_int_equal(report.base_ordinal, LARGE_COUNT - 50);
    assert_int_equal(report.kept_messages, 50);
    assert_int_equal(report.cut_bytes, 0);
    assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT, 0)), (LARGE_COUNT - 50) * LARGE_FRAME);
    append_large(journal, 10);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    look_around(0, LARGE_COUNT - 50);
    look_around(LARGE_COUNT - 50, LARGE_COUNT + 10);

    fls_status status = fls_journal_compress(path, 1, &compressed, NULL, &err);
    if (status != FLS_UNSUPPORTED) {
        assert_status(status, FLS_OK, &err);
        assert_int_equal(compressed, 1);
        look_around(0, LARGE_COUNT - 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_hundred_gibibytes, clean),
        cmocka_unit_test_teardown(test_large_segment, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
