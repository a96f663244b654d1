/* test_journal_crash.c for longer: a crash at every point of many runs. FLS_CRASH_SEEDS says how
 * many runs of each kind, FLS_CRASH_FIRST_SEED where they begin. */
#include <errno.h>
#include <inttypes.h>

#include "crash_threads.h"
#include "support/testing.h"

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void add(crash_tally *sum, const crash_tally *tally)
{
    sum->points += tally->points;
    sum->crashes += tally->crashes;
    sum->nested += tally->nested;
    sum->acknowledged += tally->acknowledged;
    sum->checked += tally->checked;
    sum->lost += tally->lost;
    sum->invented += tally->invented;
    sum->recovered += tally->recovered;
    sum->cut += tally->cut;
    sum->refused += tally->refused;
    sum->other += tally->other;
}

static crash_tally all;

static void finish(const char *name, const crash_tally *tally)
{
    crash_tally_print(name, tally);
    add(&all, tally);
    assert_int_equal(crash_tally_faults(tally), 0);
}

static void test_crashes(void **state)
{
    static const char *const names[] = {"",           "sync none",  "sync interval",
                                        "sync bytes", "sync every", "sync always"};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120);
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (unsigned sync = 1; sync <= 5; sync++) {
        crash_tally tally = {0};
        for (uint64_t seed = first; seed < first + seeds; seed++) {
            crash_plan plan = {.seed = seed * 5 + sync, .steps = 150, .depth = 3};
            plan.sync = sync;
            crash_journal_run(&plan, &tally);
        }
        finish(names[sync], &tally);
    }
}

static void test_upkeep(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120);
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_plan plan = {.seed = seed, .steps = 120, .depth = 3, .stride = 2, .upkeep = 1};
        crash_journal_run(&plan, &tally);
    }
    finish("upkeep", &tally);
}

static void test_failing_syncs(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120) / 4 + 1;
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_plan plan = {.seed = seed, .steps = 80, .depth = 2, .stride = 4};
        for (uint64_t sync = 1; sync < 200; sync++) {
            plan.fail_sync = sync;
            plan.fail_syncs = sync % 3;
            plan.evict = (uint32_t)(seed & 1);
            plan.fail_errno = seed % 4 == 0 ? ENOSPC : EIO;
            crash_journal_run(&plan, &tally);
            if (tally.syncs < sync) {
                break;
            }
        }
    }
    finish("failing syncs", &tally);
}

static void test_full_disk(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120);
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_plan plan = {.seed = seed, .steps = 120, .depth = 2, .stride = 4};
        plan.room_bytes = 1000 + (seed - first) * 17000 / seeds;
        crash_journal_run(&plan, &tally);
    }
    finish("full disk", &tally);
}

static void test_interruptions(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120);
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_plan plan = {.seed = seed, .steps = 100, .depth = 1, .stride = 20, .upkeep = 1};
        plan.transfer_most = 1 + (size_t)(seed % 4) * 37;
        plan.interrupt = 2 + (uint32_t)(seed % 5);
        crash_journal_run(&plan, &tally);
    }
    finish("interruptions", &tally);
}

static void test_threads(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120);
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_threads_run(seed, 1 + (unsigned)(seed % 5), 1, &tally);
    }
    finish("threads", &tally);
}

static void test_failing_calls(void **state)
{
    crash_tally tally = {0};
    uint64_t seeds = number_from("FLS_CRASH_SEEDS", 120) / 8 + 1;
    uint64_t first = number_from("FLS_CRASH_FIRST_SEED", 1000);
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        crash_plan plan = {.seed = seed, .steps = 50, .depth = 1, .stride = 30};
        plan.fail_errno = seed % 3 == 0 ? ENOSPC : EIO;
        plan.upkeep = (uint32_t)(seed & 1);
        for (uint64_t call = 1; call < 20000; call++) {
            plan.fail_at = call;
            plan.fail_calls = call % 4 == 0 ? 3 : 0;
            crash_journal_run(&plan, &tally);
            if (!tally.failed) {
                break;
            }
        }
    }
    finish("failing calls", &tally);
}

static void test_sum(void **state)
{
    (void)state;
    crash_tally_print("all", &all);
    printf("crash points tried %" PRIu64 ", crashes %" PRIu64 ", messages acknowledged %" PRIu64
           ", lost %" PRIu64 ", invented %" PRIu64 "\n",
           all.points, all.crashes, all.acknowledged, all.lost, all.invented);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes),       cmocka_unit_test(test_upkeep),
        cmocka_unit_test(test_failing_syncs), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_interruptions),
        cmocka_unit_test(test_failing_calls), cmocka_unit_test(test_sum),
    };
    crash_tally_print(NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
