/* Open directories and files in them, writing at offsets, and replacing small files: what they do,
 * and that with every call failing once nothing leaks and a replaced file is the old or the new.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_calls.h"
#include "os/os_directory.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

static char root[256];

static const char *below(const char *name)
{
    return files_join(root, name);
}

static void write_text(const flsi_directory *directory, const char *name, const char *text)
{
    fls_error err = FLS_ERROR_INIT;
    assert_status(flsi_directory_write_file(directory, name, text, strlen(text), &err), FLS_OK,
                  &err);
}

static int holds(const char *path, const char *text)
{
    byte_buffer content = {0};
    int same = files_read(path, &content) == 0 && content.size == strlen(text) &&
               memcmp(content.data, text, content.size) == 0;
    bytes_free(&content);
    return same;
}

static void empty_root(void)
{
    (void)unlink(below("sub/deep"));
    (void)rmdir(below("sub"));
    (void)unlink(below("target"));
    (void)unlink(below(".target.new"));
    (void)unlink(below("other"));
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    files_make_directory(root, sizeof root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    empty_root();
    files_remove_directory(root);
    return 0;
}

static void test_opening(void **state)
{
    flsi_directory directory;
    flsi_directory inner;
    fls_error err = FLS_ERROR_INIT;
    int missing = 0;
    char path[300];
    (void)state;
    assert_status(flsi_directory_open(&directory, below("sub"), 0, NULL, &err), FLS_IO, &err);
    assert_int_equal(err.system_errno, ENOENT);
    assert_int_equal(directory.fd, -1);
    (void)snprintf(path, sizeof path, "%s/sub//", root);
    assert_status(flsi_directory_open(&directory, path, 1, NULL, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
    flsi_directory_close(&directory);
    assert_status(flsi_directory_open(&directory, root, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_open_in(&inner, &directory, "none", 0, &missing, &err), FLS_IO,
                  &err);
    assert_int_equal(missing, 1);
    assert_status(flsi_directory_open_in(&inner, &directory, "sub", 0, &missing, &err), FLS_OK,
                  &err);
    assert_int_equal(missing, 0);
    flsi_directory_close(&inner);
    files_write(below("target"), "x", 1);
    assert_status(flsi_directory_open_in(&inner, &directory, "target", 1, &missing, &err), FLS_IO,
                  &err);
    assert_int_equal(missing, 0);
    assert_status(flsi_directory_open(&inner, "", 1, NULL, &err), FLS_IO, &err);
    flsi_directory_close(&directory);
}

static void test_files(void **state)
{
    flsi_directory directory;
    flsi_file file;
    flsi_file second;
    fls_error err = FLS_ERROR_INIT;
    int missing = 0;
    (void)state;
    assert_status(flsi_directory_open(&directory, root, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_file(&directory, &file, "target", FLSI_OPEN_READ, &missing, &err),
                  FLS_IO, &err);
    assert_int_equal(missing, 1);
    unsigned make = FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE;
    assert_status(
        flsi_directory_file(&directory, &file, "target", make | FLSI_OPEN_LOCK, &missing, &err),
        FLS_OK, &err);
    assert_int_equal(missing, 0);
    assert_true(file.directory_fd >= 0);
    assert_status(flsi_file_sync(&file, &err), FLS_OK, &err);
    assert_int_equal(file.directory_fd, -1);
    assert_status(
        flsi_directory_file(&directory, &second, "target", make | FLSI_OPEN_LOCK, NULL, &err),
        FLS_LOCKED, &err);
    assert_status(
        flsi_directory_file(&directory, &second, "target", make | FLSI_OPEN_NEW, NULL, &err),
        FLS_IO, &err);
    assert_int_equal(err.system_errno, EEXIST);
    assert_status(flsi_directory_file(&directory, &second, ".", FLSI_OPEN_READ, NULL, &err), FLS_IO,
                  &err);
    assert_int_equal(mkfifo(below("other"), 0600), 0);
    assert_status(flsi_directory_file(&directory, &second, "other", FLSI_OPEN_READ, NULL, &err),
                  FLS_IO, &err);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
}

static void test_writing_at(void **state)
{
    flsi_directory directory;
    flsi_file file;
    fls_error err = FLS_ERROR_INIT;
    size_t written = 0;
    uint64_t position = 0;
    const fls_span spans[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    (void)state;
    assert_status(flsi_directory_open(&directory, root, 0, fake_calls(), &err), FLS_OK, &err);
    assert_status(flsi_directory_file(&directory, &file, "target",
                                      FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_NEW, NULL,
                                      &err),
                  FLS_OK, &err);
    assert_status(flsi_file_write_at(&file, 3, "XYZ", 3, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 3);
    assert_status(flsi_file_writev_at(&file, 1, spans, 3, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 5);
    assert_status(flsi_file_writev_at(&file, 0, spans + 1, 1, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 0);
    assert_status(flsi_file_position(&file, &position, &err), FLS_OK, &err);
    assert_int_equal(position, 0);
    assert_status(flsi_file_write_at(&file, UINT64_MAX, "x", 1, &written, &err), FLS_NO_SPACE,
                  &err);
    assert_status(flsi_file_write_at(&file, INT64_MAX, "x", 1, &written, &err), FLS_NO_SPACE, &err);
    fake.stuck = "pwrite";
    fake.stuck_errno = ENOSPC;
    assert_status(flsi_file_write_at(&file, 0, "x", 1, &written, &err), FLS_NO_SPACE, &err);
    assert_int_equal(written, 0);
    fake.stuck = NULL;
    fake.at_most = 1;
    assert_status(flsi_file_writev_at(&file, 6, spans, 3, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 1);
    assert_status(flsi_file_close(&file, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
    byte_buffer content = {0};
    assert_int_equal(files_read(below("target"), &content), 0);
    assert_int_equal(content.size, 7);
    assert_memory_equal(content.data, "\0abcdea", 7);
    bytes_free(&content);
}

typedef struct seen_names {
    unsigned count;
    unsigned targets;
    unsigned stop_at;
} seen_names;

static int note_name(void *self, const char *name)
{
    seen_names *seen = self;
    seen->targets += strcmp(name, "target") == 0;
    return ++seen->count == seen->stop_at;
}

static void test_names(void **state)
{
    flsi_directory directory;
    flsi_directory inner;
    flsi_file_info info;
    fls_error err = FLS_ERROR_INIT;
    int missing = 0;
    (void)state;
    assert_status(flsi_directory_open(&directory, root, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_open_in(&inner, &directory, "sub", 1, NULL, &err), FLS_OK, &err);
    write_text(&directory, "target", "twelve bytes");
    write_text(&directory, "other", "");
    for (int i = 0; i < 2; i++) { /* the second time all is seen again */
        seen_names seen = {0};
        assert_status(flsi_directory_list(&directory, note_name, &seen, &err), FLS_OK, &err);
        assert_int_equal(seen.count, 3);
        assert_int_equal(seen.targets, 1);
    }
    seen_names seen = {.stop_at = 2};
    assert_status(flsi_directory_list(&directory, note_name, &seen, &err), FLS_OK, &err);
    assert_int_equal(seen.count, 2);
    assert_status(flsi_directory_info(&directory, "target", &info, &missing, &err), FLS_OK, &err);
    assert_int_equal(info.size_bytes, 12);
    assert_int_equal(info.kind, FLSI_FILE_REGULAR);
    assert_status(flsi_directory_info(&directory, "none", &info, &missing, &err), FLS_IO, &err);
    assert_int_equal(missing, 1);
    assert_status(flsi_directory_rename(&directory, "target", &directory, "other", 0, &err), FLS_IO,
                  &err);
    assert_int_equal(err.system_errno, EEXIST);
    assert_status(flsi_directory_rename(&directory, "target", &inner, "deep", 0, &err), FLS_OK,
                  &err);
    assert_true(holds(below("sub/deep"), "twelve bytes"));
    assert_status(flsi_directory_rename(&inner, "deep", &directory, "other", 1, &err), FLS_OK,
                  &err);
    assert_true(holds(below("other"), "twelve bytes"));
    assert_status(flsi_directory_remove(&directory, "other", &err), FLS_OK, &err);
    assert_status(flsi_directory_remove(&directory, "other", &err), FLS_OK, &err);
    assert_status(flsi_directory_remove(&directory, "sub", &err), FLS_IO, &err);
    assert_status(flsi_directory_sync_names(&directory, &err), FLS_OK, &err);
    flsi_directory_close(&inner);
    flsi_directory_close(&directory);
}

/* Where the system cannot rename to a free name only. */
static void test_renaming_without_the_call(void **state)
{
    flsi_directory directory;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_status(flsi_directory_open(&directory, root, 0, fake_calls(), &err), FLS_OK, &err);
    write_text(&directory, "target", "one");
    write_text(&directory, "other", "two");
    fake.stuck = "rename_new";
    fake.stuck_errno = ENOSYS;
    assert_status(flsi_directory_rename(&directory, "target", &directory, "other", 0, &err), FLS_IO,
                  &err);
    assert_int_equal(err.system_errno, EEXIST);
    assert_status(flsi_directory_remove(&directory, "other", &err), FLS_OK, &err);
    assert_status(flsi_directory_rename(&directory, "target", &directory, "other", 0, &err), FLS_OK,
                  &err);
    assert_true(holds(below("other"), "one"));
    flsi_directory_close(&directory);
}

static void test_reading_whole(void **state)
{
    flsi_directory directory;
    counting_allocator memory;
    fls_error err = FLS_ERROR_INIT;
    void *data = NULL;
    size_t size = 0;
    int missing = 0;
    (void)state;
    counting_allocator_init(&memory);
    assert_status(flsi_directory_open(&directory, root, 0, fake_calls(), &err), FLS_OK, &err);
    assert_status(flsi_directory_read_file(&directory, "target", 100, &memory.table, &data, &size,
                                           &missing, &err),
                  FLS_IO, &err);
    assert_int_equal(missing, 1);
    write_text(&directory, "target", "");
    assert_status(flsi_directory_read_file(&directory, "target", 100, &memory.table, &data, &size,
                                           &missing, &err),
                  FLS_OK, &err);
    assert_int_equal(size, 0);
    assert_int_equal(missing, 0);
    write_text(&directory, "target", "0123456789");
    assert_status(
        flsi_directory_read_file(&directory, "target", 9, &memory.table, &data, &size, NULL, &err),
        FLS_NO_SPACE, &err);
    fake.at_most = 3;
    assert_status(
        flsi_directory_read_file(&directory, "target", 10, &memory.table, &data, &size, NULL, &err),
        FLS_OK, &err);
    assert_int_equal(size, 10);
    assert_memory_equal(data, "0123456789", 10);
    memory.table.free(memory.table.self, data, size);
    memory.fail_from = memory.calls;
    memory.fail_calls = 1;
    assert_status(
        flsi_directory_read_file(&directory, "target", 10, &memory.table, &data, &size, NULL, &err),
        FLS_NO_MEMORY, &err);
    assert_int_equal(memory.live_blocks, 0);
    flsi_directory_close(&directory);
}

/* What another left of the same work is not written over, and what another is at is not touched. */
static void test_replacing_beside_others(void **state)
{
    flsi_directory directory;
    flsi_file held;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    files_write(below(".target.new"), "half of something much longer", 29);
    assert_status(flsi_directory_open(&directory, root, 0, NULL, &err), FLS_OK, &err);
    write_text(&directory, "target", "new");
    assert_true(holds(below("target"), "new"));
    assert_false(files_exist(below(".target.new")));
    assert_status(flsi_directory_file(&directory, &held, ".target.new",
                                      FLSI_OPEN_WRITE | FLSI_OPEN_CREATE | FLSI_OPEN_LOCK, NULL,
                                      &err),
                  FLS_OK, &err);
    assert_status(flsi_directory_write_file(&directory, "target", "mine", 4, &err), FLS_LOCKED,
                  &err);
    assert_true(holds(below("target"), "new"));
    assert_status(flsi_file_close(&held, &err), FLS_OK, &err);
    write_text(&directory, "target", "mine");
    assert_true(holds(below("target"), "mine"));
    flsi_directory_close(&directory);
}

/* All of it in a row, for faults. */
static fls_status run_all(fls_error *err)
{
    flsi_directory directory;
    flsi_directory inner = {.fd = -1};
    void *data = NULL;
    size_t size = 0;
    seen_names seen = {0};
    flsi_file_info info;
    const fls_allocator *libc = fls_allocator_libc();
    fls_status status = flsi_directory_open(&directory, root, 1, fake_calls(), err);
    if (status != FLS_OK) {
        return status;
    }
    status = flsi_directory_open_in(&inner, &directory, "sub", 1, NULL, err);
    if (status == FLS_OK) {
        status = flsi_directory_write_file(&directory, "target", "new text", 8, err);
    }
    if (status == FLS_OK) {
        assert_true(holds(below("target"), "new text"));
        status = flsi_directory_read_file(&directory, "target", 100, libc, &data, &size, NULL, err);
    }
    if (status == FLS_OK) {
        assert_int_equal(size, 8);
        libc->free(libc->self, data, size);
        status = flsi_directory_list(&directory, note_name, &seen, err);
    }
    if (status == FLS_OK) {
        status = flsi_directory_info(&directory, "target", &info, NULL, err);
    }
    if (status == FLS_OK) {
        status = flsi_directory_rename(&directory, "target", &inner, "deep", 0, err);
    }
    if (status == FLS_OK) {
        status = flsi_directory_remove(&inner, "deep", err);
    }
    flsi_directory_close(&inner);
    flsi_directory_close(&directory);
    return status;
}

static void run_with_fault(int fault, int only_waiting)
{
    for (long n = 0;; n++) {
        fls_error err = FLS_ERROR_INIT;
        fake_reset();
        empty_root();
        files_write(below("target"), "old", 3);
        fake.fail_at = n;
        fake.fail_errno = fault;
        fake.only_waiting = only_waiting;
        fls_status status = run_all(&err);
        assert_int_equal(fake.open, 0);
        if (fake.failed == NULL) {
            assert_status(status, FLS_OK, &err);
            assert_true(n > 10);
            return;
        }
        if (fault == EINTR) {
            assert_status(status, FLS_OK, &err);
        } else if (status != FLS_OK) {
            assert_int_equal(status, fault == ENOSPC ? FLS_NO_SPACE : FLS_IO);
            assert_true(holds(below("target"), "old") || holds(below("target"), "new text") ||
                        holds(below("sub/deep"), "new text"));
        }
        fake.fail_at = -1;
        files_write(below("target"), "old", 3);
        (void)unlink(below("sub/deep"));
        assert_status(run_all(&err), FLS_OK, &err);
    }
}

static void test_faults(void **state)
{
    (void)state;
    run_with_fault(EINTR, 1);
    run_with_fault(EIO, 0);
    run_with_fault(ENOSPC, 0);
}

/* A sync that fails is told, and the name keeps what it had. */
static void test_failing_sync(void **state)
{
    flsi_directory directory;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    assert_status(flsi_directory_open(&directory, root, 0, fake_calls(), &err), FLS_OK, &err);
    write_text(&directory, "target", "old");
    fake.stuck = "sync_data";
    fake.stuck_errno = EIO;
    assert_status(flsi_directory_write_file(&directory, "target", "new", 3, &err), FLS_IO, &err);
    assert_true(holds(below("target"), "old"));
    assert_false(files_exist(below(".target.new")));
    fake.stuck = "sync_directory";
    assert_status(flsi_directory_write_file(&directory, "target", "new", 3, &err), FLS_IO, &err);
    fake.stuck_errno = EINVAL; /* cannot be done there at all */
    assert_status(flsi_directory_write_file(&directory, "target", "new", 3, &err), FLS_OK, &err);
    flsi_directory_close(&directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writing_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renaming_without_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replacing_beside_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_sync, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
