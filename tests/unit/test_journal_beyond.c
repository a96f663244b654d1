/* Ordinals that go over 2^32: everything that looks for places, tells how many and removes. The
 * long test of the same does it with 100 GB.
 */
#include "large_journal.h"

static void test_over_32_bits(void **state)
{
    (void)state;
    assert_null(make_large(12, 300, 0));
    inspect_large();
    seek_large(200);
    go_on_large();
    prune_and_check_large(3);
    remove_large();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_over_32_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
