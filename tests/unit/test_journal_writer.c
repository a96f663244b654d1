/* Writing journals: every way of syncing, limits of segments, threads, times, types, and that each
 * segment alone is a stream of what was appended. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "journal/journal_marks.h"
#include "journal_writing.h"

static void test_closed_and_opened(void **state)
{
    (void)state;
    uint64_t n = 0;
    for (int round = 0; round < 5; round++) {
        fls_journal_options options = quiet();
        fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
        fls_journal *journal;
        assert_status(flsi_journal_open(&journal, path, &options, &calls, &report, &err), FLS_OK,
                      &err);
        assert_int_equal(report.is_new, round == 0);
        assert_int_equal(report.was_clean, 1);
        assert_int_equal(report.messages, n);
        assert_int_equal(report.epoch, round + 1);
        assert_int_equal(fls_journal_durable(journal), n);
        append_many(journal, n, n + 1000);
        n += 1000;
        assert_int_equal(fls_journal_next_ordinal(journal), n);
        close_it(journal);
        assert_int_equal(expect_segments(n), 1);
        expect_journal(n, FLS_JOURNAL_DURABLE);
    }
}

static void test_abandoned_and_opened(void **state)
{
    (void)state;
    uint64_t n = 0;
    for (int round = 0; round < 5; round++) {
        fls_journal_options options = quiet();
        fls_journal *journal = open_with(&options);
        assert_int_equal(fls_journal_next_ordinal(journal), n);
        append_many(journal, n, n + 500);
        assert_status(fls_journal_wait_durable(journal, n + 399, &err), FLS_OK, &err);
        append_many(journal, n + 500, n + 700);
        assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_written(journal), n + 700);
        n += 700;
        append_many(journal, n, n + 3); /* these are lost */
        fls_journal_abandon(journal);
        expect_journal(n, FLS_JOURNAL_WRITTEN);
    }
    fls_journal_options options = quiet();
    close_it(open_with(&options));
    expect_segments(n);
    expect_journal(n, FLS_JOURNAL_DURABLE);
}

static void test_rules_of_syncing(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.sync = FLS_JOURNAL_SYNC_EVERY;
    options.sync_messages = 10;
    fls_journal *journal = open_with(&options);
    for (uint64_t n = 0; n < 95; n++) {
        assert_status(append(journal, n, NULL), FLS_OK, &err);
        assert_int_equal(fls_journal_durable(journal), (n + 1) / 10 * 10);
    }
    close_it(journal);

    options.sync = FLS_JOURNAL_SYNC_ALWAYS;
    journal = open_with(&options);
    for (uint64_t n = 95; n < 120; n++) {
        assert_status(append(journal, n, NULL), FLS_OK, &err);
        assert_int_equal(fls_journal_durable(journal), n + 1);
    }
    close_it(journal);

    options.sync = FLS_JOURNAL_SYNC_BYTES;
    options.sync_bytes = 5000;
    journal = open_with(&options);
    uint64_t syncs = 0;
    for (uint64_t n = 120; n < 400; n++) {
        uint64_t before = fls_journal_durable(journal);
        assert_status(append(journal, n, NULL), FLS_OK, &err);
        uint64_t durable = fls_journal_durable(journal);
        assert_true(durable == before || durable == n + 1);
        assert_true(n + 1 - durable < 5000 / 20 + 1);
        syncs += durable != before;
    }
    assert_true(syncs >= 4);
    close_it(journal);

    options.sync = FLS_JOURNAL_SYNC_NONE;
    journal = open_with(&options);
    append_many(journal, 400, 2000);
    assert_int_equal(fls_journal_durable(journal), 400);
    assert_status(fls_journal_wait_durable(journal, 450, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_durable(journal), 2000);
    assert_status(fls_journal_wait_durable(journal, 2000, &err), FLS_INVALID_ARGUMENT, &err);
    close_it(journal);
    expect_segments(2000);
    expect_journal(2000, FLS_JOURNAL_DURABLE);
}

static void test_interval_and_linger(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    uint64_t wait;
    options.sync_interval_ns = 5000;
    options.linger_ns = 1000;
    fls_journal *journal = open_with(&options);
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    fake_now += 100000;
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    append_many(journal, 0, 3);
    assert_status(fls_journal_poll(journal, &wait, &err), FLS_OK, &err);
    assert_int_equal(wait, 1000);
    assert_int_equal(fls_journal_written(journal), 0);
    fake_now += 1000;
    assert_status(fls_journal_poll(journal, &wait, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_written(journal), 3);
    assert_int_equal(fls_journal_durable(journal), 0);
    assert_int_equal(wait, 4000);
    fake_now += 4000;
    assert_status(fls_journal_poll(journal, &wait, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_durable(journal), 3);
    assert_true(wait > 5000);
    close_it(journal);
}

static void test_thread_keeps_the_interval(void **state)
{
    (void)state;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 100);
    while (fls_journal_durable(journal) < 100) {
        usleep(1000);
    }
    append_many(journal, 100, 200);
    assert_status(fls_journal_wait_durable(journal, 199, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_durable(journal), 200);
    close_it(journal);
    expect_journal(200, FLS_JOURNAL_DURABLE);
}

static void expect_seal(const char *name, uint8_t flags)
{
    byte_buffer bytes = BYTES_INIT;
    assert_int_equal(files_read(files_join(path, name), &bytes), 0);
    assert_int_equal(bytes.data[bytes.size - 32], FLSI_RECORD_SEAL);
    assert_int_equal(bytes.data[bytes.size - 31], flags);
    bytes_free(&bytes);
}

static void test_limits_of_segments(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.segment_messages = 100;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 1000);
    close_it(journal);
    assert_int_equal(expect_segments(1000), 10);
    expect_seal("00000000000000000000.flm", FLSI_SEAL_ROTATED);
    expect_seal("00000000000000000900.flm", FLSI_SEAL_CLOSED);

    options.segment_messages = 0;
    options.segment_bytes = 10000;
    options.write_through = 1;
    journal = open_with(&options);
    append_many(journal, 1000, 1500);
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal_get_figures(journal, &figures);
    assert_true(figures.rotations > 4);
    assert_int_equal(figures.appended, 500);
    close_it(journal);
    size_t before = expect_segments(1500);

    options.segment_bytes = 0;
    options.segment_age_ns = 1000;
    journal = open_with(&options);
    append_many(journal, 1500, 1600);
    fake_now += 2000;
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    fake_now += 2000; /* nothing in it: no further segment */
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    append_many(journal, 1600, 1700);
    assert_status(fls_journal_rotate(journal, &err), FLS_OK, &err);
    assert_status(fls_journal_rotate(journal, &err), FLS_OK, &err);
    append_many(journal, 1700, 1701);
    close_it(journal);
    assert_true(expect_segments(1701) <= before + 4);
    expect_journal(1701, FLS_JOURNAL_DURABLE);
}

static void test_batches(void **state)
{
    (void)state;
    static uint8_t bytes[64][2000];
    fls_journal_entry entries[64];
    for (int through = 0; through < 2; through++) {
        fls_journal_options options = quiet();
        options.segment_messages = 50;
        options.write_through = (uint32_t)through;
        fls_journal *journal = open_with(&options);
        uint64_t n = fls_journal_next_ordinal(journal);
        for (int round = 0; round < 20; round++) {
            uint64_t first;
            size_t taken;
            for (size_t i = 0; i < 64; i++) {
                entries[i].size = message(n + i, bytes[i]);
                entries[i].payload = bytes[i];
                entries[i].time_ns = 0;
            }
            if (round % 5 == 4) { /* one in the middle that is none */
                entries[40].size = 0;
            }
            fls_status status =
                fls_journal_append_batch(journal, entries, 64, &first, &taken, &err);
            assert_status(status, round % 5 == 4 ? FLS_INVALID_FRAME : FLS_OK, &err);
            assert_int_equal(first, n);
            assert_int_equal(taken, round % 5 == 4 ? 40 : 64);
            n += taken;
            assert_int_equal(fls_journal_next_ordinal(journal), n);
            assert_true(!through || fls_journal_written(journal) == n);
        }
        close_it(journal);
        expect_segments(n);
        expect_journal(n, FLS_JOURNAL_DURABLE);
    }
}

/* A writer that is killed leaves no lock, and what it was told is durable is there. */
static void test_writer_that_is_killed(void **state)
{
    (void)state;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal *journal;
    int how;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        uint8_t bytes[2000];
        fls_status status = fls_journal_open(&journal, path, &options, NULL, NULL);
        for (uint64_t n = 0; status == FLS_OK && n < 50; n++) {
            size_t size = message(n, bytes);
            status = fls_journal_append(journal, bytes, size, NULL, NULL);
        }
        if (status == FLS_OK && fls_journal_wait_durable(journal, 49, NULL) == FLS_OK) {
            (void)!write(ready[1], "r", 1);
            (void)pause();
        }
        _exit(1);
    }
    assert_true(child > 0);
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_LOCKED, &err);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(close(ready[0]), 0);
    journal = open_with(&options);
    assert_int_equal(fls_journal_next_ordinal(journal), 50);
    close_it(journal);
    expect_segments(50);
}

static void test_options_that_contradict(void **state)
{
    (void)state;
    fls_journal *journal;
    fls_journal_options options = quiet();
    options.must_exist = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_IO, &err);
    options.must_exist = 0;
    options.checksum = FLS_CHECKSUM_CRC32;
    fls_journal *first = open_with(&options); /* a second one in the same process */
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_LOCKED, &err);
    assert_null(journal);
    close_it(first);
    options.checksum = FLS_CHECKSUM_XXH3;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_INVALID_ARGUMENT,
                  &err);
    options.checksum = FLS_CHECKSUM_DETECT;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_INVALID_ARGUMENT,
                  &err);
    options.checksum = FLS_CHECKSUM_DEFAULT;
    options.must_be_new = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_IO, &err);
    options.must_be_new = 0;
    assert_int_equal(remove(files_join(path, FLSI_MANIFEST_NAME)), 0);
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_INVALID_FRAME, &err);
    options.max_frame_bytes = FLS_DEFAULT_MAX_FRAME_BYTES + 1; /* a manifest cannot say it */
    assert_int_equal(fls_journal_open(&journal, path, &options, NULL, NULL), FLS_INVALID_ARGUMENT);
}

/* ---- threads ---- */

#define THREADS 8
#define EACH    400

static struct {
    fls_journal *journal;
    _Atomic int failures;
    int batches;
} shared;

/* The first 8 bytes say who and which; the ordinal is noted where nobody else writes. */
static uint64_t ordinals[THREADS][EACH];

static void *append_and_wait(void *self)
{
    uint64_t me = (uint64_t)(uintptr_t)self;
    for (uint64_t i = 0; i < EACH; i++) {
        uint64_t content[3] = {me, i, me * i};
        const fls_journal_entry entries[2] = {{content, 24, 0}, {content, 16, 0}};
        fls_status status =
            shared.batches && i % 3 == 0
                ? fls_journal_append_batch(shared.journal, entries, 2, &ordinals[me][i], NULL, NULL)
                : fls_journal_append(shared.journal, content, 24, &ordinals[me][i], NULL);
        if (status == FLS_OK && i % 5 == 0) {
            status = fls_journal_wait_durable(shared.journal, ordinals[me][i], NULL);
            shared.failures += fls_journal_durable(shared.journal) <= ordinals[me][i];
        }
        shared.failures += status != FLS_OK;
    }
    return NULL;
}

static void test_threads_share_syncs(void **state)
{
    (void)state;
    for (int sync = FLS_JOURNAL_SYNC_NONE; sync <= FLS_JOURNAL_SYNC_ALWAYS; sync++) {
        pthread_t threads[THREADS];
        fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
        fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
        options.sync = (fls_journal_sync)sync;
        options.sync_interval_ns = 1000000;
        options.segment_messages = 333;
        shared.batches = sync != FLS_JOURNAL_SYNC_ALWAYS;
        disk.slow = sync == FLS_JOURNAL_SYNC_ALWAYS;
        shared.journal = open_with(&options);
        for (uintptr_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, append_and_wait, (void *)i), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(shared.failures, 0);
        fls_journal_get_figures(shared.journal, &figures);
        if (sync == FLS_JOURNAL_SYNC_ALWAYS) {
            assert_true(figures.syncs < figures.appended / 2);
        }
        close_it(shared.journal);
    }
    disk.slow = 0;
    /* Ordinals and times agree, and each message has the ordinal that its thread was told. */
    fls_journal_reader *reader;
    fls_message got;
    uint64_t time = 0;
    uint64_t seen = 0;
    assert_status(fls_journal_reader_open(&reader, path, NULL, &err), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &got, &err) == FLS_OK) {
        uint64_t content[2];
        memcpy(content, got.payload, 16);
        assert_true(content[0] < THREADS && content[1] < EACH);
        seen += got.size == 24 && ordinals[content[0]][content[1]] == got.ordinal;
        assert_true(got.time_ns >= time);
        time = got.time_ns;
    }
    assert_int_equal(seen, THREADS * EACH);
    fls_journal_reader_close(reader);
}

/* ---- time, gaps, types ---- */

static struct {
    uint64_t gaps;
    uint64_t clocks;
    uint64_t types;
} events;

static void note_event(void *self, const fls_journal_event *event)
{
    (void)self;
    events.gaps += event->kind == FLS_JOURNAL_EVENT_GAP;
    events.clocks += event->kind == FLS_JOURNAL_EVENT_CLOCK;
    events.types += event->kind == FLS_JOURNAL_EVENT_TYPES;
}

static void read_events(uint64_t count)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_message got;
    uint64_t n = 0;
    options.event = note_event;
    memset(&events, 0, sizeof events);
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &got, &err) == FLS_OK) {
        n++;
    }
    assert_int_equal(n, count);
    fls_journal_reader_close(reader);
}

static void test_clock_that_steps(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    fls_journal *journal = open_with(&options);
    fake_now = UINT64_C(5000000000000);
    append_many(journal, 0, 10);
    uint64_t time = fls_journal_now(journal);
    fake_now = 1000;
    assert_int_equal(fls_journal_now(journal), time);
    append_many(journal, 10, 20);
    fake_now = UINT64_C(5000000000000) + 5000000000; /* the wall clock stands still beside it */
    assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    append_many(journal, 20, 30);
    close_it(journal);
    journal = open_with(&options); /* time goes on behind what it was */
    assert_true(fls_journal_now(journal) >= time);
    append_many(journal, 30, 40);
    close_it(journal);
    expect_journal(40, FLS_JOURNAL_DURABLE);
    read_events(40);
    assert_true(events.clocks >= 1);
}

static void test_gaps_are_durable_in_time(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.sync = FLS_JOURNAL_SYNC_NONE;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 10);
    const fls_journal_gap gap = {0, 77, 3, FLS_GAP_DROPPED_OLDEST};
    assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
    append_many(journal, 10, 20);
    long before = disk.syncs;
    assert_status(fls_journal_wait_durable(journal, 15, &err), FLS_OK, &err);
    assert_int_equal(disk.syncs, before + 2); /* the marks too */
    assert_status(fls_journal_record_gap(journal, &gap, &err), FLS_OK, &err);
    before = disk.syncs;
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    assert_int_equal(disk.syncs, before + 1);
    fls_journal_abandon(journal);
    close_it(open_with(&options));
    read_events(20);
    assert_true(events.gaps >= 1);
}

static void test_types(void **state)
{
    (void)state;
    byte_buffer one = BYTES_INIT;
    byte_buffer two = BYTES_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", &one), 0);
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &two), 0);
    const fls_journal_type types[2] = {{one.data, one.size, NULL, NULL},
                                       {two.data, two.size, NULL, NULL}};
    fls_journal_options options = quiet();
    options.types = types;
    options.type_count = 1;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 10);
    close_it(journal);
    journal = open_with(&options);
    append_many(journal, 10, 20);
    assert_status(fls_journal_set_types(journal, types, 1, &err), FLS_OK, &err);
    append_many(journal, 20, 30);
    close_it(journal);
    assert_int_equal(expect_segments(30), 1);
    journal = open_with(&options);
    assert_status(fls_journal_set_types(journal, types + 1, 1, &err), FLS_OK, &err);
    append_many(journal, 30, 40);
    close_it(journal);
    assert_int_equal(expect_segments(40), 2);
    options.type_count = 2;
    journal = open_with(&options);
    append_many(journal, 40, 50);
    const fls_journal_type bad = {"nonsense", 8, NULL, NULL};
    assert_status(fls_journal_set_types(journal, &bad, 1, &err), FLS_SCHEMA_INVALID, &err);
    append_many(journal, 50, 60);
    close_it(journal);
    assert_int_equal(expect_segments(60), 3);
    read_events(60);
    assert_true(events.types >= 2);
    bytes_free(&one);
    bytes_free(&two);
}

/* A change of types before a close, with no message behind it: who opens the journal next must not
 * go on in the segment that names the old ones. */
static void test_types_changed_before_a_close(void **state)
{
    (void)state;
    byte_buffer one = BYTES_INIT;
    byte_buffer two = BYTES_INIT;
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/telemetry.bfbs", &one), 0);
    assert_int_equal(files_read(FLS_TEST_SCHEMA_DIR "/everything.bfbs", &two), 0);
    const fls_journal_type types[2] = {{one.data, one.size, NULL, NULL},
                                       {two.data, two.size, NULL, NULL}};
    fls_journal_options options = quiet();
    options.types = types;
    options.type_count = 1;
    fls_journal *journal = open_with(&options);
    append_many(journal, 0, 10);
    assert_status(fls_journal_set_types(journal, types + 1, 1, &err), FLS_OK, &err);
    close_it(journal);
    assert_int_equal(expect_segments(10), 1);
    options.types = NULL; /* as the manifest has them */
    options.type_count = 0;
    journal = open_with(&options);
    append_many(journal, 10, 20);
    close_it(journal);
    assert_int_equal(expect_segments(20), 2);
    read_events(20);
    assert_int_equal(events.types, 1);
    bytes_free(&one);
    bytes_free(&two);
}

static void test_retention(void **state)
{
    (void)state;
    fls_journal_options options = quiet();
    options.segment_messages = 10;
    options.retain_segments = 3;
    fls_journal *journal = open_with(&options);
    for (uint64_t n = 0; n < 100; n++) {
        assert_status(append(journal, n, NULL), FLS_OK, &err);
        assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
    }
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal_get_figures(journal, &figures);
    assert_true(figures.segments <= 4);
    assert_true(figures.first_ordinal >= 60);
    assert_true(figures.retired_segments >= 6);
    close_it(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_closed_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abandoned_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_of_syncing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interval_and_linger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thread_keeps_the_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits_of_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writer_that_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_options_that_contradict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_share_syncs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_that_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gaps_are_durable_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_types_changed_before_a_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
