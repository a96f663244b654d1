/* Waiting for changes in a directory: what was changed before, what never changes, being woken. */
#include <pthread.h>
#include <unistd.h>

#include "os/os_watch.h"
#include "support/files.h"
#include "support/testing.h"

#define FOR_EVER UINT64_MAX
#define SHORT_NS UINT64_C(2000000)
#define LONG_NS  UINT64_C(60000000000)

static void test_changes_are_seen_once(void **state)
{
    char directory[256];
    flsi_watch watch;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    files_make_directory(directory, sizeof directory);
    files_write(files_join(directory, "a"), "1", 1);
    assert_status(flsi_watch_open(&watch, directory, &err), FLS_OK, &err);
    if (watch.inotify_fd < 0) {
        flsi_watch_close(&watch);
        files_remove_directory(directory);
        skip();
    }
    watch.names_changed = 0;
    assert_status(flsi_watch_wait(&watch, 0, &err), FLS_WOULD_BLOCK, &err);
    assert_status(flsi_watch_wait(&watch, SHORT_NS, &err), FLS_WOULD_BLOCK, &err);
    files_write(files_join(directory, "a"), "2", 1);
    assert_status(flsi_watch_wait(&watch, LONG_NS, &err), FLS_OK, &err);
    assert_int_equal(watch.names_changed, 0);
    assert_status(flsi_watch_wait(&watch, 0, &err), FLS_WOULD_BLOCK, &err);
    files_write(files_join(directory, "b"), "1", 1);
    assert_status(flsi_watch_wait(&watch, FOR_EVER, &err), FLS_OK, &err);
    assert_int_equal(watch.names_changed, 1);
    watch.names_changed = 0;
    assert_int_equal(unlink(files_join(directory, "b")), 0);
    flsi_watch_drain(&watch);
    assert_int_equal(watch.names_changed, 1);
    assert_status(flsi_watch_wait(&watch, 0, &err), FLS_WOULD_BLOCK, &err);
    watch.names_changed = 0;
    assert_int_equal(rename(files_join(directory, "a"), files_join(directory, "c")), 0);
    assert_status(flsi_watch_wait(&watch, FOR_EVER, &err), FLS_OK, &err);
    assert_int_equal(watch.names_changed, 1);
    flsi_watch_close(&watch);
    flsi_watch_close(&watch);
    files_remove_directory(directory);
}

static void *wake(void *watch)
{
    flsi_watch_wake(watch);
    return NULL;
}

static void woken(const char *path)
{
    flsi_watch watch;
    fls_error err = FLS_ERROR_INIT;
    pthread_t thread;
    assert_status(flsi_watch_open(&watch, path, &err), FLS_OK, &err);
    flsi_watch_wake(&watch);
    flsi_watch_wake(&watch);
    assert_status(flsi_watch_wait(&watch, FOR_EVER, &err), FLS_STOPPED, &err);
    assert_status(flsi_watch_wait(&watch, 0, &err), FLS_WOULD_BLOCK, &err);
    assert_int_equal(pthread_create(&thread, NULL, wake, &watch), 0);
    fls_status status;
    while ((status = flsi_watch_wait(&watch, FOR_EVER, &err)) == FLS_OK) {
    }
    assert_status(status, FLS_STOPPED, &err);
    assert_int_equal(pthread_join(thread, NULL), 0);
    flsi_watch_close(&watch);
}

static void test_wake(void **state)
{
    char directory[256];
    (void)state;
    files_make_directory(directory, sizeof directory);
    woken(directory);
    woken(NULL);
    files_remove_directory(directory);
}

/* Without anything to watch, or where there is nothing: "it may have changed", after a while. */
static void test_without_notices(void **state)
{
    flsi_watch watch;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    const char *paths[] = {NULL, "/nowhere/at/all"};
    for (size_t i = 0; i < 2; i++) {
        assert_status(flsi_watch_open(&watch, paths[i], &err), FLS_OK, &err);
        assert_int_equal(watch.inotify_fd, -1);
        assert_int_equal(watch.names_changed, 1);
        assert_status(flsi_watch_wait(&watch, FOR_EVER, &err), FLS_OK, &err);
        assert_status(flsi_watch_wait(&watch, 0, &err), FLS_WOULD_BLOCK, &err);
        flsi_watch_close(&watch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_seen_once),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_without_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
