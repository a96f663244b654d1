/* Recovery that is cut short at each of its system calls, once for good (the process died, or the
 * disk did) and once by that call alone; then done again. What comes out is the same. */
#include "fake_calls.h"
#include "journal/journal_cursor.h"
#include "journal_making.h"
#include "support/counting_allocator.h"

enum { TORN, NOTHING_DURABLE, NOTHING_KEPT, MARKS_LOST, CUT_SHORT_BEFORE, CLEAN, CASES };

static void change(const char *name, int64_t more, uint64_t flipped)
{
    byte_buffer file = BYTES_INIT;
    assert_int_equal(files_read(name, &file), 0);
    if (more > 0) {
        bytes_append(&file, "garbage and more of it", (size_t)more);
    }
    if (flipped != UINT64_MAX) {
        file.data[flipped] ^= 1;
    }
    files_write(name, file.data, file.size - (size_t)(more < 0 ? -more : 0));
    bytes_free(&file);
}

/* Makes the case; returns how many messages have to be there in the end. */
static uint64_t make_case(int which)
{
    make_journal(FLS_CHECKSUM_XXH3);
    uint64_t durable = which == NOTHING_DURABLE ? 20 : 26;
    if (which == CUT_SHORT_BEFORE) { /* the first segment still has the beginning of the second */
        make_segment(0, 26, 20, 0);
    } else {
        make_segment(0, 20, 20, FLSI_SEAL_ROTATED);
    }
    make_segment(20, 33, which == CLEAN ? 33 : durable, 0);
    fls_journal_cursor cursor = {.name = "ahead", .ordinal = 33, .epoch = 1};
    assert_status(flsi_cursor_store(&journal, &cursor, &err), FLS_OK, &err);
    switch (which) {
    case CLEAN: return 33;
    case NOTHING_KEPT: change(name_of(FLSI_NAME_SEGMENT, 20), 0, offset_of(20, 26) + 5); return 26;
    case MARKS_LOST:
        assert_int_equal(remove(name_of(FLSI_NAME_MARKS, 20)), 0);
        change(name_of(FLSI_NAME_SEGMENT, 20), 9, UINT64_MAX);
        return 33;
    default:
        change(name_of(FLSI_NAME_SEGMENT, 20), -3, UINT64_MAX);
        change(name_of(FLSI_NAME_MARKS, 20), 17, UINT64_MAX);
        return 32;
    }
}

static void expect_case(int which, uint64_t messages)
{
    fls_journal_cursor cursor;
    found all = expect_journal(0);
    assert_int_equal(all.messages, messages);
    assert_true(all.timed >= messages);
    assert_true(which == MARKS_LOST || all.gaps >= (messages + 9) / 10);
    assert_status(flsi_cursor_load(&journal, "ahead", &cursor, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    assert_int_equal(cursor.ordinal, messages);
}

static void stop_at_each_call(int which, int dies)
{
    int whole = 0;
    for (long at = 0; !whole; at++) {
        flsi_journal_place place;
        fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
        uint64_t messages = make_case(which);
        flsi_directory faked = journal;
        fake_reset();
        fake.fail_at = at;
        fake.dies = dies;
        fake.fail_errno = EIO;
        faked.calls = fake_calls();
        fls_status status = flsi_manifest_load(&manifest, &faked, fls_allocator_libc(), &err);
        if (status == FLS_OK) {
            status = flsi_journal_recover(&place, &manifest, &faked, fls_allocator_libc(), &report,
                                          &err);
        }
        assert_int_equal(fake.open, 0);
        whole = fake.failed == NULL;
        if (whole) {
            assert_status(status, FLS_OK, &err);
        } else if (status != FLS_OK) {
            assert_status(status, FLS_IO, &err);
        }
        assert_status(recover_with(&place, &report), FLS_OK, &err);
        assert_int_equal(place.next_ordinal, messages);
        expect_case(which, messages);
        assert_status(recover_with(&place, &report), FLS_OK, &err);
        assert_int_equal(report.was_clean, 1);
        assert_int_equal(place.next_ordinal, messages);
        end_journal();
        assert_true(at < 1000);
    }
}

static void test_dies_at_each_call(void **state)
{
    (void)state;
    for (int which = 0; which < CASES; which++) {
        stop_at_each_call(which, 1);
    }
}

static void test_each_call_fails(void **state)
{
    (void)state;
    for (int which = 0; which < CASES; which++) {
        stop_at_each_call(which, 0);
    }
}

static void test_short_transfers(void **state)
{
    (void)state;
    for (int which = 0; which < CASES; which++) {
        flsi_journal_place place;
        fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
        uint64_t messages = make_case(which);
        flsi_directory faked = journal;
        fake_reset();
        fake.at_most = 7;
        faked.calls = fake_calls();
        assert_status(
            flsi_journal_recover(&place, &manifest, &faked, fls_allocator_libc(), &report, &err),
            FLS_OK, &err);
        expect_case(which, messages);
        end_journal();
    }
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    for (int which = 0; which < CASES; which++) {
        int whole = 0;
        for (uint64_t at = 0; !whole; at++) {
            flsi_journal_place place;
            fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
            counting_allocator counting;
            uint64_t messages = make_case(which);
            counting_allocator_init(&counting);
            counting.fail_from = at;
            counting.fail_calls = 1;
            fls_status status =
                flsi_journal_recover(&place, &manifest, &journal, &counting.table, &report, &err);
            whole = counting.failures == 0;
            assert_int_equal(counting.live_blocks, 0);
            assert_status(status, whole ? FLS_OK : FLS_NO_MEMORY, &err);
            assert_status(recover_with(&place, &report), FLS_OK, &err);
            expect_case(which, messages);
            end_journal();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dies_at_each_call),
        cmocka_unit_test(test_each_call_fails),
        cmocka_unit_test(test_short_transfers),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
