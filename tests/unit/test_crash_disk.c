/* The disk that the crash tests stand on keeps what it says it keeps, and no more: a simulator that
 * loses too little would prove nothing, one that loses too much would find faults that are none.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "crash_disk.h"
#include "os/os_directory.h"
#include "support/testing.h"

#define SEEDS 400u

static crash_disk *disk;
static flsi_directory root;
static byte_buffer content;

static int setup(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    disk = crash_disk_new(1);
    (void)crash_disk_use(disk);
    assert_status(flsi_directory_open(&root, ".", 0, crash_disk_calls(), &err), FLS_OK, &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    flsi_directory_close(&root);
    assert_int_equal(crash_disk_open_files(disk), 0);
    (void)crash_disk_use(NULL);
    crash_disk_free(disk);
    bytes_free(&content);
    return 0;
}

static flsi_file make_file(const char *name)
{
    flsi_file file;
    fls_error err = FLS_ERROR_INIT;
    assert_status(flsi_directory_file(&root, &file, name,
                                      FLSI_OPEN_READ | FLSI_OPEN_WRITE | FLSI_OPEN_CREATE, NULL,
                                      &err),
                  FLS_OK, &err);
    return file;
}

static void put_at(const flsi_file *file, uint64_t offset, uint8_t byte, size_t size)
{
    static uint8_t bytes[4096];
    size_t written = 0;
    assert_true(size <= sizeof bytes);
    memset(bytes, byte, size);
    assert_status(flsi_file_write_at(file, offset, bytes, size, &written, NULL), FLS_OK, NULL);
    assert_int_equal(written, size);
}

static void close_file(flsi_file *file)
{
    assert_status(flsi_file_close(file, NULL), FLS_OK, NULL);
}

/* Of a file that had `size` bytes of 'a' durable: how its content may look. */
static size_t count_of(uint8_t byte, size_t from, size_t end)
{
    size_t count = 0;
    for (size_t i = from; i < end && i < content.size; i++) {
        count += content.data[i] == byte;
    }
    return count;
}

static void test_synced_bytes_survive(void **state)
{
    flsi_file file = make_file("file");
    unsigned sizes = 0;
    unsigned torn = 0;
    unsigned kept = 0;
    unsigned dropped = 0;
    (void)state;
    put_at(&file, 0, 'a', 700);
    assert_status(flsi_file_sync(&file, NULL), FLS_OK, NULL);
    put_at(&file, 700, 'b', 1500);
    put_at(&file, 100, 'c', 10);
    close_file(&file);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        crash_disk *after = crash_disk_crash(disk, CRASH_RANDOM, seed);
        assert_int_equal(crash_disk_read(after, "file", &content), 1);
        assert_in_range(content.size, 700, 2200);
        assert_int_equal(count_of('a', 0, 100), 100);
        assert_int_equal(count_of('a', 110, 700), 590);
        sizes += content.size != 700 && content.size != 2200;
        size_t whole = count_of('b', 1024, 1536);
        kept += whole == 512;
        dropped += content.size >= 1536 && count_of(0, 1024, 1536) == 512;
        torn += content.size >= 1536 && whole < 100 && count_of(0, 1024, 1536) < 100;
        crash_disk_free(after);
    }
    assert_true(sizes > 20 && torn > 5 && kept > 20 && dropped > 20);
    crash_disk *after = crash_disk_crash(disk, CRASH_LOSE, 1);
    assert_int_equal(crash_disk_read(after, "file", &content), 1);
    assert_int_equal(content.size, 700);
    assert_int_equal(count_of('a', 0, 700), 700);
    crash_disk_free(after);
    after = crash_disk_crash(disk, CRASH_KEEP, 1);
    assert_int_equal(crash_disk_read(after, "file", &content), 1);
    assert_int_equal(count_of('b', 700, 2200), 1500);
    assert_int_equal(count_of('c', 100, 110), 10);
    crash_disk_free(after);
}

static void test_names_need_a_sync_of_their_own(void **state)
{
    flsi_directory sub;
    fls_error err = FLS_ERROR_INIT;
    unsigned there = 0;
    unsigned moved = 0;
    (void)state;
    assert_status(flsi_directory_open_in(&sub, &root, "sub", 1, NULL, &err), FLS_OK, &err);
    flsi_file file = make_file("file");
    put_at(&file, 0, 'a', 10);
    assert_int_equal(crash_disk_calls()->sync_data(file.fd), 0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        crash_disk *after = crash_disk_crash(disk, CRASH_RANDOM, seed);
        there += (unsigned)crash_disk_read(after, "file", &content);
        crash_disk_free(after);
    }
    assert_in_range(there, SEEDS / 4, SEEDS * 3 / 4);
    assert_status(flsi_directory_sync_names(&root, &err), FLS_OK, &err);
    assert_status(flsi_directory_rename(&root, "file", &sub, "other", 0, &err), FLS_OK, &err);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        crash_disk *after = crash_disk_crash(disk, CRASH_RANDOM, seed);
        int old = crash_disk_read(after, "file", &content);
        int new = crash_disk_read(after, "sub/other", &content);
        assert_int_equal(old + new, 1);
        moved += (unsigned)new;
        crash_disk_free(after);
    }
    assert_in_range(moved, SEEDS / 4, SEEDS * 3 / 4);
    assert_status(flsi_directory_sync_names(&root, &err), FLS_OK, &err);
    crash_disk *after = crash_disk_crash(disk, CRASH_LOSE, 1);
    assert_int_equal(crash_disk_read(after, "sub/other", &content), 1);
    crash_disk_free(after);
    close_file(&file);
    flsi_directory_close(&sub);
}

/* A file that takes another's name: after a crash the name is that of one of them. */
static void test_a_replaced_file_is_old_or_new(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    unsigned counts[3] = {0, 0, 0};
    (void)state;
    assert_status(flsi_directory_write_file(&root, "file", "old", 3, &err), FLS_OK, &err);
    flsi_file file = make_file("new");
    put_at(&file, 0, 'n', 3);
    assert_int_equal(crash_disk_calls()->sync_data(file.fd), 0);
    close_file(&file);
    assert_status(flsi_directory_rename(&root, "new", &root, "file", 1, &err), FLS_OK, &err);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        crash_disk *after = crash_disk_crash(disk, CRASH_RANDOM, seed);
        assert_int_equal(crash_disk_read(after, "file", &content), 1);
        assert_int_equal(content.size, 3);
        counts[content.data[0] == 'n'] += 1;
        counts[2] += (unsigned)crash_disk_read(after, "new", &content);
        crash_disk_free(after);
    }
    assert_true(counts[0] > 20 && counts[1] > 20 && counts[2] > 20);
}

/* The kernel calls lost pages clean: a second sync says that all is well, and nothing is. */
static void test_a_failed_sync_loses(void **state)
{
    flsi_file file = make_file("file");
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    put_at(&file, 0, 'a', 512);
    assert_status(flsi_file_sync(&file, &err), FLS_OK, &err);
    put_at(&file, 512, 'b', 4096);
    crash_disk_faults(disk)->fail_sync = crash_disk_faults(disk)->syncs + 1;
    assert_status(flsi_file_sync(&file, &err), FLS_IO, &err);
    put_at(&file, 4608, 'c', 512);
    assert_int_equal(crash_disk_read(disk, "file", &content), 1);
    assert_int_equal(count_of('b', 512, 4608), 4096); /* as the cache has it */
    assert_status(flsi_file_sync(&file, &err), FLS_OK, &err);
    crash_disk *after = crash_disk_crash(disk, CRASH_KEEP, 1);
    assert_int_equal(crash_disk_read(after, "file", &content), 1);
    assert_int_equal(content.size, 5120);
    assert_int_equal(count_of('a', 0, 512), 512);
    assert_int_equal(count_of('c', 4608, 5120), 512);
    assert_in_range(count_of('b', 512, 4608), 0, 4095);
    crash_disk_free(after);
    close_file(&file);
}

/* What a process that died leaves is as little durable as it was. */
static void test_a_killed_process(void **state)
{
    flsi_file file = make_file("file");
    (void)state;
    put_at(&file, 0, 'a', 100);
    assert_int_equal(crash_disk_calls()->flock(file.fd, LOCK_EX | LOCK_NB), 0);
    crash_disk *killed = crash_disk_crash(disk, CRASH_KILLED, 1);
    assert_int_equal(crash_disk_read(killed, "file", &content), 1);
    assert_int_equal(count_of('a', 0, 100), 100);
    crash_disk *after = crash_disk_crash(killed, CRASH_LOSE, 1);
    assert_int_equal(crash_disk_read(after, "file", &content), 0);
    crash_disk_free(after);
    (void)crash_disk_use(killed);
    int fd = crash_disk_calls()->openat(AT_FDCWD, "file", O_RDWR, 0);
    assert_int_equal(crash_disk_calls()->flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(crash_disk_calls()->sync_data(fd), 0);
    assert_int_equal(crash_disk_calls()->close(fd), 0);
    after = crash_disk_crash(killed, CRASH_NAMES, 1);
    assert_int_equal(crash_disk_read(after, "file", &content), 1);
    assert_int_equal(count_of('a', 0, 100), 100);
    crash_disk_free(after);
    (void)crash_disk_use(disk);
    crash_disk_free(killed);
    close_file(&file);
}

static void test_a_full_disk(void **state)
{
    flsi_file file = make_file("file");
    fls_error err = FLS_ERROR_INIT;
    size_t written = 0;
    uint8_t bytes[300] = {0};
    (void)state;
    crash_disk_faults(disk)->room_bytes = 1000;
    put_at(&file, 0, 'a', 900);
    assert_status(flsi_file_write_at(&file, 900, bytes, 300, &written, &err), FLS_OK, &err);
    assert_int_equal(written, 100);
    assert_status(flsi_file_write_at(&file, 1000, bytes, 300, &written, &err), FLS_NO_SPACE, &err);
    put_at(&file, 10, 'b', 300);
    assert_status(flsi_file_truncate(&file, 500, &err), FLS_OK, &err);
    put_at(&file, 500, 'c', 400);
    close_file(&file);
    crash_disk *after = crash_disk_crash(disk, CRASH_KEEP, 7);
    assert_int_equal(crash_disk_read(after, "file", &content), 1);
    assert_int_equal(content.size, 900);
    assert_int_equal(count_of('c', 500, 900), 400);
    crash_disk_free(after);
}

static uint64_t points;

static void count_point(void *self, crash_disk *at)
{
    assert_ptr_equal(at, disk);
    assert_null(self);
    points++;
    crash_disk_free(crash_disk_crash(at, CRASH_RANDOM, points));
}

static void test_points(void **state)
{
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    points = 0;
    crash_disk_faults(disk)->point = count_point;
    crash_disk_faults(disk)->writeback = 2;
    assert_status(flsi_directory_write_file(&root, "file", "text", 4, &err), FLS_OK, &err);
    assert_int_equal(points, 5); /* make, write, sync, rename, sync of the names */
    for (uint64_t n = 1; n < 40; n++) {
        crash_faults *faults = crash_disk_faults(disk);
        faults->fail_at = faults->calls + n;
        faults->failed = NULL;
        fls_status status = flsi_directory_write_file(&root, "file", "text", 4, &err);
        if (faults->failed == NULL) {
            assert_status(status, FLS_OK, &err);
            assert_true(n > 8);
            return;
        }
    }
    fail_msg("calls without end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_synced_bytes_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_need_a_sync_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_replaced_file_is_old_or_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failed_sync_loses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_killed_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_points, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
