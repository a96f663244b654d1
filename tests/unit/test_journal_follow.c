/* Following a journal: while it grows, through rotation, retention and recoveries, all of them made
 * by hand, so that each can be met at the worst moment. */
#include <pthread.h>

#include "journal_reading.h"

static fls_journal_reader *follow(const hand_journal *journal, fls_journal_visibility visible,
                                  event_log *log)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = visible;
    options.follow = 1;
    options.event = log_event;
    options.event_self = log;
    log->count = 0;
    assert_status(fls_journal_reader_open(&reader, journal->path, &options, &err), FLS_OK, &err);
    return reader;
}

static void assert_nothing(fls_journal_reader *reader)
{
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_WOULD_BLOCK, &err);
}

static void append(hand_journal *journal, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hand_append(journal);
    }
    hand_flush(journal);
}

static void remove_segment(const hand_journal *journal, uint64_t first)
{
    hand_journal other = *journal;
    other.first_ordinal = first;
    assert_int_equal(unlink(hand_name(&other, FLSI_NAME_SEGMENT)), 0);
    assert_int_equal(unlink(hand_name(&other, FLSI_NAME_MARKS)), 0);
}

static void test_growth_and_rotation(void **state)
{
    hand_journal journal;
    event_log log;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    hand_open(&journal);
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_WRITTEN, &log);
    assert_nothing(reader);
    uint64_t next = 0;
    for (int i = 0; i < 40; i++) {
        append(&journal, 1 + (size_t)i % 3);
        if (i % 5 == 0) {
            hand_rotate(&journal);
        }
        assert_status(fls_journal_reader_wait(reader, UINT64_MAX, &err), FLS_OK, &err);
        while (next < journal.next_ordinal) {
            (void)hand_next(reader, next++);
        }
        assert_nothing(reader);
    }
    assert_int_equal(log.count, 0);
    fls_journal_reader_wake(reader);
    fls_status status;
    while ((status = fls_journal_reader_wait(reader, UINT64_MAX, &err)) == FLS_OK) {
    }
    assert_status(status, FLS_STOPPED, &err);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* A frame is shown when its last byte is there, and not before. */
static void test_half_frames(void **state)
{
    hand_journal journal;
    event_log log;
    (void)state;
    hand_open(&journal);
    append(&journal, 3);
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_WRITTEN, &log);
    for (uint64_t i = 0; i < 3; i++) {
        (void)hand_next(reader, i);
    }
    for (uint64_t i = 3; i < 8; i++) {
        hand_append(&journal);
        while (journal.frames_size < journal.frames.size) {
            hand_append_file(hand_name(&journal, FLSI_NAME_SEGMENT),
                             journal.frames.data + journal.frames_size, 1, journal.frames_size);
            journal.frames_size++;
            if (journal.frames_size < journal.frames.size) {
                assert_nothing(reader);
            }
        }
        (void)hand_next(reader, i);
        assert_nothing(reader);
        hand_flush_marks(&journal);
    }
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_retention(void **state)
{
    hand_journal journal;
    event_log log;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    hand_open(&journal);
    for (int i = 0; i < 5; i++) { /* segments at 0, 4, 8, 12, 16 */
        append(&journal, 4);
        if (i < 4) {
            hand_rotate(&journal);
        }
    }
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_WRITTEN, &log);
    (void)hand_next(reader, 0);
    remove_segment(&journal, 0);
    remove_segment(&journal, 4);
    (void)hand_next(reader, 1); /* what is open can be read to its end */
    (void)hand_next(reader, 2);
    (void)hand_next(reader, 3);
    assert_int_equal(log.count, 0);
    (void)hand_next(reader, 8);
    assert_event(&log, 0, FLS_JOURNAL_EVENT_RETIRED, 8, 4);
    remove_segment(&journal, 8);
    remove_segment(&journal, 12);
    log.count = 0;
    assert_status(fls_journal_reader_seek_ordinal(reader, 0, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_reader_ordinal(reader), 16);
    (void)hand_next(reader, 16);
    assert_int_equal(log.count, 0);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* What recovery makes of a segment: its end from an ordinal on again in a new one, up to another
 * one; the next epoch. */
static void recover(hand_journal *journal, uint64_t base, uint64_t kept, int cut)
{
    if (base == journal->first_ordinal) { /* replaced: other files under the same names */
        assert_int_equal(unlink(hand_name(journal, FLSI_NAME_SEGMENT)), 0);
        assert_int_equal(unlink(hand_name(journal, FLSI_NAME_MARKS)), 0);
    }
    journal->epoch++;
    journal->next_ordinal = base;
    hand_begin_segment(journal);
    append(journal, (size_t)(kept - base));
    if (cut) {
        const flsi_record gap = {
            .type = FLSI_RECORD_GAP, .flags = FLS_GAP_CUT, .ordinal = kept, .offset = UINT64_MAX};
        hand_mark(journal, &gap, NULL);
        hand_flush_marks(journal);
    }
    hand_durable(journal);
}

static void recovery_keeps(uint64_t base)
{
    hand_journal journal;
    event_log log;
    fls_error err = FLS_ERROR_INIT;
    hand_open(&journal);
    append(&journal, 4);
    hand_durable(&journal);
    append(&journal, 6);
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_WRITTEN, &log);
    for (uint64_t i = 0; i < 10; i++) {
        (void)hand_next(reader, i);
    }
    assert_nothing(reader);
    recover(&journal, base, 10, 0);
    append(&journal, 3);
    assert_status(fls_journal_reader_wait(reader, UINT64_MAX, &err), FLS_OK, &err);
    for (uint64_t i = 10; i < 13; i++) {
        (void)hand_next(reader, i);
    }
    assert_nothing(reader);
    assert_int_equal(log.count, 1);
    assert_event(&log, 0, FLS_JOURNAL_EVENT_EPOCH, 10, 0);
    assert_int_equal(log.events[0].epoch, 2);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_recovery_keeps_all(void **state)
{
    (void)state;
    recovery_keeps(4);
    recovery_keeps(0);
}

/* The new writer's messages are other ones under the same ordinals. */
static void recovery_takes(uint64_t base, uint64_t kept)
{
    hand_journal journal;
    event_log log;
    uint8_t other[100];
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    hand_open(&journal);
    append(&journal, 4);
    hand_durable(&journal);
    append(&journal, 6);
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_WRITTEN, &log);
    for (uint64_t i = 0; i < 10; i++) {
        (void)hand_next(reader, i);
    }
    recover(&journal, base, kept, 1);
    memset(other, 'x', sizeof other);
    for (int i = 0; i < 9; i++) {
        frames_append(&journal.frames, &journal.format, other, sizeof other);
    }
    hand_flush_frames(&journal);
    for (uint64_t i = kept; i < kept + 9; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_int_equal(message.ordinal, i);
        assert_int_equal(message.size, sizeof other);
    }
    assert_event(&log, 0, FLS_JOURNAL_EVENT_TAKEN_BACK, kept, 10 - kept);
    assert_event(&log, 1, FLS_JOURNAL_EVENT_EPOCH, kept, 0);
    assert_event(&log, 2, FLS_JOURNAL_EVENT_GAP, kept, UINT64_MAX);
    assert_int_equal(log.count, 3);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_recovery_takes_back(void **state)
{
    (void)state;
    recovery_takes(4, 7);
    recovery_takes(4, 4);
    recovery_takes(0, 9);
}

/* A reader of durable messages never notices more than that there is another writer. */
static void test_durable_through_recovery(void **state)
{
    hand_journal journal;
    event_log log;
    (void)state;
    hand_open(&journal);
    append(&journal, 4);
    hand_durable(&journal);
    append(&journal, 6);
    fls_journal_reader *reader = follow(&journal, FLS_JOURNAL_DURABLE, &log);
    for (uint64_t i = 0; i < 4; i++) {
        (void)hand_next(reader, i);
    }
    assert_nothing(reader);
    recover(&journal, 4, 8, 1);
    for (uint64_t i = 4; i < 8; i++) {
        (void)hand_next(reader, i);
    }
    assert_nothing(reader);
    append(&journal, 2);
    assert_nothing(reader);
    hand_durable(&journal);
    (void)hand_next(reader, 8);
    assert_event(&log, 0, FLS_JOURNAL_EVENT_EPOCH, 4, 0);
    assert_event(&log, 1, FLS_JOURNAL_EVENT_GAP, 8, UINT64_MAX);
    assert_int_equal(log.count, 2);
    recover(&journal, 4, 10, 0); /* in place of itself */
    append(&journal, 1);
    hand_durable(&journal);
    for (uint64_t i = 9; i < 11; i++) {
        (void)hand_next(reader, i);
    }
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

#define RUN_MESSAGES 3000u

static void *write_run(void *self)
{
    hand_journal *journal = self;
    for (uint64_t i = 0; i < RUN_MESSAGES; i++) {
        hand_append(journal);
        if (i % 7 == 0) {
            hand_flush(journal);
        }
        if (i % 31 == 0) {
            hand_flush(journal);
            hand_durable(journal);
        }
        if (i % 101 == 100) {
            hand_rotate(journal);
        }
    }
    hand_flush(journal);
    hand_durable(journal);
    return NULL;
}

/* Beside a writer, asleep whenever there is nothing: everything once, in order. */
static void follow_run(fls_journal_visibility visible)
{
    hand_journal journal;
    event_log log;
    pthread_t thread;
    fls_message messages[16];
    fls_error err = FLS_ERROR_INIT;
    uint64_t next = 0;
    hand_open(&journal);
    fls_journal_reader *reader = follow(&journal, visible, &log);
    assert_int_equal(pthread_create(&thread, NULL, write_run, &journal), 0);
    while (next < RUN_MESSAGES) {
        size_t count;
        fls_status status = fls_journal_reader_next_batch(reader, messages, 16, &count, &err);
        if (status == FLS_WOULD_BLOCK) {
            assert_status(fls_journal_reader_wait(reader, UINT64_MAX, &err), FLS_OK, &err);
            continue;
        }
        assert_status(status, FLS_OK, &err);
        for (size_t i = 0; i < count; i++, next++) {
            uint8_t payload[64];
            assert_int_equal(messages[i].ordinal, next);
            assert_int_equal(messages[i].size, hand_payload(next, payload));
            assert_memory_equal(messages[i].payload, payload, messages[i].size);
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_nothing(reader);
    assert_int_equal(log.count, 0);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_beside_a_writer(void **state)
{
    (void)state;
    follow_run(FLS_JOURNAL_WRITTEN);
    follow_run(FLS_JOURNAL_DURABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth_and_rotation), cmocka_unit_test(test_half_frames),
        cmocka_unit_test(test_retention),           cmocka_unit_test(test_recovery_keeps_all),
        cmocka_unit_test(test_recovery_takes_back), cmocka_unit_test(test_durable_through_recovery),
        cmocka_unit_test(test_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
