/* Appending in any way comes to the same: one by one, in batches of any kind, and when each call
 * returns only with the file written; and what a batch's times become. */
#include "journal_writing.h"

#define MOST 200

static uint8_t payloads[MOST][2000];
static fls_journal_entry entries[MOST];

static size_t make_entries(uint64_t n, size_t count, prng *random, int timed)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].size = message(n + i, payloads[i]);
        entries[i].payload = payloads[i];
        entries[i].time_ns =
            timed && prng_below(random, 3) == 0 ? 1 + prng_below(random, UINT64_C(1) << 62) : 0;
    }
    return count;
}

/* One by one or in batches, with times of their own or without, over limits of segments. */
static void test_any_way_of_appending(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 16; way++) {
        prng random = prng_seeded(way);
        fls_journal_options options = quiet();
        options.segment_messages = (way & 1) != 0 ? 37 : 0;
        options.segment_bytes = (way & 2) != 0 ? 5000 : 400000;
        options.times = (way & 4) != 0 ? FLS_JOURNAL_TIMES_NONE : FLS_JOURNAL_TIMES_EACH;
        options.write_through = way >> 3;
        fls_journal *journal = open_with(&options);
        uint64_t n = fls_journal_next_ordinal(journal);
        for (int round = 0; round < 30; round++) {
            fake_now += prng_below(&random, 40000);
            uint64_t first;
            size_t taken;
            size_t count = make_entries(n, 1 + (size_t)prng_below(&random, MOST), &random, way > 8);
            if (round % 3 == 0) {
                append_many(journal, n, n + count);
            } else {
                assert_status(
                    fls_journal_append_batch(journal, entries, count, &first, &taken, &err), FLS_OK,
                    &err);
                assert_int_equal(first, n);
                assert_int_equal(taken, count);
            }
            n += count;
            assert_int_equal(fls_journal_next_ordinal(journal), n);
            assert_true(!options.write_through || fls_journal_written(journal) == n);
        }
        fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
        fls_journal_get_figures(journal, &figures);
        assert_int_equal(figures.appended_bytes > 0, 1);
        close_it(journal);
        (void)expect_segments(n);
        expect_journal(n, FLS_JOURNAL_DURABLE);
    }
}

static void expect_times(const uint64_t *times, size_t count)
{
    fls_journal_reader *reader;
    fls_message got;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    for (size_t i = 0; i < count; i++) { /* each sought alone: what is noted of it, and no more */
        assert_status(fls_journal_reader_seek_ordinal(reader, i, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &got, &err), FLS_OK, &err);
        assert_int_equal(got.time_ns, times[i]);
    }
    fls_journal_reader_close(reader);
}

/* The messages of a batch have the time of its call. */
static void test_times_of_each_batch(void **state)
{
    (void)state;
    static uint64_t wanted[40 * 25];
    prng random = prng_seeded(9);
    fls_journal_options options = quiet();
    fls_journal *journal = open_with(&options);
    for (size_t n = 0; n < 40 * 25; n += 25) {
        fake_now += 1 + prng_below(&random, 40000);
        (void)make_entries(n, 25, &random, 0);
        assert_status(fls_journal_append_batch(journal, entries, 25, NULL, NULL, &err), FLS_OK,
                      &err);
        for (size_t i = 0; i < 25; i++) {
            wanted[n + i] = fls_journal_now(journal);
        }
    }
    close_it(journal);
    expect_times(wanted, 40 * 25);
}

/* A time that would go back is that of the message before, in another segment too. */
static void test_times_of_a_batch(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 4; way++) {
        prng random = prng_seeded(way);
        fls_journal_options options = quiet();
        options.segment_messages = (way & 1) != 0 ? 2 : 0;
        options.write_through = way >> 1;
        fls_journal *journal = open_with(&options);
        uint64_t now = fls_journal_now(journal);
        (void)make_entries(0, 6, &random, 0);
        entries[1].time_ns = now + 500;
        entries[2].time_ns = now + 400;
        entries[4].time_ns = now + 600;
        const uint64_t wanted[6] = {now, now + 500, now + 500, now + 500, now + 600, now + 600};
        assert_status(fls_journal_append_batch(journal, entries, 6, NULL, NULL, &err), FLS_OK,
                      &err);
        close_it(journal);
        expect_times(wanted, 6);
        files_remove_directory(path);
        files_make_directory(path, sizeof path);
    }
}

/* What lingers is what is held: messages that came after a buffer was handed over begin anew. */
static void test_linger_after_a_full_buffer(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.linger_ns = 1000000;
    fls_journal *journal = open_with(&options);
    uint64_t n = 0;
    append_many(journal, n, n + 1);
    fake_now += 900000;
    for (n = 1; fls_journal_written(journal) == 0; n++) {
        append_many(journal, n, n + 1);
    }
    uint64_t written = fls_journal_written(journal);
    assert_true(written + 2 >= n); /* the one that reaches over the edge stays, as a whole */
    fake_now += 900000; /* 1.8 ms after the first message, 0.9 after those that are held */
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_written(journal), written);
    fake_now += 100000;
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_written(journal), n);
    close_it(journal);
    expect_journal(n, FLS_JOURNAL_DURABLE);
}

/* A writer that dies leaves the beginning of a message at most, and the next one goes on. */
static void test_dies_within_a_message(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    fls_journal *journal = open_with(&options);
    uint64_t n = 0;
    while (fls_journal_written(journal) == 0) {
        append_many(journal, n, n + 1);
        n++;
    }
    uint64_t written = fls_journal_written(journal);
    fls_journal_abandon(journal);
    expect_journal(written, FLS_JOURNAL_WRITTEN);
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    journal = open_reported(&options, &report);
    assert_int_equal(report.messages, written);
    assert_int_equal(report.cut_messages, 0);
    append_many(journal, written, written + 100);
    close_it(journal);
    expect_journal(written + 100, FLS_JOURNAL_DURABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_way_of_appending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times_of_each_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times_of_a_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_linger_after_a_full_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dies_within_a_message, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
