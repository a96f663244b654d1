/* The crashes of test_journal_crash.c while several threads append at once, with the journal's own:
 * apart from the others, for a checker of threads has nothing to see in those and takes minutes.
 */
#include "crash_threads.h"
#include "support/testing.h"

static void test_threads(void **state)
{
    crash_tally tally = {0};
    (void)state;
    for (uint64_t seed = 800; seed < 812; seed++) {
        crash_threads_run(seed, 1 + (unsigned)(seed % 5), 3, &tally);
    }
    crash_tally_print("threads", &tally);
    assert_int_equal(crash_tally_faults(&tally), 0);
    assert_true(tally.points > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    crash_tally_print(NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
