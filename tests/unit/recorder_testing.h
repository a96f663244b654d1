/* A journal in memory for tests of the recorder: keeps what it is given, and fails as told. */
#ifndef TESTS_UNIT_RECORDER_TESTING_H
#define TESTS_UNIT_RECORDER_TESTING_H

#include "recorder/recorder_private.h"
#include "support/testing.h"

typedef struct kept_message {
    uint64_t time_ns;
    size_t size;
    uint64_t first_word; /* of the payload, as far as it goes */
    int is_sound;        /* every byte behind the first word is what fill makes it */
} kept_message;

typedef struct kept_gap {
    uint64_t before; /* ordinal */
    uint64_t messages;
    uint32_t producer;
    uint32_t reason;
} kept_gap;

typedef struct memory_journal {
    flsi_mutex lock;
    kept_message *messages;
    size_t count;
    size_t capacity;
    kept_gap *gaps;
    size_t gap_count;
    size_t gap_capacity;
    uint64_t now_ns;
    uint64_t durable;
    size_t space;       /* how many messages it takes until ... */
    fls_status full;    /* ... this status */
    size_t largest;     /* payload; 0: any */
    fls_status failure; /* of the next calls, if not FLS_OK */
    unsigned syncs;
} memory_journal;

static inline uint8_t filler(uint64_t word, size_t at)
{
    return (uint8_t)(word * 31 + at);
}

static inline void fill(uint8_t *payload, size_t size, uint64_t word)
{
    for (size_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(i < 8 ? word >> 8 * i : filler(word, i));
    }
}

static inline kept_message look_at(const fls_journal_entry *entry)
{
    const uint8_t *payload = entry->payload;
    kept_message kept = {entry->time_ns, entry->size, 0, 1};
    for (size_t i = 0; i < entry->size && i < 8; i++) {
        kept.first_word |= (uint64_t)payload[i] << 8 * i;
    }
    for (size_t i = 8; i < entry->size; i++) {
        kept.is_sound &= payload[i] == filler(kept.first_word, i);
    }
    return kept;
}

static inline fls_status memory_append(void *self, const fls_journal_entry *entries, size_t count,
                                       uint64_t *first, size_t *taken, fls_error *err)
{
    memory_journal *journal = self;
    size_t took = 0;
    fls_status status = journal->failure;
    flsi_mutex_lock(&journal->lock);
    if (first != NULL) {
        *first = journal->count;
    }
    while (status == FLS_OK && took < count) {
        if (journal->largest != 0 && entries[took].size > journal->largest) {
            status = FLS_INVALID_FRAME;
        } else if (journal->space == 0) {
            status = journal->full;
        } else {
            if (journal->count == journal->capacity) {
                journal->capacity = journal->capacity != 0 ? 2 * journal->capacity : 1024;
                journal->messages =
                    realloc(journal->messages, journal->capacity * sizeof *journal->messages);
                assert_non_null(journal->messages);
            }
            journal->messages[journal->count++] = look_at(&entries[took++]);
            journal->space--;
        }
    }
    flsi_mutex_unlock(&journal->lock);
    if (taken != NULL) {
        *taken = took;
    }
    return status == FLS_OK ? FLS_OK : fls_error_set(err, status, 0, "as the test says");
}

static inline fls_status memory_gap(void *self, const fls_journal_gap *gap, fls_error *err)
{
    memory_journal *journal = self;
    if (journal->failure != FLS_OK) {
        return fls_error_set(err, journal->failure, 0, "as the test says");
    }
    flsi_mutex_lock(&journal->lock);
    if (journal->gap_count == journal->gap_capacity) {
        journal->gap_capacity = journal->gap_capacity != 0 ? 2 * journal->gap_capacity : 64;
        journal->gaps = realloc(journal->gaps, journal->gap_capacity * sizeof *journal->gaps);
        assert_non_null(journal->gaps);
    }
    journal->gaps[journal->gap_count++] =
        (kept_gap){journal->count, gap->messages, gap->producer, gap->reason};
    flsi_mutex_unlock(&journal->lock);
    return FLS_OK;
}

static inline uint64_t memory_durable(void *self)
{
    const memory_journal *journal = self;
    return __atomic_load_n(&journal->durable, __ATOMIC_RELAXED);
}

static inline fls_status memory_sync(void *self, fls_error *err)
{
    memory_journal *journal = self;
    (void)err;
    flsi_mutex_lock(&journal->lock);
    __atomic_store_n(&journal->durable, journal->count, __ATOMIC_RELAXED);
    journal->syncs++;
    flsi_mutex_unlock(&journal->lock);
    return FLS_OK;
}

static inline uint64_t memory_now(void *self)
{
    const memory_journal *journal = self;
    return journal->now_ns;
}

static inline memory_journal *memory_journal_new(void)
{
    memory_journal *journal = calloc(1, sizeof *journal);
    assert_non_null(journal);
    assert_status(flsi_mutex_init(&journal->lock, NULL), FLS_OK, NULL);
    journal->space = SIZE_MAX;
    journal->full = FLS_NO_SPACE;
    journal->now_ns = 1000000;
    return journal;
}

static inline void memory_journal_free(memory_journal *journal)
{
    flsi_mutex_fini(&journal->lock);
    free(journal->messages);
    free(journal->gaps);
    free(journal);
}

static inline fls_recorder *memory_recorder(memory_journal *journal,
                                            const fls_recorder_options *options,
                                            const fls_clock *stamps, int threaded)
{
    const flsi_recorder_journal seam = {memory_append, memory_gap, memory_durable,
                                        memory_sync,   memory_now, journal};
    fls_recorder *recorder;
    fls_error err;
    assert_status(flsi_recorder_open(&recorder, &seam, options, stamps, threaded, &err), FLS_OK,
                  &err);
    return recorder;
}

static inline fls_producer *attach(fls_recorder *recorder, fls_recorder_policy policy,
                                   size_t ring_bytes)
{
    fls_producer_options options = FLS_PRODUCER_OPTIONS_INIT;
    fls_producer *producer;
    fls_error err;
    options.policy = policy;
    options.ring_bytes = ring_bytes;
    options.name = "hot loop";
    assert_status(fls_recorder_attach(recorder, &options, &producer, &err), FLS_OK, &err);
    return producer;
}

static inline fls_status offer_word(fls_producer *producer, uint64_t word, size_t size)
{
    uint8_t payload[4096];
    assert_true(size <= sizeof payload);
    fill(payload, size, word);
    return fls_producer_offer(producer, payload, size);
}

#endif
