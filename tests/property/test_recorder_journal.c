/* The recorder on a real journal: what was drained is read back once, in the order of each
 * producer, with times that never fall, and each gap stands before the message that it is before.
 */
#include <pthread.h>

#include "flatstream/journal_reader.h"
#include "flatstream/recorder.h"
#include "support/files.h"
#include "support/testing.h"

#define PRODUCERS 3u
#define MESSAGES  20000u

typedef struct loop {
    fls_producer *producer;
    uint32_t number;
    uint32_t id;
    int failed;
    pthread_t thread;
    uint64_t drained;
    uint64_t dropped;
    uint64_t expected; /* while reading: the message that is next */
    uint64_t read;
    uint64_t missing;
} loop;

static loop loops[PRODUCERS];

static const fls_recorder_policy policies[PRODUCERS] = {
    FLS_RECORDER_BLOCK, FLS_RECORDER_DROP_NEWEST, FLS_RECORDER_DROP_OLDEST};

static void *offer_many(void *self)
{
    loop *it = self;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint64_t payload[16] = {(uint64_t)it->number << 32 | i};
        it->failed |= fls_producer_offer(it->producer, payload, 8 + i % 121) != FLS_OK;
    }
    return NULL;
}

static void on_event(void *self, const fls_journal_event *event)
{
    (void)self;
    assert_true(event->kind == FLS_JOURNAL_EVENT_GAP);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        if (loops[i].id == event->producer) {
            loops[i].expected += event->messages;
            loops[i].missing += event->messages;
        }
    }
}

static void read_back(const char *path)
{
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_journal_reader *reader;
    fls_message message;
    fls_error err;
    fls_status status;
    uint64_t time_ns = 0;
    uint64_t ordinal = 0;
    options.event = on_event;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        uint64_t word;
        memcpy(&word, message.payload, sizeof word);
        assert_true(word >> 32 < PRODUCERS);
        loop *it = &loops[word >> 32];
        assert_int_equal(word & UINT32_MAX, it->expected);
        assert_int_equal(message.size, 8 + it->expected % 121);
        assert_int_equal(message.ordinal, ordinal++);
        assert_true(message.time_ns >= time_ns);
        time_ns = message.time_ns;
        it->expected++;
        it->read++;
    }
    assert_status(status, FLS_END, &err);
    fls_journal_reader_close(reader);
}

static void what_is_drained_is_read_back(void **unused)
{
    (void)unused;
    char directory[256];
    fls_journal *journal;
    fls_recorder *recorder;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    files_make_directory(directory, sizeof directory);
    options.segment_bytes = 512 * 1024;
    assert_status(fls_journal_open(&journal, directory, &options, NULL, &err), FLS_OK, &err);
    assert_status(fls_recorder_open(&recorder, journal, NULL, &err), FLS_OK, &err);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        fls_producer_options own = FLS_PRODUCER_OPTIONS_INIT;
        own.policy = policies[i];
        own.ring_bytes = 4096;
        loops[i] = (loop){.number = i};
        assert_status(fls_recorder_attach(recorder, &own, &loops[i].producer, &err), FLS_OK, &err);
        assert_int_equal(pthread_create(&loops[i].thread, NULL, offer_many, &loops[i]), 0);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        (void)pthread_join(loops[i].thread, NULL);
        assert_false(loops[i].failed);
    }
    assert_status(fls_recorder_drain(recorder, &err), FLS_OK, &err);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        fls_producer_figures figures = FLS_PRODUCER_FIGURES_INIT;
        fls_producer_get_figures(loops[i].producer, &figures);
        assert_int_equal(figures.offered, MESSAGES);
        assert_int_equal(figures.drained + figures.dropped, MESSAGES);
        assert_int_equal(figures.durable, figures.drained);
        loops[i].id = figures.id;
        loops[i].drained = figures.drained;
        loops[i].dropped = figures.dropped;
        fls_producer_detach(loops[i].producer);
    }
    assert_int_equal(loops[0].dropped, 0);
    assert_status(fls_recorder_close(recorder, &err), FLS_OK, &err);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    read_back(directory);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        assert_int_equal(loops[i].read, loops[i].drained);
        assert_true(loops[i].missing <= loops[i].dropped); /* the last ones precede no message */
        assert_int_equal(loops[i].expected + (loops[i].dropped - loops[i].missing), MESSAGES);
    }
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_drained_is_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
