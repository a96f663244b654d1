/* The lock of a journal that somebody has for a moment, to look whether there is a writer. */
#include <errno.h>
#include <sys/file.h>

#include "journal/journal_recovery.h"
#include "journal/journal_zstd.h"
#include "os/os_calls.h"
#include "support/files.h"
#include "support/testing.h"

static int refusals; /* that are still to come */

static int busy_flock(int fd, int operation)
{
    if (operation != LOCK_UN && refusals > 0) {
        refusals--;
        errno = EWOULDBLOCK;
        return -1;
    }
    return flock(fd, operation);
}

static fls_status open_behind(int looks, const char *path)
{
    flsi_os_calls calls = *flsi_os_calls_system();
    fls_journal *journal = NULL;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    calls.flock = busy_flock;
    options.polled = 1;
    refusals = looks;
    fls_status status = flsi_journal_open(&journal, path, &options, &calls, NULL, NULL);
    if (status == FLS_OK) {
        status = fls_journal_close(journal, NULL);
    }
    return status;
}

static void test_a_look_is_waited_for(void **state)
{
    (void)state;
    char folder[256];
    files_make_directory(folder, sizeof folder);
    const char *path = files_join(folder, "journal");
    assert_int_equal(open_behind(3, path), FLS_OK);
    assert_int_equal(refusals, 0);
    assert_int_equal(open_behind(1000, path), FLS_LOCKED);
    assert_true(refusals > 900);
    files_remove_directory(folder);
}

/* Who rebuilds or compresses without a writer takes its lock, and waits for a look in the same way.
 */
static void test_others_wait_for_a_look(void **state)
{
    (void)state;
    char folder[256];
    flsi_os_calls calls = *flsi_os_calls_system();
    uint64_t segments;
    calls.flock = busy_flock;
    files_make_directory(folder, sizeof folder);
    const char *path = files_join(folder, "journal");
    assert_int_equal(open_behind(0, path), FLS_OK);
    refusals = 3;
    assert_int_equal(flsi_journal_rebuild(path, &calls, NULL, NULL), FLS_OK);
    assert_int_equal(refusals, 0);
    if (flsi_zstd_is_there()) {
        refusals = 3;
        assert_int_equal(flsi_journal_compress(path, 0, &calls, &segments, NULL, NULL), FLS_OK);
        assert_int_equal(refusals, 0);
    }
    refusals = 1000;
    assert_int_equal(flsi_journal_rebuild(path, &calls, NULL, NULL), FLS_LOCKED);
    files_remove_directory(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_look_is_waited_for),
                                       cmocka_unit_test(test_others_wait_for_a_look)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
