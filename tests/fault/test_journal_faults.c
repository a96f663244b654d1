/* A journal among real troubles: a second writer, a directory that is renamed or taken away, one
 * that cannot be written to, a clock that goes back, and a disk that fills up and has room again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "support/files.h"
#include "support/testing.h"

static char directory[256];
static char path[300];

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
    files_remove_directory(directory);
    return 0;
}

static fls_journal *open_journal(const fls_journal_options *options)
{
    fls_journal *journal = NULL;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_journal_open(&journal, path, options, NULL, &err), FLS_OK, &err);
    return journal;
}

static void close_journal(fls_journal *journal)
{
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* Message i is i, and some more of it. */
static fls_status append(fls_journal *journal, uint64_t i, uint64_t *ordinal, fls_error *err)
{
    uint64_t payload[64];
    for (size_t k = 0; k < 64; k++) {
        payload[k] = i * 64 + k;
    }
    return fls_journal_append(journal, payload, sizeof payload - 8 * (i % 7), ordinal, err);
}

/* All messages are there, and no time is before the one before it; returns how many there are. */
static uint64_t check_messages(void)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    uint64_t count = 0;
    uint64_t time_ns = 0;
    fls_status status;
    assert_status(fls_journal_reader_open(&reader, path, NULL, &err), FLS_OK, &err);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        uint64_t first = 0;
        assert_int_equal(message.ordinal, count);
        assert_int_equal(message.size, 512 - 8 * (count % 7));
        memcpy(&first, message.payload, sizeof first);
        assert_int_equal(first, count * 64);
        assert_true(message.time_ns >= time_ns);
        time_ns = message.time_ns;
        count++;
    }
    assert_status(status, FLS_END, &err);
    fls_journal_reader_close(reader);
    return count;
}

static void test_two_writers(void **state)
{
    fls_journal *second = NULL;
    fls_error err = FLS_ERROR_INIT;
    int how = 0;
    (void)state;
    fls_journal *journal = open_journal(NULL);
    assert_status(append(journal, 0, NULL, &err), FLS_OK, &err);
    assert_status(fls_journal_open(&second, path, NULL, NULL, &err), FLS_LOCKED, &err);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_LOCKED, &err);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(fls_journal_open(&second, path, NULL, NULL, NULL) == FLS_LOCKED ? 7 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 7);
    assert_status(append(journal, 1, NULL, &err), FLS_OK, &err);
    close_journal(journal);
    journal = open_journal(NULL);
    assert_int_equal(fls_journal_next_ordinal(journal), 2);
    close_journal(journal);
    assert_int_equal(check_messages(), 2);
}

static void test_a_renamed_directory(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    char other[300];
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    (void)state;
    (void)snprintf(other, sizeof other, "%s/other", directory);
    options.segment_messages = 10;
    fls_journal *journal = open_journal(&options);
    for (uint64_t i = 0; i < 55; i++) {
        if (i == 25) {
            assert_int_equal(rename(path, other), 0);
        }
        assert_status(append(journal, i, NULL, &err), FLS_OK, &err);
    }
    close_journal(journal);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(check_messages(), 55);
}

/* Nothing can be durable any more, and nothing says so. */
static void test_a_removed_directory(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    fls_status status = FLS_OK;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    (void)state;
    options.segment_messages = 10;
    fls_journal *journal = open_journal(&options);
    for (uint64_t i = 0; i < 15; i++) {
        assert_status(append(journal, i, NULL, &err), FLS_OK, &err);
    }
    files_remove_directory(path);
    for (uint64_t i = 15; i < 40 && status == FLS_OK; i++) {
        status = append(journal, i, NULL, &err);
    }
    assert_int_equal(status, FLS_IO);
    assert_int_not_equal(fls_journal_close(journal, &err), FLS_OK);
}

static void test_places_that_cannot_be_written(void **state)
{
    fls_journal *journal = NULL;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    (void)state;
    options.must_exist = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_IO, &err);
    assert_false(files_exist(path));
    files_write(path, "a file", 6);
    assert_status(fls_journal_open(&journal, path, NULL, NULL, &err), FLS_IO, &err);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0500), 0);
    if (geteuid() != 0) {
        assert_status(fls_journal_open(&journal, path, NULL, NULL, &err), FLS_IO, &err);
    }
    assert_int_equal(chmod(path, 0700), 0);
    options.must_exist = 0;
    options.must_be_new = 1;
    journal = open_journal(&options);
    close_journal(journal);
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_IO, &err);
}

static uint64_t clock_ns;

static uint64_t read_clock(void *self)
{
    (void)self;
    return clock_ns;
}

static void test_a_clock_that_goes_back(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    const fls_clock clock = {read_clock, NULL};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    (void)state;
    options.clock = &clock;
    options.polled = 1;
    for (uint64_t i = 0; i < 60; i++) {
        /* Later, then earlier, then stopped; and now and then another writer. */
        clock_ns = i < 20 ? 1000000000 + i * 1000 : i < 40 ? 900000000 - i : 17;
        fls_journal *journal = open_journal(&options);
        clock_ns -= i % 3 == 0 ? 10 : 0;
        assert_status(append(journal, i, NULL, &err), FLS_OK, &err);
        close_journal(journal);
    }
    assert_int_equal(check_messages(), 60);
}

/* A file system of a few hundred kilobytes, where we may make one. */
static const char *mount_small(void)
{
    if (geteuid() != 0) {
        return "it needs root";
    }
    assert_int_equal(mkdir(path, 0700), 0);
    return mount("none", path, "tmpfs", 0, "size=512k") == 0 ? NULL : "mounting is not allowed";
}

static int unmount_small(void **state)
{
    (void)umount2(path, MNT_DETACH);
    return teardown(state);
}

static uint64_t append_until_full(fls_journal *journal, uint64_t from)
{
    fls_error err = FLS_ERROR_INIT;
    uint64_t ordinal = 0;
    fls_status status = FLS_OK;
    uint64_t i = from;
    for (; i < from + 5000; i++) {
        status = append(journal, i, &ordinal, &err);
        if (status != FLS_OK) {
            break;
        }
        assert_int_equal(ordinal, i);
    }
    assert_status(status, FLS_NO_SPACE, &err);
    assert_int_equal(fls_journal_next_ordinal(journal), i);
    return i;
}

static void test_a_full_disk(void **state)
{
    static const uint8_t zeros[200000];
    char ballast[320];
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    (void)state;
    const char *why = mount_small();
    if (why != NULL) {
        printf("full disk: skipped: %s\n", why);
        skip();
    }
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", path);
    files_write(ballast, zeros, sizeof zeros);
    (void)snprintf(path + strlen(path), 16, "/journal");
    options.write_through = 1;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    fls_journal *journal = open_journal(&options);
    uint64_t count = append_until_full(journal, 0);
    assert_true(count > 100);
    assert_status(append(journal, count, NULL, &err), FLS_NO_SPACE, &err);
    assert_int_equal(unlink(ballast), 0);
    uint64_t more = append_until_full(journal, count);
    assert_true(more > count + 100);
    assert_int_equal(fls_journal_written(journal), more);
    fls_status closed = fls_journal_close(journal, &err);
    assert_true(closed == FLS_OK || closed == FLS_NO_SPACE);
    assert_int_equal(check_messages(), more);
    path[strlen(path) - strlen("/journal")] = '\0';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_writers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_renamed_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_removed_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places_that_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_clock_that_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_disk, setup, unmount_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
