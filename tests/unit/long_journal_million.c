/* A million segments one after the other, with retention and without it; see many_segments.h.
 * FLS_MANY_SEGMENTS says how many there shall be, FLS_MANY_LEFT how many where none is removed.
 */
#include "many_segments.h"

#include <stdlib.h>

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_retained(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_segments = 100;
    rotate_many(number("FLS_MANY_SEGMENTS", 1000000), &limits, 200);
    remove_journal();
}

static void test_retained_by_bytes(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_bytes = 2000000;
    rotate_many(number("FLS_MANY_SEGMENTS", 1000000) / 5, &limits, 12000);
    remove_journal();
}

static void test_all_left(void **state)
{
    (void)state;
    const fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    uint64_t segments = number("FLS_MANY_LEFT", 100000);
    rotate_many(segments, &limits, segments);
    read_all(segments);
    seek_many(segments);
    save_many(segments);
    follow_many(segments);
    prune_many(segments);
    remove_journal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retained),
        cmocka_unit_test(test_retained_by_bytes),
        cmocka_unit_test(test_all_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
