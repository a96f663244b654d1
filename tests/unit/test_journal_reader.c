/* Reading journals that were made by hand: everything in order, from every place, back and forth.
 */
#include "flatstream/reader.h"

#include "journal_reading.h"
#include "support/counting_allocator.h"

static fls_journal_reader *open_reader(const hand_journal *journal, fls_journal_visibility visible,
                                       event_log *log)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = visible;
    options.alignment = 8;
    if (log != NULL) {
        options.event = log_event;
        options.event_self = log;
    }
    assert_status(fls_journal_reader_open(&reader, journal->path, &options, &err), FLS_OK, &err);
    return reader;
}

static void assert_message(const fls_message *message, uint64_t ordinal)
{
    assert_int_equal(message->ordinal, ordinal);
    assert_true(hand_is_message(message));
    assert_int_equal((uintptr_t)message->payload % 8, 0);
}

static void assert_next(fls_journal_reader *reader, uint64_t ordinal)
{
    assert_int_equal(fls_journal_reader_ordinal(reader), ordinal);
    fls_message message = hand_next(reader, ordinal);
    assert_message(&message, ordinal);
    assert_int_equal(message.time_ns, hand_time(ordinal));
    assert_int_equal(message.flags, 0);
}

static void assert_end(fls_journal_reader *reader)
{
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_END, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_END, &err);
}

#define SEGMENTS 9
#define MESSAGES 75

/* Segments of growing length, pieces of growing length; all durable but the last two messages. */
static void make_journal(hand_journal *journal)
{
    hand_open(journal);
    size_t in_segment = 0;
    size_t segment = 0;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        if (i == MESSAGES - 2) {
            hand_flush(journal);
            hand_durable(journal);
        }
        hand_append(journal);
        in_segment++;
        if (i % 4 == 3) {
            hand_flush(journal);
        }
        if (in_segment > segment * 3 && segment + 1 < SEGMENTS && i != MESSAGES - 2) {
            hand_rotate(journal);
            in_segment = 0;
            segment++;
        }
    }
    hand_flush(journal);
}

static void test_reads_all(void **state)
{
    hand_journal journal;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_next(reader, i);
    }
    assert_end(reader);
    fls_journal_reader_close(reader);
    reader = open_reader(&journal, FLS_JOURNAL_VISIBLE_DEFAULT, NULL);
    for (uint64_t i = 0; i < MESSAGES - 2; i++) {
        assert_next(reader, i);
    }
    assert_end(reader);
    /* More becomes durable. */
    hand_durable(&journal);
    assert_next(reader, MESSAGES - 2);
    assert_next(reader, MESSAGES - 1);
    assert_end(reader);
    hand_append(&journal);
    hand_rotate(&journal);
    hand_append(&journal);
    hand_flush(&journal);
    assert_next(reader, MESSAGES);
    assert_end(reader);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_batches(void **state)
{
    hand_journal journal;
    fls_message messages[7];
    fls_error err = FLS_ERROR_INIT;
    size_t count;
    uint64_t next = 0;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    while (next < MESSAGES) {
        assert_status(fls_journal_reader_next_batch(reader, messages, 7, &count, &err), FLS_OK,
                      &err);
        assert_in_range(count, 1, 7);
        for (size_t i = 0; i < count; i++, next++) {
            assert_message(&messages[i], next);
            assert_int_equal(messages[i].time_ns, hand_time(next));
        }
    }
    assert_end(reader);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_seeks_to_each_ordinal(void **state)
{
    hand_journal journal;
    fls_error err = FLS_ERROR_INIT;
    uint64_t first;
    uint64_t end;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    for (uint64_t i = MESSAGES + 3; i-- > 0;) {
        uint64_t place = i < MESSAGES ? i : MESSAGES;
        assert_status(fls_journal_reader_seek_ordinal(reader, i, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_reader_ordinal(reader), place);
        if (i % 5 == 0) {
            assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
            assert_int_equal(first, 0);
            assert_int_equal(end, MESSAGES);
        }
        if (place == MESSAGES) {
            assert_end(reader);
        } else {
            assert_next(reader, place);
        }
        assert_status(fls_journal_reader_seek_end(reader, i, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_reader_ordinal(reader), i < MESSAGES ? MESSAGES - i : 0);
    }
    fls_journal_reader_close(reader);
    reader = open_reader(&journal, FLS_JOURNAL_DURABLE, NULL);
    assert_status(fls_journal_reader_seek_ordinal(reader, MESSAGES, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_reader_ordinal(reader), MESSAGES - 2);
    assert_end(reader);
    assert_status(fls_journal_reader_seek_end(reader, 1, &err), FLS_OK, &err);
    assert_next(reader, MESSAGES - 3);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_seeks_to_each_time(void **state)
{
    hand_journal journal;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    for (uint64_t time = 990; time < hand_time(MESSAGES) + 20; time += 5) {
        uint64_t wanted = 0;
        while (wanted < MESSAGES && hand_time(wanted) < time) {
            wanted++;
        }
        assert_status(fls_journal_reader_seek_time(reader, time, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_reader_ordinal(reader), wanted);
        if (wanted < MESSAGES) {
            assert_next(reader, wanted);
        }
    }
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* Every third message has no key; keys do not fall. */
static int key_of(void *self, const fls_message *message, int64_t *key)
{
    ++*(size_t *)self;
    *key = (int64_t)(message->ordinal / 4);
    return message->ordinal % 3 == 2;
}

static void test_seeks_by_key(void **state)
{
    hand_journal journal;
    fls_error err = FLS_ERROR_INIT;
    size_t asked = 0;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    for (int64_t key = -1; key < MESSAGES / 4 + 3; key++) {
        uint64_t wanted = 0;
        while (wanted < MESSAGES && (wanted % 3 == 2 || (int64_t)(wanted / 4) < key)) {
            wanted++;
        }
        assert_status(fls_journal_reader_seek_key(reader, key_of, &asked, key, &err), FLS_OK, &err);
        assert_int_equal(fls_journal_reader_ordinal(reader), wanted);
    }
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_goes_back(void **state)
{
    hand_journal journal;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    make_journal(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_END, &err);
    assert_status(fls_journal_reader_seek_end(reader, 0, &err), FLS_OK, &err);
    for (uint64_t i = MESSAGES; i-- > 0;) {
        assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
        assert_message(&message, i);
        assert_int_equal(message.time_ns, hand_time(i));
        if (i % 3 == 0) {
            assert_next(reader, i);
            assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
            assert_message(&message, i);
        }
    }
    assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_END, &err);
    assert_next(reader, 0);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_gaps_come_before_what_they_precede(void **state)
{
    hand_journal journal;
    event_log log = {.count = 0};
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    hand_open(&journal);
    hand_gap(&journal, 5);
    for (int i = 0; i < 6; i++) {
        hand_append(&journal);
    }
    hand_flush(&journal);
    hand_append(&journal);
    hand_gap(&journal, 6);
    hand_append(&journal);
    hand_append(&journal);
    hand_flush(&journal);
    hand_gap(&journal, 7);
    hand_rotate(&journal);
    hand_append(&journal);
    hand_flush(&journal);
    fls_journal_reader *reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, &log);
    for (uint64_t i = 0; i < 10; i++) {
        assert_next(reader, i);
        assert_int_equal(log.count, (size_t)(i < 7 ? 1 : 2) + (i >= 9));
    }
    for (size_t i = 0; i < log.count; i++) {
        const uint64_t ordinals[] = {0, 7, 9};
        assert_int_equal(log.events[i].kind, FLS_JOURNAL_EVENT_GAP);
        assert_int_equal(log.events[i].messages, 5 + i);
        assert_int_equal(log.events[i].ordinal, ordinals[i]);
        assert_int_equal(log.events[i].producer, 3);
    }
    for (uint64_t i = 0; i < 10; i++) {
        log.count = 0;
        assert_status(fls_journal_reader_seek_ordinal(reader, i, &err), FLS_OK, &err);
        assert_next(reader, i);
        assert_int_equal(log.count, i == 0 || i == 7);
    }
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* Everything a reader does, each time with another allocation failing: it says so and nothing else,
 * nothing is lost, and going on works. */
static fls_status use_reader(fls_journal_reader *reader, fls_error *err)
{
    fls_message message;
    uint64_t next = 0;
    fls_status status;
    while ((status = fls_journal_reader_next(reader, &message, err)) == FLS_OK) {
        assert_message(&message, next++);
    }
    if (status != FLS_END) {
        return status;
    }
    assert_int_equal(next, MESSAGES);
    for (uint64_t i = MESSAGES; i-- > MESSAGES - 9;) {
        status = fls_journal_reader_previous(reader, &message, err);
        if (status != FLS_OK) {
            return status;
        }
        assert_message(&message, i);
    }
    status = fls_journal_reader_seek_time(reader, hand_time(30), err);
    if (status == FLS_OK) {
        assert_int_equal(fls_journal_reader_ordinal(reader), 30);
        status = fls_journal_reader_seek_ordinal(reader, 50, err);
    }
    if (status == FLS_OK) {
        (void)fls_journal_reader_wall_ns(reader, hand_time(50));
        status = fls_journal_reader_next(reader, &message, err);
    }
    if (status == FLS_OK) {
        assert_message(&message, 50);
    }
    return status;
}

static void test_allocation_failures(void **state)
{
    hand_journal journal;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    make_journal(&journal);
    for (uint64_t fail_at = 0;; fail_at++) {
        counting_allocator allocator;
        fls_journal_reader *reader;
        fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
        counting_allocator_init(&allocator);
        allocator.fail_from = fail_at;
        allocator.fail_calls = 1;
        options.visibility = FLS_JOURNAL_WRITTEN;
        options.alignment = 8;
        options.allocator = &allocator.table;
        fls_status status = fls_journal_reader_open(&reader, journal.path, &options, &err);
        if (status == FLS_OK) {
            status = use_reader(reader, &err);
            if (status == FLS_NO_MEMORY) { /* as if it had not been */
                assert_status(fls_journal_reader_seek_ordinal(reader, 0, &err), FLS_OK, &err);
                assert_status(use_reader(reader, &err), FLS_OK, &err);
            } else {
                assert_status(status, FLS_OK, &err);
            }
            fls_journal_reader_close(reader);
        } else {
            assert_status(status, FLS_NO_MEMORY, &err);
            assert_null(reader);
        }
        assert_int_equal(allocator.live_blocks, 0);
        if (allocator.failures == 0) {
            assert_true(fail_at > 20);
            break;
        }
    }
    hand_close(&journal);
}

/* Refused messages are a fault, or stepped over with an event. */
static fls_status refuse_multiples(void *self, const void *payload, size_t size, fls_error *err)
{
    (void)self;
    assert_true(size > 8);
    assert_int_equal((uintptr_t)payload % 16, 0);
    return ((const uint8_t *)payload)[0] % 10 == 9
               ? fls_error_set(err, FLS_VALIDATION_FAILED, 0, "nine")
               : FLS_OK;
}

static void test_validators(void **state)
{
    hand_journal journal;
    event_log log = {.count = 0};
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    const fls_validator validator = {"nine", refuse_multiples, NULL, 16, 0};
    (void)state;
    make_journal(&journal);
    for (uint32_t step_over = 0; step_over < 2; step_over++) {
        fls_journal_reader *reader;
        const fls_journal_reader_options options = {.struct_bytes = sizeof options,
                                                    .visibility = FLS_JOURNAL_WRITTEN,
                                                    .step_over = step_over,
                                                    .validators = &validator,
                                                    .validator_count = 1,
                                                    .event = log_event,
                                                    .event_self = &log};
        assert_status(fls_journal_reader_open(&reader, journal.path, &options, &err), FLS_OK, &err);
        log.count = 0;
        for (uint64_t i = 0; i < MESSAGES; i++) {
            if (i % 10 != 9) {
                assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
                assert_int_equal(message.ordinal, i);
            } else if (!step_over) {
                assert_status(fls_journal_reader_next(reader, &message, &err),
                              FLS_VALIDATION_FAILED, &err);
                assert_int_equal(err.ordinal, i);
                assert_status(fls_journal_reader_skip(reader, &err), FLS_OK, &err);
            }
        }
        assert_end(reader);
        assert_int_equal(log.count, MESSAGES / 10);
        for (size_t i = 0; i < log.count; i++) {
            assert_int_equal(log.events[i].kind, FLS_JOURNAL_EVENT_LOST);
            assert_int_equal(log.events[i].ordinal, 10 * i + 10);
            assert_int_equal(log.events[i].messages, 1);
        }
        fls_journal_reader_close(reader);
    }
    hand_close(&journal);
}

/* Sealed segments that are compressed read as before. */
static void test_compressed(void **state)
{
    hand_journal journal;
    fls_error err = FLS_ERROR_INIT;
    uint64_t segments;
    uint64_t saved;
    fls_message message;
    (void)state;
    make_journal(&journal);
    hand_manifest(&journal);
    fls_journal_reader *early = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    assert_next(early, 0);
    assert_next(early, 1);
    fls_status status = fls_journal_compress(journal.path, 0, &segments, &saved, &err);
    if (status == FLS_UNSUPPORTED) {
        fls_journal_reader_close(early);
        hand_close(&journal);
        skip();
    }
    assert_status(status, FLS_OK, &err);
    assert_true(segments > 3);
    for (uint64_t i = 2; i < MESSAGES; i++) { /* opened before, goes on behind */
        assert_next(early, i);
    }
    assert_end(early);
    for (uint64_t i = MESSAGES; i-- > 0;) {
        assert_status(fls_journal_reader_previous(early, &message, &err), FLS_OK, &err);
        assert_message(&message, i);
    }
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_status(fls_journal_reader_seek_ordinal(early, i, &err), FLS_OK, &err);
        assert_next(early, i);
    }
    fls_journal_reader_close(early);
    hand_close(&journal);
}

static void test_as_one_stream(void **state)
{
    hand_journal journal;
    fls_source source;
    fls_reader *reader;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    const uint8_t half[5] = {9, 0, 0, 0, 1};
    (void)state;
    make_journal(&journal);
    bytes_append(&journal.frames, half, sizeof half);
    hand_flush_frames(&journal);
    const fls_journal_visibility visible[] = {FLS_JOURNAL_WRITTEN, FLS_JOURNAL_DURABLE};
    for (size_t i = 0; i < 2; i++) {
        assert_status(fls_source_open_journal(&source, journal.path, visible[i], &err), FLS_OK,
                      &err);
        assert_status(fls_reader_open(&reader, source, NULL, &err), FLS_OK, &err);
        for (uint64_t k = 0; k < MESSAGES - 2 * i; k++) {
            assert_status(fls_reader_next(reader, &message, &err), FLS_OK, &err);
            uint8_t payload[64];
            assert_int_equal(message.size, hand_payload(k, payload));
            assert_memory_equal(message.payload, payload, message.size);
        }
        assert_status(fls_reader_next(reader, &message, &err), FLS_END, &err);
        fls_reader_close(reader);
    }
    hand_close(&journal);
}

typedef struct segment_log {
    fls_journal_segment segments[16];
    size_t count;
} segment_log;

static fls_status log_segment(void *self, const fls_journal_segment *segment)
{
    segment_log *log = self;
    assert_true(log->count < 16);
    log->segments[log->count++] = *segment;
    return FLS_OK;
}

static void test_inspect(void **state)
{
    hand_journal journal;
    segment_log log = {.count = 0};
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    fls_error err = FLS_ERROR_INIT;
    (void)state;
    make_journal(&journal);
    assert_status(fls_journal_inspect(journal.path, &info, log_segment, &log, &err), FLS_OK, &err);
    assert_int_equal(info.segments, log.count);
    assert_int_equal(info.first_ordinal, 0);
    assert_int_equal(info.end_ordinal, MESSAGES);
    assert_int_equal(info.durable_ordinal, MESSAGES - 2);
    assert_int_equal(info.first_time_ns, hand_time(0));
    assert_int_equal(info.last_time_ns, hand_time(MESSAGES - 1));
    uint64_t next = 0;
    for (size_t i = 0; i < log.count; i++) {
        const fls_journal_segment *segment = &log.segments[i];
        assert_int_equal(segment->first_ordinal, next);
        assert_int_equal(segment->first_time_ns, hand_time(next));
        next = segment->end_ordinal;
        assert_int_equal(segment->last_time_ns, hand_time(next - 1));
        assert_int_equal(segment->bytes, files_size(files_join(journal.path, segment->name)));
        assert_int_equal(segment->sealed, i + 1 < log.count);
        assert_int_equal(segment->epoch, 1);
    }
    assert_int_equal(next, MESSAGES);
    hand_close(&journal);
}

static void test_empty_and_missing(void **state)
{
    hand_journal journal;
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    char directory[256];
    uint64_t first;
    uint64_t end;
    (void)state;
    assert_status(fls_journal_reader_open(&reader, "/nowhere/at/all", NULL, &err), FLS_IO, &err);
    files_make_directory(directory, sizeof directory);
    assert_status(fls_journal_reader_open(&reader, directory, NULL, &err), FLS_IO, &err);
    files_remove_directory(directory);
    hand_open(&journal);
    reader = open_reader(&journal, FLS_JOURNAL_WRITTEN, NULL);
    assert_end(reader);
    assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
    assert_int_equal(end, 0);
    hand_append(&journal);
    hand_flush(&journal);
    assert_next(reader, 0);
    assert_end(reader);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_seeks_to_each_ordinal),
        cmocka_unit_test(test_seeks_to_each_time),
        cmocka_unit_test(test_seeks_by_key),
        cmocka_unit_test(test_goes_back),
        cmocka_unit_test(test_gaps_come_before_what_they_precede),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_validators),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_as_one_stream),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_empty_and_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
