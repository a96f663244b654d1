/* Writers whose disk is full, whose syncs fail or who find no memory: what was taken is there, what
 * was said to be durable too, and nothing else. */
#include "journal_writing.h"

/* Whatever is full when, each message that was taken is there, and no other. */
static void test_full_disk(void **state)
{
    (void)state;
    for (int sync = FLS_JOURNAL_SYNC_NONE; sync <= FLS_JOURNAL_SYNC_ALWAYS; sync++) {
        prng random = prng_seeded((uint64_t)sync);
        fls_journal_options options = quiet();
        options.sync = (fls_journal_sync)sync;
        options.segment_bytes = 300000;
        fls_journal *journal = open_with(&options);
        uint64_t n = fls_journal_next_ordinal(journal);
        uint64_t end = n + 6000;
        int refused = 0;
        disk.room = 50000;
        while (n < end) {
            uint64_t ordinal;
            fls_status status = append(journal, n, &ordinal);
            if (status == FLS_OK) {
                assert_int_equal(ordinal, n);
                n++;
                continue;
            }
            assert_status(status, FLS_NO_SPACE, &err);
            assert_int_equal(fls_journal_next_ordinal(journal), n);
            refused++;
            disk.room = refused % 4 == 1 ? 0 : prng_below(&random, 40000);
        }
        assert_true(refused > 3);
        disk.room = UINT64_MAX;
        close_it(journal);
        expect_segments(n);
        expect_journal(n, FLS_JOURNAL_DURABLE);
    }
}

/* A disk that is full when a journal is begun, at any byte, or that cannot make its files durable:
 * what is left is begun again when there is room, and nothing is lost by it. */
static void test_begun_on_a_full_disk(void **state)
{
    (void)state;
    fls_status status = FLS_NO_SPACE;
    int refused = 0;
    fls_journal_options options = quiet();
    fls_journal *journal;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    for (uint64_t has = 0; status != FLS_OK; has += 7, refused++) {
        files_remove_directory(path);
        files_make_directory(path, sizeof path);
        disk.room = has;
        status = flsi_journal_open(&journal, path, &options, &calls, &report, &err);
        disk.room = UINT64_MAX;
        if (status != FLS_OK) {
            assert_status(status, FLS_NO_SPACE, &err);
            assert_null(journal);
            journal = open_reported(&options, &report);
            assert_int_equal(report.messages, 0);
            assert_int_equal(report.cut_bytes, 0);
            assert_int_equal(report.rebuilt, 0);
        }
        append_many(journal, 0, 20);
        close_it(journal);
        expect_segments(20);
        expect_journal(20, FLS_JOURNAL_DURABLE);
    }
    assert_true(refused > 10);
    status = FLS_IO;
    for (long at = 1; status != FLS_OK; at++) {
        files_remove_directory(path);
        files_make_directory(path, sizeof path);
        disk.fail_sync = at;
        status = flsi_journal_open(&journal, path, &options, &calls, &report, &err);
        disk.fail_sync = 0;
        if (status != FLS_OK) {
            assert_status(status, FLS_IO, &err);
            journal = open_reported(&options, &report);
            assert_int_equal(report.messages, 0);
        }
        append_many(journal, 0, 20);
        close_it(journal);
        expect_segments(20);
    }
}

/* Each sync in turn fails once: what was appended is durable all the same, in a new segment. */
static void test_sync_fails_once(void **state)
{
    (void)state;
    uint64_t n = 0;
    int moved = 0;
    for (long at = 1; at < 40; at++) {
        fls_journal_options options = quiet();
        options.sync = FLS_JOURNAL_SYNC_EVERY;
        options.sync_messages = 20;
        options.segment_messages = 130;
        fls_journal *journal = open_with(&options);
        fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
        const fls_journal_gap gap = {0, 5, 1, FLS_GAP_DROPPED_NEWEST};
        assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
        disk.fail_sync = at;
        fls_status status = FLS_OK;
        uint64_t end = n + 200;
        while (n < end && status == FLS_OK) {
            uint64_t ordinal;
            status = append(journal, n, &ordinal);
            n += status == FLS_OK;
        }
        if (status == FLS_OK) {
            fls_journal_get_figures(journal, &figures);
            moved += figures.failed_syncs == 1;
            status = fls_journal_sync_now(journal, &err);
            assert_status(status, FLS_OK, &err);
            assert_int_equal(fls_journal_durable(journal), n);
        }
        /* A new segment whose first sync fails: nothing can be gone on with, and it says so. */
        disk.fail_sync = 0;
        fls_status closed = fls_journal_close(journal, &err);
        assert_int_equal(closed, status);
        journal = open_with(&options);
        n = fls_journal_next_ordinal(journal);
        close_it(journal);
        expect_segments(n);
        expect_journal(n, FLS_JOURNAL_DURABLE);
    }
    assert_true(moved > 10);
}

/* A failed sync of frames is not tried again: they go to a new segment. One of marks: a new file.
 */
static void test_failed_sync_is_not_repeated(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.sync = FLS_JOURNAL_SYNC_NONE;
    fls_journal *journal = open_with(&options);
    for (uint64_t n = 0; n < 400; n += 100) {
        append_many(journal, n, n + 100);
        disk.fail_sync = n == 100 ? 1 : n == 200 ? 2 : 0; /* marks; frames, which come second */
        assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_durable(journal), n + 100);
    }
    close_it(journal);
    assert_int_equal(expect_segments(400), 2);
    assert_true(files_exist(files_join(path, "00000000000000000200.fls")));
}

static void test_sync_fails_for_good(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.sync = FLS_JOURNAL_SYNC_NONE;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 100);
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    append_many(journal, 100, 200);
    disk.fail_sync = 1;
    disk.keep_failing = 1000000;
    assert_status(fls_journal_sync_now(journal, &err), FLS_IO, &err);
    assert_int_equal(fls_journal_durable(journal), 100);
    disk.fail_sync = 0;
    assert_status(append(journal, 200, NULL), FLS_IO, &err);
    assert_status(fls_journal_wait_durable(journal, 150, &err), FLS_IO, &err);
    assert_status(fls_journal_wait_durable(journal, 99, &err), FLS_OK, &err);
    assert_status(fls_journal_record_gap(journal, &(fls_journal_gap){0, 1, 1, 1}, &err), FLS_IO,
                  &err);
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_IO, &err);
    assert_status(fls_journal_rotate(journal, &err), FLS_IO, &err);
    assert_status(fls_journal_close(journal, &err), FLS_IO, &err);
    close_it(open_with(&options));
    expect_segments(200);
}

/* Memory that runs out at any call of opening, writing and closing. */
static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 60; at++) {
        fls_journal *journal;
        fls_journal_options options = quiet();
        allocator.fail_from = allocator.calls + at;
        allocator.fail_calls = 1;
        fls_status status = flsi_journal_open(&journal, path, &options, &calls, NULL, &err);
        if (status != FLS_OK) {
            assert_status(status, FLS_NO_MEMORY, &err);
            assert_null(journal);
            continue;
        }
        uint64_t n = fls_journal_next_ordinal(journal);
        for (uint64_t i = 0; i < 300; i++) {
            n += append(journal, n, NULL) == FLS_OK;
        }
        allocator.fail_from = COUNTING_NEVER;
        close_it(journal);
        expect_segments(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_begun_on_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sync_fails_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_sync_is_not_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sync_fails_for_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
