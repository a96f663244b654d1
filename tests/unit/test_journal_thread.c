/* What a journal's own thread does beside those that append and wait: removing what is too much,
 * meeting a disk that is full, syncing marks.
 */
#include <fcntl.h>
#include <pthread.h>

#include "journal/journal_private.h"
#include "journal_writing.h"

/* Retention of many segments holds up no sync. The first file that is removed waits for a message,
 * and that one has to be durable when the second turn of removals is through. */
static struct {
    fls_journal *_Atomic journal;
    _Atomic int removed; /* frames */
    _Atomic int appended;
    _Atomic int late;
} retained;

static int slow_unlinkat(int directory, const char *name, int flags)
{
    const char *end = strrchr(name, '.');
    if (end != NULL && strcmp(end, ".fls") == 0) {
        int count = ++retained.removed;
        for (int i = 0; i < 10000 && !retained.appended; i++) {
            usleep(1000);
        }
        usleep(3000); /* more than the interval */
        retained.late |= count >= 9 && fls_journal_durable(retained.journal) <= 30;
    }
    return flsi_os_calls_system()->unlinkat(directory, name, flags);
}

static void test_retention_holds_up_no_sync(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    options.segment_messages = 1;
    fls_journal *journal = open_with(&options);
    for (int i = 0; i < 30; i++) {
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    }
    close_it(journal);
    memset(&retained, 0, sizeof retained);
    calls.unlinkat = slow_unlinkat;
    options.polled = 0;
    options.segment_messages = 0;
    options.sync_interval_ns = 1000000;
    options.retain_segments = 1;
    journal = open_with(&options);
    retained.journal = journal;
    while (retained.removed == 0) {
        usleep(1000);
    }
    assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    retained.appended = 1;
    assert_status(fls_journal_wait_durable(journal, 30, &err), FLS_OK, &err);
    while (retained.removed < 29) {
        usleep(1000);
    }
    assert_int_equal(retained.late, 0);
    close_it(journal);
}

/* A wait ends with what the disk says to the sync that it waits for, not to one before. */
static struct {
    fls_journal *journal;
    _Atomic int stop;
    _Atomic int failed;
} beside;

static void *append_beside(void *unused)
{
    static const uint8_t payload[100] = {2};
    while (!beside.stop) { /* each lets those that wait look again */
        beside.failed |= fls_journal_append(beside.journal, payload, 100, NULL, NULL) != FLS_OK;
        usleep(1000);
    }
    return unused;
}

static void test_wait_after_a_full_disk(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    const fls_journal_gap gap = {0, 5, 1, FLS_GAP_REFUSED};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_status status = FLS_OK;
    uint64_t ordinal = 0;
    pthread_t thread;
    options.write_through = 1;
    options.sync_interval_ns = UINT64_C(200000000);
    beside.journal = open_with(&options);
    beside.stop = 0;
    beside.failed = 0;
    for (int i = 0; i < 50 && status == FLS_OK; i++) { /* unless it was durable before */
        disk.room = UINT64_MAX;
        assert_status(fls_journal_append(beside.journal, payload, 100, &ordinal, &err), FLS_OK,
                      &err);
        disk.room = 0;
        assert_status(fls_journal_record_gap(beside.journal, &gap, &err), FLS_OK, &err);
        status = fls_journal_wait_durable(beside.journal, ordinal, &err);
    }
    assert_status(status, FLS_NO_SPACE, &err);
    disk.room = UINT64_MAX;
    assert_int_equal(pthread_create(&thread, NULL, append_beside, NULL), 0);
    assert_status(fls_journal_append(beside.journal, payload, 100, &ordinal, &err), FLS_OK, &err);
    status = fls_journal_wait_durable(beside.journal, ordinal, &err);
    beside.stop = 1;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(status, FLS_OK, &err);
    assert_int_equal(beside.failed, 0);
    close_it(beside.journal);
}

/* Syncs of the marks that fail on the journal's thread: they are written anew in another file, the
 * old one is never synced again, and nothing that was durable is missing. */
#define FILES 64

static struct {
    _Atomic int is_marks[FILES];
    _Atomic int has_failed[FILES];
    _Atomic int syncs; /* of marks */
    _Atomic int again;
    _Atomic int sound; /* none fails: a segment that begins has no other file */
} marks;

static int note_openat(int directory, const char *name, int flags, mode_t mode)
{
    int fd = flsi_os_calls_system()->openat(directory, name, flags, mode);
    if (fd >= 0 && fd < FILES) {
        const char *end = strrchr(name, '.');
        marks.is_marks[fd] = end != NULL && strcmp(end, ".flm") == 0;
        marks.has_failed[fd] = 0;
    }
    return fd;
}

static int fail_marks(int fd)
{
    if (fd >= FILES || !marks.is_marks[fd]) {
        return 0;
    }
    marks.again += marks.has_failed[fd];
    if (++marks.syncs % 7 == 0 && !marks.sound) {
        marks.has_failed[fd] = 1;
        errno = EIO;
        return -1;
    }
    return 0;
}

static void test_thread_meets_failing_marks(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_figures figures = {.struct_bytes = sizeof figures};
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    memset(&marks, 0, sizeof marks);
    calls.openat = note_openat;
    calls.sync_data = fail_marks;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.no_redo = 1; /* each commit syncs marks */
    fls_journal *journal = open_with(&options);
    for (uint64_t n = 0; n < 200; n++) {
        if (n % 9 == 0) {
            const fls_journal_gap gap = {0, 1, 1, FLS_GAP_REFUSED};
            assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
        }
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
        assert_status(fls_journal_wait_durable(journal, n, &err), FLS_OK, &err);
        if (n % 50 == 49) {
            marks.sound = 1;
            assert_status(fls_journal_rotate(journal, &err), FLS_OK, &err);
            marks.sound = 0;
        }
    }
    fls_journal_get_figures(journal, &figures);
    assert_true(figures.failed_syncs > 3);
    assert_int_equal(marks.again, 0);
    calls.sync_data = disk_sync;
    fls_journal_abandon(journal);
    journal = open_reported(&options, &report);
    assert_int_equal(report.messages, 200);
    close_it(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_retention_holds_up_no_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_after_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thread_meets_failing_marks, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
