/* What rotation, retention, figures and everything that reads a journal cost with some thousand
 * segments: the calls to the system for each must not depend on how many there are. The long test
 * of the same takes a million.
 */
#include "many_segments.h"

static void test_retained(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_segments = 50;
    rotate_many(2000, &limits, 70);
    remove_journal();
}

static void test_retained_by_bytes(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    limits.retain_bytes = 20000;
    rotate_many(2000, &limits, 120);
    remove_journal();
}

static void test_all_left(void **state)
{
    (void)state;
    const fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    rotate_many(2000, &limits, 2000);
    read_all(2000);
    seek_many(2000);
    follow_many(2000);
    prune_many(2000);
    remove_journal();
}

static int add_size(void *self, const char *name)
{
    *(uint64_t *)self += strstr(name, ".fl") != NULL ? files_size(files_join(path, name)) : 0;
    return 0;
}

static void expect_figures(fls_journal *journal, uint64_t segments)
{
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    flsi_directory directory;
    uint64_t bytes = 0;
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.segments, segments);
    assert_int_equal(figures.next_ordinal - figures.first_ordinal, segments);
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_directory_list(&directory, add_size, &bytes, &err), FLS_OK, &err);
    assert_int_equal(figures.bytes, bytes);
    flsi_directory_close(&directory);
}

/* Others prune and compress beside a writer: its figures say so, and it does not remove what others
 * have made small enough. */
static void test_others_change_it(void **state)
{
    (void)state;
    fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    fls_prune_options prune = {.struct_bytes = sizeof prune, .retain_segments = 20};
    static const uint8_t payload[5000] = {1};
    uint64_t compressed = 0;
    limits.compress = 1; /* only said: nothing is polled */
    limits.retain_bytes = 80000;
    files_make_directory(path, sizeof path);
    fls_journal *journal = open_many(&limits);
    append_segments(journal, 30);
    expect_figures(journal, 30);
    assert_status(fls_journal_prune(path, &prune, NULL, &err), FLS_OK, &err);
    expect_figures(journal, 20);
    for (int i = 0; i < 40; i++) {
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
        fls_status status = fls_journal_compress(path, 0, &compressed, NULL, &err);
        if (status == FLS_UNSUPPORTED) {
            assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
            remove_journal();
            skip();
        }
        assert_status(status, FLS_OK, &err);
        assert_int_equal(compressed, i == 0 ? 20 : 1);
    }
    expect_figures(journal, 60); /* 200,000 bytes if they were plain */
    for (int i = 0; i < 40; i++) {
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
    }
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal_get_figures(journal, &figures);
    assert_in_range(figures.bytes, 70000, 86000);
    expect_figures(journal, figures.segments);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    remove_journal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retained),
        cmocka_unit_test(test_retained_by_bytes),
        cmocka_unit_test(test_all_left),
        cmocka_unit_test(test_others_change_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
