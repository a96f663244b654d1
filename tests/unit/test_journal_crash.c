/* A journal on a disk that loses power at every call that changes it: nothing that was reported
 * durable is missing, nothing that was never appended appears, whatever the disk made of the rest.
 * Crashes come within recoveries too. Also syncs that fail and then seem to work, a full disk, and
 * every call and every allocation failing once. test_journal_crash_threads.c has the same with
 * several threads, long_journal_crash.c for longer.
 */
#include <errno.h>

#include "crash_journal.h"
#include "support/testing.h"

static void none_wrong(const char *name, const crash_tally *tally)
{
    crash_tally_print(name, tally);
    assert_int_equal(crash_tally_faults(tally), 0);
}

static void test_crashes(void **state)
{
    static const char *const names[] = {"",           "sync none",  "sync interval",
                                        "sync bytes", "sync every", "sync always"};
    (void)state;
    for (unsigned sync = 1; sync <= 5; sync++) {
        crash_tally tally = {0};
        for (uint64_t seed = 0; seed < 6; seed++) {
            crash_plan plan = {.seed = seed * 5 + sync, .steps = 60, .depth = 3, .stride = 2};
            plan.sync = sync;
            crash_journal_run(&plan, &tally);
        }
        none_wrong(names[sync], &tally);
        assert_true(tally.points > 1000 && tally.nested > 500 && tally.cut > 50);
    }
}

/* Changes of types, cursors, compression and pruning in between. */
static void test_upkeep(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 500; seed < 530; seed++) {
        crash_plan plan = {.seed = seed, .steps = 60, .depth = 2, .stride = 6, .upkeep = 1};
        crash_journal_run(&plan, &tally);
    }
    none_wrong("upkeep", &tally);
    assert_true(tally.points > 1000 && tally.nested > 200);
}

static void test_failing_upkeep(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 600; seed < 603; seed++) {
        crash_plan plan = {.seed = seed, .steps = 25, .depth = 1, .stride = 60, .upkeep = 1};
        for (uint64_t call = 1; call < 8000; call += 3) {
            plan.fail_at = call;
            crash_journal_run(&plan, &tally);
            if (!tally.failed) {
                break;
            }
        }
    }
    none_wrong("failing upkeep", &tally);
}

/* The sync with each number fails; what it lost is served from the cache, or is not. */
static void test_failing_syncs(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 100; seed < 106; seed++) {
        crash_plan plan = {.seed = seed, .steps = 40, .depth = 1, .stride = 4};
        for (uint64_t sync = 1; sync < 40; sync++) {
            plan.fail_sync = sync;
            plan.fail_syncs = seed % 3 == 0 ? 2 : 0;
            plan.evict = (uint32_t)(seed & 1);
            plan.fail_errno = seed % 4 == 0 ? ENOSPC : EIO;
            crash_journal_run(&plan, &tally);
            if (tally.syncs < sync) {
                break;
            }
        }
    }
    none_wrong("failing syncs", &tally);
}

/* Both files' syncs fail, and the one of the marks written anew: who opens the journal then must
 * not rely on what the cache still has of the old marks. */
static void test_failing_syncs_in_a_row(void **state)
{
    crash_tally tally = {0};
    (void)state;
    crash_plan plan = {.seed = 5000, .steps = 80, .depth = 1, .stride = 4};
    plan.fail_syncs = 2;
    plan.fail_errno = ENOSPC;
    for (plan.fail_sync = 40; plan.fail_sync < 56; plan.fail_sync++) {
        crash_journal_run(&plan, &tally);
    }
    none_wrong("failing in a row", &tally);
}

static void test_full_disk(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 200; seed < 230; seed++) {
        crash_plan plan = {.seed = seed, .steps = 60, .depth = 1, .stride = 8};
        plan.room_bytes = 1000 + (seed - 200) * 350;
        crash_journal_run(&plan, &tally);
    }
    none_wrong("full disk", &tally);
}

/* Short transfers and calls that a signal interrupts are no failures at all. */
static void test_interruptions(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 700; seed < 716; seed++) {
        crash_plan plan = {.seed = seed, .steps = 60, .depth = 1, .stride = 20, .upkeep = 1};
        plan.transfer_most = 13 + (size_t)(seed % 4) * 37;
        plan.interrupt = 2 + (uint32_t)(seed % 5);
        crash_journal_run(&plan, &tally);
        assert_int_equal(tally.stopped, 0);
    }
    none_wrong("interruptions", &tally);
}

static void test_failing_calls(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 300; seed < 303; seed++) {
        crash_plan plan = {.seed = seed, .steps = 25, .depth = 1, .stride = 40};
        for (uint64_t call = 1; call < 5000; call++) {
            plan.fail_at = call;
            crash_journal_run(&plan, &tally);
            if (!tally.failed) {
                break;
            }
        }
    }
    none_wrong("failing calls", &tally);
}

/* A commit to the files fails while the redo log has something, and the journal goes on in another
 * segment: the log has nothing of that one. */
static void test_failing_beside_log(void **state)
{
    crash_tally tally = {0};
    (void)state;
    crash_plan plan = {.seed = 5001, .steps = 50, .depth = 1, .stride = 30, .upkeep = 1};
    plan.fail_errno = ENOSPC;
    plan.fail_calls = 3;
    for (plan.fail_at = 320; plan.fail_at < 360; plan.fail_at++) {
        crash_journal_run(&plan, &tally);
    }
    none_wrong("failing beside log", &tally);
}

static void test_failing_allocations(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 400; seed < 402; seed++) {
        crash_plan plan = {.seed = seed, .steps = 25, .depth = 1, .stride = 40};
        plan.upkeep = (uint32_t)(seed & 1);
        for (uint64_t call = 1; call < 2000; call++) {
            plan.fail_allocation = call;
            crash_journal_run(&plan, &tally);
            if (!tally.failed) {
                break;
            }
        }
    }
    none_wrong("failing allocations", &tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_upkeep),
        cmocka_unit_test(test_failing_upkeep),
        cmocka_unit_test(test_failing_syncs),
        cmocka_unit_test(test_failing_syncs_in_a_row),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_interruptions),
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_failing_beside_log),
        cmocka_unit_test(test_failing_allocations),
    };
    crash_tally_print(NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
