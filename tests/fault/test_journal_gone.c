/* Journals whose directory goes away under their readers, and ones on file systems that take no
 * change, from the beginning or from some moment on.
 */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];
static char path[300];
static fls_error err;

static int setup(void **state)
{
    (void)state;
    files_make_directory(directory, sizeof directory);
    (void)snprintf(path, sizeof path, "%s/flight", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
#if defined(__linux__)
    (void)umount2(directory, MNT_DETACH);
#endif
    files_remove_directory(directory);
    return 0;
}

/* Messages say their ordinal; ten a segment. */
static fls_journal *write_some(uint64_t count)
{
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.segment_messages = 10;
    options.polled = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    for (uint64_t i = fls_journal_next_ordinal(journal); i < count; i++) {
        assert_status(fls_journal_append(journal, &i, sizeof i, NULL, &err), FLS_OK, &err);
    }
    return journal;
}

static fls_journal_reader *open_reader(uint32_t follow)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.follow = follow;
    options.visibility = FLS_JOURNAL_WRITTEN;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    return reader;
}

/* Reads on; what there is are the messages that were written. */
static fls_status read_on(fls_journal_reader *reader, uint64_t most)
{
    fls_message message;
    fls_status status = FLS_OK;
    for (uint64_t i = 0; i < most && status == FLS_OK; i++) {
        uint64_t expected = fls_journal_reader_ordinal(reader);
        status = fls_journal_reader_next(reader, &message, &err);
        if (status == FLS_OK) {
            assert_int_equal(message.ordinal, expected);
            assert_memory_equal(message.payload, &expected, sizeof expected);
        }
    }
    return status;
}

/* Who follows reads what is open to its end, and then says that there is nothing to list any more;
 * neither waits for ever nor tells of messages that nobody has. */
static void test_reader_of_a_removed_directory(void **state)
{
    (void)state;
    for (uint32_t follow = 0; follow < 2; follow++) {
        for (uint64_t stand = 1; stand < 60; stand += 7) {
            fls_journal *journal = write_some(55);
            assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
            fls_journal_reader *reader = open_reader(follow);
            (void)read_on(reader, stand);
            uint64_t in_segment = fls_journal_reader_ordinal(reader) / 10 * 10;
            files_remove_directory(path);
            assert_status(fls_journal_reader_wait(reader, follow ? UINT64_MAX : 0, &err),
                          follow ? FLS_OK : FLS_WOULD_BLOCK, &err);
            assert_status(read_on(reader, 100), FLS_IO, &err);
            assert_true(fls_journal_reader_ordinal(reader) >= in_segment);
            assert_status(read_on(reader, 1), FLS_IO, &err);
            assert_status(fls_journal_reader_seek_ordinal(reader, 0, &err), FLS_IO, &err);
            fls_journal_reader_close(reader);
        }
    }
}

static fls_status no_fault(void *self, const char *file, const fls_error *fault)
{
    (void)self;
    (void)file;
    return fault->status;
}

static fls_status check(void)
{
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options options = {.struct_bytes = sizeof options, .fault = no_fault};
    return fls_journal_check(path, &options, &report, &err);
}

static fls_status prune(void)
{
    fls_prune_report report = {.struct_bytes = sizeof report};
    const fls_prune_options options = {.struct_bytes = sizeof options, .retain_segments = 1};
    return fls_journal_prune(path, &options, &report, &err);
}

static fls_status compress(void)
{
    uint64_t segments = 0;
    fls_status status = fls_journal_compress(path, 0, &segments, NULL, &err);
    return status == FLS_UNSUPPORTED ? FLS_IO : status; /* a build without zstd */
}

static void test_no_directory(void **state)
{
    (void)state;
    fls_journal_reader *reader;
    fls_journal_cursor cursor;
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    fls_source source;
    assert_status(fls_journal_reader_open(&reader, path, NULL, &err), FLS_IO, &err);
    assert_status(fls_journal_inspect(path, &info, NULL, NULL, &err), FLS_IO, &err);
    assert_status(fls_source_open_journal(&source, path, FLS_JOURNAL_WRITTEN, &err), FLS_IO, &err);
    assert_status(check(), FLS_IO, &err);
    assert_status(prune(), FLS_IO, &err);
    assert_status(compress(), FLS_IO, &err);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_IO, &err);
    assert_status(fls_journal_cursor_set(path, "a", 0, &err), FLS_IO, &err);
    assert_status(fls_journal_cursor_get(path, "a", &cursor, &err), FLS_IO, &err);
    assert_status(fls_journal_cursor_remove(path, "a", &err), FLS_IO, &err);
    assert_false(files_exist(path));
}

#if defined(__linux__)

/* NULL, or why there is none. */
static const char *mount_memory(void)
{
    if (geteuid() != 0) {
        return "it needs root";
    }
    return mount("none", directory, "tmpfs", 0, "size=4m") == 0 ? NULL : "mounting is not allowed";
}

static void remount(unsigned long flags)
{
    assert_int_equal(mount("none", directory, NULL, MS_REMOUNT | flags, NULL), 0);
}

/* Everything that reads works, and whatever would change something says so and does not. */
static void test_read_only(void **state)
{
    (void)state;
    fls_journal *journal;
    fls_journal_cursor cursor;
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    const char *why = mount_memory();
    if (why != NULL) {
        printf("skipped: %s\n", why);
        skip();
    }
    assert_status(fls_journal_close(write_some(55), &err), FLS_OK, &err);
    assert_status(fls_journal_cursor_set(path, "a", 30, &err), FLS_OK, &err);
    remount(MS_RDONLY);
    for (uint32_t follow = 0; follow < 2; follow++) {
        fls_journal_reader *reader = open_reader(follow);
        assert_status(read_on(reader, 100), follow ? FLS_WOULD_BLOCK : FLS_END, &err);
        assert_int_equal(fls_journal_reader_ordinal(reader), 55);
        assert_status(fls_journal_reader_seek_ordinal(reader, 17, &err), FLS_OK, &err);
        assert_status(read_on(reader, 10), FLS_OK, &err);
        fls_journal_reader_close(reader);
    }
    assert_status(check(), FLS_OK, &err);
    assert_status(fls_journal_inspect(path, &info, NULL, NULL, &err), FLS_OK, &err);
    assert_int_equal(info.end_ordinal, 55);
    assert_int_equal(info.locked, 0);
    assert_status(fls_journal_cursor_get(path, "a", &cursor, &err), FLS_OK, &err);
    assert_int_equal(cursor.ordinal, 30);

    assert_status(fls_journal_open(&journal, path, NULL, NULL, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, EROFS);
    assert_status(fls_journal_cursor_set(path, "a", 40, &err), FLS_IO, &err);
    assert_status(fls_journal_cursor_remove(path, "a", &err), FLS_IO, &err);
    assert_status(prune(), FLS_IO, &err);
    assert_status(compress(), FLS_IO, &err);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_IO, &err);
    remount(0);
    assert_status(fls_journal_cursor_get(path, "a", &cursor, &err), FLS_OK, &err);
    assert_int_equal(cursor.ordinal, 30);
    assert_status(fls_journal_close(write_some(60), &err), FLS_OK, &err);
    assert_status(check(), FLS_OK, &err);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reader_of_a_removed_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
#if defined(__linux__)
        cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
