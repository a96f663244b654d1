/* What a writer does by itself, and with a disk that is full for a while: what it takes back, hands
 * over, waits for and removes. */
#include <fcntl.h>

#include "journal/journal_private.h"
#include "journal_writing.h"

/* A batch that the disk had no room for, wherever it ended, leaves nothing behind: neither marks
 * that speak of it, nor a proof of it in what is said to be durable afterwards. */
static void test_batch_taken_back(void **state)
{
    (void)state;
    static const uint8_t payload[70000] = {7};
    const fls_journal_entry batch[3] = {{payload, 100, 0}, {payload, 70000, 0}, {payload, 90, 0}};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    options.polled = 1;
    options.write_through = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    uint64_t count = 0;
    int refused = 0;
    for (uint64_t has = 0; has < 71000; has += has < 1000 || has >= 70000 ? 20 : 23000) {
        fls_journal *journal = open_reported(&options, &report);
        assert_int_equal(report.messages, count);
        assert_true(report.was_clean);
        assert_status(fls_journal_append(journal, payload, 60, NULL, &err), FLS_OK, &err);
        count++;
        size_t taken = 0;
        disk.room = has;
        fls_status status = fls_journal_append_batch(journal, batch, 3, NULL, &taken, &err);
        disk.room = UINT64_MAX;
        if (status != FLS_OK) {
            assert_status(status, FLS_NO_SPACE, &err);
            refused++;
        }
        count += taken;
        assert_int_equal(fls_journal_next_ordinal(journal), count);
        if (has % 40 == 0) { /* something behind it, or nothing */
            assert_status(fls_journal_append_batch(journal, batch, 3, NULL, NULL, &err), FLS_OK,
                          &err);
            count += 3;
        }
        assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_durable(journal), count);
        fls_journal_abandon(journal);
    }
    assert_true(refused > 50);
}

/* A disk without room for all that is held: what the file has is durable nevertheless, and so is a
 * message of which only the marks found none. */
static void test_full_disk_keeps_what_it_has(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {3};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    fls_journal *journal = open_with(&options);
    for (int i = 0; i < 10; i++) {
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    }
    disk.room = 7 * 112 + 50;
    assert_status(fls_journal_sync_now(journal, &err), FLS_NO_SPACE, &err);
    assert_int_equal(fls_journal_durable(journal), 7);
    assert_int_equal(fls_journal_next_ordinal(journal), 10);
    disk.room = 3 * 112; /* none for marks */
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_durable(journal), 10);
    const fls_journal_gap gap = {0, 5, 1, FLS_GAP_REFUSED};
    assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
    assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    disk.room = 112; /* the gap has to be durable no later than the message */
    assert_status(fls_journal_sync_now(journal, &err), FLS_NO_SPACE, &err);
    assert_int_equal(fls_journal_durable(journal), 10);
    disk.room = UINT64_MAX;
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_durable(journal), 11);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* An append that syncs has made its message durable when it returns, or has not taken it. */
static void test_always_means_durable(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {4};
    const fls_journal_gap gap = {0, 5, 1, FLS_GAP_REFUSED};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_ALWAYS;
    fls_journal *journal = open_with(&options);
    uint64_t count = 0;
    uint64_t refused = 0;
    for (uint64_t has = 0; has < 400; has += 4) {
        if (has % 8 == 0) {
            assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
        }
        disk.room = has;
        fls_status status = fls_journal_append(journal, payload, 100, NULL, &err);
        disk.room = UINT64_MAX;
        refused += status != FLS_OK;
        count += status == FLS_OK;
        assert_true(status == FLS_OK || status == FLS_NO_SPACE);
        assert_int_equal(fls_journal_next_ordinal(journal), count);
        assert_int_equal(fls_journal_durable(journal), count);
    }
    assert_in_range(refused, 10, 90);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* A segment that has been ended, and another that the disk has no room for: who polls is not told
 * to come back at once, over and over. */
static void test_waits_for_room(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {9};
    const fls_journal_entry batch[4] = {
        {payload, 100, 0}, {payload, 100, 0}, {payload, 100, 0}, {payload, 100, 0}};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    options.polled = 1;
    options.clock = &fake_clock;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.linger_ns = 1000;
    options.segment_messages = 2;
    int partly = 0;
    for (uint64_t has = 0; has < 1500; has += 10) {
        fls_journal *journal = open_reported(&options, &report);
        uint64_t count = report.messages;
        uint64_t wait = 0;
        size_t taken = 0;
        disk.room = has;
        fls_status status = fls_journal_append_batch(journal, batch, 4, NULL, &taken, &err);
        disk.room = 0;
        taken = status == FLS_OK ? 4 : taken;
        partly += taken > 0 && taken < 4;
        for (int i = 0; i < 3; i++) {
            fake_now += 1000;
            status = fls_journal_poll(journal, &wait, &err);
            assert_true(status == FLS_OK || status == FLS_NO_SPACE);
            assert_true(wait > 0);
        }
        disk.room = UINT64_MAX;
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_next_ordinal(journal), count + taken + 1);
        assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    }
    assert_true(partly > 0);
}

/* Each message is handed over after it lingered, also when the ones before it are not durable. */
static void test_thread_keeps_the_linger(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    const fls_clock *clock = fls_clock_monotonic();
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.linger_ns = 1000000;
    fls_journal *journal = open_reported(&options, &report);
    uint64_t began = clock->now_ns(clock->self);
    for (uint64_t n = 1; n <= 20; n++) { /* nothing but the lingering would take 20 seconds */
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
        while (fls_journal_written(journal) < n) {
            usleep(500);
        }
    }
    assert_true(clock->now_ns(clock->self) - began < UINT64_C(8000000000));
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* Retention goes on in the journal that was opened, wherever the process has gone since. */
static void test_retention_elsewhere(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_figures figures = {.struct_bytes = sizeof figures};
    fls_journal *journal;
    options.polled = 1;
    options.retain_segments = 1;
    int here = open(".", O_RDONLY);
    assert_true(here >= 0);
    assert_int_equal(chdir(path), 0);
    assert_status(flsi_journal_open(&journal, ".", &options, &calls, NULL, &err), FLS_OK, &err);
    assert_int_equal(chdir("/"), 0);
    for (int i = 0; i < 3; i++) {
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
        assert_status(fls_journal_rotate(journal, &err), FLS_OK, &err);
        assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    }
    assert_int_equal(fchdir(here), 0);
    assert_int_equal(close(here), 0);
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.retired_segments, 3);
    assert_int_equal(figures.segments, 1);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* What is removed makes room. */
static int unlink_and_free(int at, const char *name, int flags)
{
    int result = flsi_os_calls_system()->unlinkat(at, name, flags);
    disk.room += result == 0 && name[0] != '.' ? 200 : 0;
    return result;
}

/* A disk that is full of the journal itself: opening says that there is no room for a manifest, and
 * leaves everything as it is; with limits that allow less, those that are due to go make room. */
static void test_full_disk_at_opening(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    fls_journal_figures figures = {.struct_bytes = sizeof figures};
    calls.unlinkat = unlink_and_free;
    options.polled = 1;
    options.segment_messages = 1;
    journal = open_with(&options);
    for (int i = 0; i < 200; i++) {
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    }
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    disk.room = 0;
    for (int i = 0; i < 2; i++) {
        options.retain_segments = i == 0 ? 0 : 200; /* as many as there are */
        assert_status(flsi_journal_open(&journal, path, &options, &calls, &report, &err),
                      FLS_NO_SPACE, &err);
        assert_non_null(strstr(err.text, "no room for a new manifest"));
        assert_string_equal(err.name, "journal.json");
        assert_int_equal(err.system_errno, ENOSPC);
        disk.room = 0; /* unfinished work was removed */
    }
    options.retain_segments = 20;
    journal = open_reported(&options, &report);
    assert_true(report.was_clean);
    assert_int_equal(report.messages, 200);
    fls_journal_get_figures(journal, &figures);
    assert_in_range(figures.segments, 20, 200 - 64);
    assert_int_equal(figures.first_ordinal, figures.next_ordinal - figures.segments);
    assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* Retention keeps up with who appends, also when nobody does what is due in between. */
static void test_retention_keeps_up(void **state)
{
    (void)state;
    static const uint8_t payload[100] = {1};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_figures figures = {.struct_bytes = sizeof figures};
    options.polled = 1;
    options.segment_messages = 1;
    options.retain_segments = 2;
    fls_journal *journal = open_with(&options);
    for (int i = 0; i < 50; i++) {
        assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
        fls_journal_get_figures(journal, &figures);
        assert_in_range(figures.segments, 1, 4);
    }
    assert_in_range(figures.retired_segments, 46, 48);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* Gaps are told with their messages, types are stored with the next try. */
static uint64_t missing_messages;

static void note_gap(void *self, const fls_journal_event *event)
{
    (void)self;
    missing_messages += event->kind == FLS_JOURNAL_EVENT_GAP ? event->messages : 0;
}

static void expect_missing(uint64_t expected, uint64_t count)
{
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_journal_reader *reader;
    fls_message got;
    options.event = note_gap;
    missing_messages = 0;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &got, &err) == FLS_OK) {
        count--;
    }
    assert_int_equal(count, 0);
    assert_int_equal(missing_messages, expected);
    fls_journal_reader_close(reader);
}

static void test_types_changed(void **state)
{
    (void)state;
    byte_buffer one = BYTES_INIT;
    byte_buffer two = BYTES_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", &one), 0);
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &two), 0);
    const fls_journal_type types[2] = {{one.data, one.size, NULL, NULL},
                                       {two.data, two.size, NULL, NULL}};
    static const uint8_t payload[100] = {1};
    const fls_journal_gap gap = {0, 7, 3, FLS_GAP_DROPPED_NEWEST};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    fls_journal_figures figures = {.struct_bytes = sizeof figures};
    options.polled = 1;
    options.types = types;
    options.type_count = 1;
    fls_journal *journal = open_reported(&options, &report);
    /* A segment that has no message yet begins again: what is missing before it stays. */
    assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
    assert_status(fls_journal_set_types(journal, types + 1, 1, &err), FLS_OK, &err);
    assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    journal = open_reported(&options, &report); /* with the others again */
    assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    /* No room for the manifest, after there was for the schema. */
    fls_status status = FLS_NO_SPACE;
    int tries = 0;
    for (uint64_t has = 0; status != FLS_OK; has += 100, tries++) {
        disk.room = has;
        status = fls_journal_set_types(journal, types + 1, 1, &err);
        assert_true(status == FLS_OK || status == FLS_NO_SPACE);
    }
    assert_true(tries > 2);
    disk.room = UINT64_MAX;
    assert_status(fls_journal_append(journal, payload, 100, NULL, &err), FLS_OK, &err);
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.segments, 2);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    expect_missing(14, 2);
    bytes_free(&one);
    bytes_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batch_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk_keeps_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_always_means_durable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_for_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thread_keeps_the_linger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk_at_opening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention_keeps_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_types_changed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
