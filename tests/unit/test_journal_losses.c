/* How many messages damage has cost, and which ordinals those behind it have, where several places
 * between two marks are damaged: exact where that can be known, and else said to be an estimate. */
#include "journal_reading.h"

#define PIECE    16 /* messages between two marks */
#define MESSAGES (2 * PIECE + 4)

typedef struct loss {
    uint64_t before; /* ordinal of the message that follows */
    uint64_t messages;
    uint32_t estimated;
} loss;

typedef struct loss_log {
    loss all[8];
    size_t count;
} loss_log;

static fls_error err;
static hand_journal journal;

static void log_loss(void *self, const fls_journal_event *event)
{
    loss_log *log = self;
    if (event->kind == FLS_JOURNAL_EVENT_LOST) {
        assert_in_range(log->count, 0, 7);
        log->all[log->count++] = (loss){event->ordinal, event->messages, event->estimated};
    }
}

static void assert_loss(const loss_log *log, size_t index, uint64_t before, uint64_t messages,
                        uint32_t estimated)
{
    assert_true(index < log->count);
    assert_int_equal(log->all[index].before, before);
    assert_int_equal(log->all[index].messages, messages);
    assert_int_equal(log->all[index].estimated, estimated);
}

/* Three pieces, the last of which is short, in one segment, or in one each. */
static void make_journal(int rotate)
{
    hand_open(&journal);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        if (i > 0 && i % PIECE == 0) {
            if (rotate) {
                hand_rotate(&journal);
            } else {
                hand_flush(&journal);
            }
        }
        hand_append(&journal);
    }
    hand_flush(&journal);
}

static uint64_t frame_offset(uint64_t first, uint64_t ordinal)
{
    uint8_t payload[64];
    uint64_t offset = 0;
    for (uint64_t i = first; i < ordinal; i++) {
        offset += 12 + hand_payload(i, payload);
    }
    return offset;
}

/* Nothing is left of the messages first..end of the segment that begins with one. */
static void wipe(uint64_t segment, uint64_t first, uint64_t end)
{
    uint8_t bytes[1024];
    uint64_t from = frame_offset(segment, first);
    uint64_t size = frame_offset(segment, end) - from;
    assert_true(size <= sizeof bytes);
    memset(bytes, 0xEE, sizeof bytes);
    journal.first_ordinal = segment;
    hand_append_file(hand_name(&journal, FLSI_NAME_SEGMENT), bytes, (size_t)size, (size_t)from);
}

/* A message's last byte is another one. */
static void hit(uint64_t segment, uint64_t ordinal)
{
    journal.first_ordinal = segment;
    hand_append_file(hand_name(&journal, FLSI_NAME_SEGMENT), "\xFF", 1,
                     (size_t)frame_offset(segment, ordinal + 1) - 1);
}

static fls_journal_reader *open_reader(loss_log *log, int step_over)
{
    fls_journal_reader *reader;
    const fls_journal_reader_options options = {.struct_bytes = sizeof options,
                                                .visibility = FLS_JOURNAL_WRITTEN,
                                                .step_over = (uint32_t)step_over,
                                                .event = log_loss,
                                                .event_self = log};
    assert_status(fls_journal_reader_open(&reader, journal.path, &options, &err), FLS_OK, &err);
    return reader;
}

/* Reads all; how many messages had another's ordinal. */
static size_t read_all(loss_log *log, uint64_t *messages)
{
    fls_message message;
    fls_status status;
    size_t wrong = 0;
    *log = (loss_log){.count = 0};
    *messages = 0;
    fls_journal_reader *reader = open_reader(log, 1);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        wrong += !hand_is_message(&message);
        ++*messages;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(fls_journal_reader_ordinal(reader), MESSAGES);
    fls_journal_reader_close(reader);
    return wrong;
}

/* One place that held several messages, among frames of which only their payloads are damaged. */
static void test_one_wide_place(void **state)
{
    (void)state;
    loss_log log;
    uint64_t messages;
    make_journal(0);
    wipe(0, 2, 5);
    hit(0, 7);
    hit(0, 12);
    hit(0, PIECE);
    assert_int_equal(read_all(&log, &messages), 0);
    assert_int_equal(messages, MESSAGES - 6);
    assert_int_equal(log.count, 4);
    assert_loss(&log, 0, 5, 3, 0);
    assert_loss(&log, 1, 8, 1, 0);
    assert_loss(&log, 2, 13, 1, 0);
    assert_loss(&log, 3, PIECE + 1, 1, 0);
    hand_close(&journal);
}

/* Two places of which neither says how many messages it held, but one each is all that there is. */
static void test_one_each(void **state)
{
    (void)state;
    loss_log log;
    uint64_t messages;
    make_journal(0);
    wipe(0, 2, 3);
    wipe(0, 7, 8);
    assert_int_equal(read_all(&log, &messages), 0);
    assert_int_equal(messages, MESSAGES - 2);
    assert_int_equal(log.count, 2);
    assert_loss(&log, 0, 3, 1, 0);
    assert_loss(&log, 1, 8, 1, 0);
    hand_close(&journal);
}

/* Two wide places: shared by their bytes, said to be an estimate, and right again at the next mark.
 */
static void test_two_wide_places(void **state)
{
    (void)state;
    loss_log log;
    uint64_t messages;
    make_journal(0);
    wipe(0, 1, 3);
    hit(0, 5);
    wipe(0, 7, 14);
    hit(0, PIECE + 2);
    (void)read_all(&log, &messages);
    assert_int_equal(messages, MESSAGES - 11);
    assert_int_equal(log.count, 4);
    assert_int_equal(log.all[0].estimated, 1);
    assert_int_equal(log.all[1].messages, 1);
    assert_int_equal(log.all[1].estimated, 0);
    assert_int_equal(log.all[2].estimated, 1);
    assert_int_equal(log.all[0].messages + log.all[2].messages, 9);
    assert_in_range(log.all[0].messages, 1, 3);
    assert_loss(&log, 3, PIECE + 3, 1, 0);
    hand_close(&journal);
}

/* Without a mark at the end nothing tells how many a wide place held. */
static void test_no_mark_behind(void **state)
{
    (void)state;
    loss_log log;
    fls_message message;
    make_journal(0);
    wipe(0, 2 * PIECE + 1, 2 * PIECE + 2);
    log.count = 0;
    fls_journal_reader *reader = open_reader(&log, 1);
    assert_status(fls_journal_reader_seek_ordinal(reader, 2 * PIECE, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_loss(&log, 0, 2 * PIECE + 2, 1, 1);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

static void test_backwards(void **state)
{
    (void)state;
    loss_log log = {.count = 0};
    fls_message message;
    fls_status status;
    uint64_t messages = 0;
    make_journal(0);
    wipe(0, 2, 5);
    hit(0, 7);
    wipe(0, PIECE, PIECE + 2); /* where a piece begins */
    fls_journal_reader *reader = open_reader(&log, 1);
    assert_status(fls_journal_reader_seek_end(reader, 0, &err), FLS_OK, &err);
    while ((status = fls_journal_reader_previous(reader, &message, &err)) == FLS_OK) {
        assert_true(hand_is_message(&message));
        messages++;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(messages, MESSAGES - 6);
    assert_int_equal(log.count, 3);
    assert_loss(&log, 0, PIECE + 2, 2, 0);
    assert_loss(&log, 1, 8, 1, 0);
    assert_loss(&log, 2, 5, 3, 0);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* Looking at the bounds opens the last segment; the damage is in another one. */
static void test_bounds_before_a_skip(void **state)
{
    (void)state;
    loss_log log = {.count = 0};
    fls_message message;
    uint64_t first;
    uint64_t end;
    make_journal(1);
    hit(0, 3);
    fls_journal_reader *reader = open_reader(&log, 0);
    for (int i = 0; i < 3; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    }
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_CHECKSUM_MISMATCH, &err);
    assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
    assert_int_equal(end, MESSAGES);
    assert_status(fls_journal_reader_skip(reader, &err), FLS_OK, &err);
    assert_loss(&log, 0, 4, 1, 0);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, 4);
    assert_true(hand_is_message(&message));
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_wide_place),  cmocka_unit_test(test_one_each),
        cmocka_unit_test(test_two_wide_places), cmocka_unit_test(test_no_mark_behind),
        cmocka_unit_test(test_backwards),       cmocka_unit_test(test_bounds_before_a_skip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
