/* What readers of journals made by hand hand out: messages that are told from their ordinals, and
 * the events between them. */
#ifndef TESTS_UNIT_JOURNAL_READING_H
#define TESTS_UNIT_JOURNAL_READING_H

#include "flatstream/journal_reader.h"

#include "journal_testing.h"

typedef struct event_log {
    fls_journal_event events[64];
    size_t count;
} event_log;

static inline void log_event(void *self, const fls_journal_event *event)
{
    event_log *log = self;
    assert_true(log->count < 64);
    log->events[log->count++] = *event;
}

static inline void assert_event(const event_log *log, size_t index, fls_journal_event_kind kind,
                                uint64_t ordinal, uint64_t messages)
{
    assert_true(index < log->count);
    assert_int_equal(log->events[index].kind, kind);
    assert_int_equal(log->events[index].ordinal, ordinal);
    assert_int_equal(log->events[index].messages, messages);
}

/* Whether a message is what was appended under its ordinal. */
static inline int hand_is_message(const fls_message *message)
{
    uint8_t payload[64];
    size_t size = hand_payload(message->ordinal, payload);
    return message->size == size && memcmp(message->payload, payload, size) == 0;
}

/* The next message is the one with an ordinal. */
static inline fls_message hand_next(fls_journal_reader *reader, uint64_t ordinal)
{
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, ordinal);
    assert_true(hand_is_message(&message));
    return message;
}

#endif
