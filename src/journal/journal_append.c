/* Messages and gaps into a journal, and what can be asked of it without a lock. */
#include "core/error.h"
#include "journal/journal_private.h"

/* So much of a batch goes to the file at once where an append returns only when the file has it. */
#define THROUGH_BYTES ((size_t)128 * 1024)

fls_status flsi_journal_again(const fls_journal *journal, fls_error *err)
{
    if (err != NULL) {
        *err = journal->failure;
    }
    return journal->failure.status;
}

fls_status flsi_journal_stick(fls_journal *journal, fls_status status, const fls_error *why,
                              fls_error *err)
{
    fls_error failure = *why;
    failure.status = status;
    if (err != NULL) {
        *err = failure;
    }
    if (status != FLS_OK && status != FLS_NO_SPACE && status != FLS_NO_MEMORY &&
        journal->failure.status == FLS_OK) {
        journal->failure = failure;
        flsi_condition_broadcast(&journal->changed);
    }
    return status;
}

/* ---- time ---- */

uint64_t fls_journal_now(const fls_journal *journal)
{
    uint64_t now = journal->time_base + (flsi_journal_clock(journal) - journal->clock_base);
    uint64_t last = atomic_load_explicit(&journal->last_time_ns, memory_order_relaxed);
    /* A clock that steps back, as only a caller's own does, or one read before another thread's. */
    return now - last < UINT64_C(1) << 63 ? now : last;
}

/* ---- numbers ---- */

uint64_t fls_journal_next_ordinal(const fls_journal *journal)
{
    return atomic_load_explicit(&journal->next_ordinal, memory_order_acquire);
}

uint64_t fls_journal_durable(const fls_journal *journal)
{
    return atomic_load_explicit(&journal->durable, memory_order_acquire);
}

uint64_t fls_journal_written(const fls_journal *journal)
{
    return atomic_load_explicit(&journal->written, memory_order_acquire);
}

void flsi_journal_was_put(fls_journal *journal, uint64_t now)
{
    const flsi_segment *segment = &journal->segment;
    atomic_store_explicit(&journal->next_ordinal, segment->next_ordinal, memory_order_release);
    atomic_store_explicit(&journal->written, segment->begin_ordinal, memory_order_release);
    atomic_store_explicit(&journal->last_time_ns, segment->last_time_ns, memory_order_relaxed);
    if (journal->held_since != 0 && journal->undurable_since != 0) {
        return;
    }
    now = now != 0 ? now : flsi_journal_clock(journal);
    now += now == 0;
    journal->held_since = journal->held_since != 0 ? journal->held_since : now;
    journal->undurable_since = journal->undurable_since != 0 ? journal->undurable_since : now;
    if (journal->idle) {
        journal->idle = 0;
        flsi_condition_signal(&journal->wake);
    }
}

/* ---- appending ---- */

static fls_status refuse(const fls_journal *journal, const fls_journal_entry *entry, fls_error *err)
{
    const flsi_segment *segment = &journal->segment;
    uint64_t offset = flsi_segment_bytes(segment);
    if (entry->size == 0 || entry->payload == NULL) {
        return flsi_error_frame(err, FLS_INVALID_FRAME, offset, segment->next_ordinal,
                                "an empty payload is no message");
    }
    (void)flsi_error_frame(err, FLS_INVALID_FRAME, offset, segment->next_ordinal,
                           "the payload is over the limit");
    flsi_error_declared(err, entry->size, journal->options.max_frame_bytes);
    return FLS_INVALID_FRAME;
}

/* A segment that takes a message at this journal time. May let the mutex go for a while. */
static fls_status make_ready(fls_journal *journal, uint64_t now, fls_error *err)
{
    if (journal->failure.status != FLS_OK) {
        return flsi_journal_again(journal, err);
    }
    while (flsi_journal_is_full(journal, now)) {
        flsi_journal_wait_idle(journal);
        if (journal->failure.status != FLS_OK) {
            return flsi_journal_again(journal, err);
        }
        if (flsi_journal_is_full(journal, now)) {
            fls_status status = flsi_journal_rotate_now(journal, err);
            if (status != FLS_OK) {
                return status;
            }
        }
    }
    return FLS_OK;
}

/* As make_ready, in the middle of a batch, whose ordinals come in a row: others wait meanwhile. */
static fls_status make_ready_within(fls_journal *journal, uint64_t now, fls_error *err)
{
    journal->turn = 1;
    fls_status status = make_ready(journal, now, err);
    journal->turn = 0;
    flsi_condition_broadcast(&journal->changed);
    return status;
}

/* Takes the mutex and makes ready, when no batch waits in the middle: also none that has begun
 * while the mutex was let go in here. */
static fls_status lock_for_putting(fls_journal *journal, uint64_t now, fls_error *err)
{
    fls_status status = FLS_OK;
    flsi_mutex_lock(&journal->mutex);
    do {
        while (FLSI_UNLIKELY(journal->turn)) {
            flsi_condition_wait(&journal->changed, &journal->mutex);
        }
        status = make_ready(journal, now, err);
    } while (FLSI_UNLIKELY(status == FLS_OK && journal->turn));
    return status;
}

/* The time that no message may be before. */
static uint64_t last_time(const fls_journal *journal)
{
    uint64_t last = atomic_load_explicit(&journal->last_time_ns, memory_order_relaxed);
    return last > journal->segment.last_time_ns ? last : journal->segment.last_time_ns;
}

/* *last goes on to the message's time. */
FLSI_ALWAYS_INLINE fls_status put(fls_journal *journal, const fls_journal_entry *entry,
                                  uint64_t now, uint64_t *last, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    uint64_t time = entry->time_ns != 0 && now != 0 ? entry->time_ns : now;
    if (FLSI_UNLIKELY(entry->size - 1 >= journal->options.max_frame_bytes ||
                      entry->payload == NULL)) {
        return refuse(journal, entry, err);
    }
    if (time == 0 && segment->begin == segment->next) { /* no times: those of pieces */
        time = fls_journal_now(journal);
    }
    time = time > *last ? time : *last;
    *last = time;
    fls_status status =
        flsi_segment_put(segment, entry->payload, entry->size, time, &journal->put_error);
    return FLSI_UNLIKELY(status != FLS_OK)
               ? flsi_journal_stick(journal, status, &journal->put_error, err)
               : FLS_OK;
}

/* All entries, until one is not taken; *taken of them. The segment is not full at the beginning. */
static fls_status put_all(fls_journal *journal, const fls_journal_entry *entries, size_t count,
                          uint64_t now, size_t *taken, fls_error *err)
{
    const flsi_segment *segment = &journal->segment;
    uint64_t last = last_time(journal);
    for (size_t i = 0; i < count; i++) {
        if (FLSI_UNLIKELY(flsi_segment_bytes(segment) >= journal->options.segment_bytes ||
                          segment->next_ordinal >= journal->stop_ordinal)) {
            flsi_journal_was_put(journal, 0); /* others may look meanwhile */
            fls_status status = make_ready_within(journal, now, err);
            if (status != FLS_OK) {
                return status;
            }
        }
        fls_status status = put(journal, &entries[i], now, &last, err);
        if (FLSI_UNLIKELY(status != FLS_OK)) {
            return status;
        }
        ++*taken;
    }
    return FLS_OK;
}

/* Some entries, all of which the file has then, or none of them. */
static fls_status put_through(fls_journal *journal, const fls_journal_entry *entries, size_t count,
                              uint64_t now, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    fls_error why = FLS_ERROR_INIT;
    fls_status status = flsi_segment_flush(segment, &why);
    if (status != FLS_OK) {
        return flsi_journal_stick(journal, status, &why, err);
    }
    journal->gap_unwritten = 0;
    const flsi_segment_point before = flsi_segment_here(segment);
    uint64_t last = last_time(journal);
    for (size_t i = 0; status == FLS_OK && i < count; i++) {
        status = put(journal, &entries[i], now, &last, err);
    }
    if (status == FLS_OK) {
        status = flsi_segment_flush(segment, &why);
        status = flsi_journal_stick(journal, status, &why, err);
    }
    if (status != FLS_OK) {
        fls_status undone = flsi_segment_take_back(segment, &before, &why);
        (void)flsi_journal_stick(journal, undone, &why, NULL);
    }
    return status;
}

/* How many of the entries go to the file at once: within the limits of the segment, so that it is
 * not left in between. One that is refused comes alone. */
static size_t portion(const fls_journal *journal, const fls_journal_entry *entries, size_t count)
{
    const fls_journal_options *options = &journal->options;
    const flsi_segment *segment = &journal->segment;
    uint64_t bytes = flsi_segment_bytes(segment);
    uint64_t messages = segment->next_ordinal - segment->first_ordinal;
    size_t held = 0;
    size_t i = 0;
    for (; i < count; i++) {
        size_t frame = entries[i].size + FLS_LENGTH_BYTES + journal->digest.width;
        int refused = entries[i].size - 1 >= options->max_frame_bytes || entries[i].payload == NULL;
        int full = bytes + held >= options->segment_bytes ||
                   (options->segment_messages != 0 && messages + i >= options->segment_messages);
        if (i > 0 && (refused || full || frame > THROUGH_BYTES - held)) {
            break;
        }
        held += frame;
        if (refused || frame > THROUGH_BYTES) {
            return i + 1;
        }
    }
    return i;
}

static fls_status put_all_through(fls_journal *journal, const fls_journal_entry *entries,
                                  size_t count, uint64_t now, size_t *taken, fls_error *err)
{
    while (*taken < count) {
        fls_status status = make_ready_within(journal, now, err);
        if (status != FLS_OK) {
            return status;
        }
        size_t some = portion(journal, entries + *taken, count - *taken);
        status = put_through(journal, entries + *taken, some, now, err);
        if (status != FLS_OK) {
            return status;
        }
        *taken += some;
    }
    return FLS_OK;
}

/* What the rule of syncing asks for after messages were put. Those are taken: a disk that is full
 * only makes them durable later, or refuses the next ones. */
static fls_status keep_rule(fls_journal *journal, fls_error *err)
{
    const fls_journal_options *options = &journal->options;
    const flsi_segment *segment = &journal->segment;
    uint64_t durable = atomic_load_explicit(&journal->durable, memory_order_relaxed);
    int due = 0;
    switch (options->sync) {
    case FLS_JOURNAL_SYNC_BYTES:
        due = flsi_segment_bytes(segment) - journal->durable_offset >= options->sync_bytes;
        break;
    case FLS_JOURNAL_SYNC_EVERY:
        due = segment->next_ordinal - durable >= options->sync_messages;
        break;
    case FLS_JOURNAL_SYNC_ALWAYS: due = segment->next_ordinal > durable; break;
    default: break;
    }
    if (!due) {
        return FLS_OK;
    }
    fls_status status = flsi_journal_commit_to(journal, segment->next_ordinal, err);
    return status == FLS_NO_SPACE || status == FLS_NO_MEMORY ? FLS_OK : status;
}

fls_status fls_journal_append_batch(fls_journal *journal, const fls_journal_entry *entries,
                                    size_t count, uint64_t *first_ordinal, size_t *taken,
                                    fls_error *err)
{
    size_t done = 0;
    uint64_t now = journal->reads_time ? fls_journal_now(journal) : 0;
    fls_status status = lock_for_putting(journal, now, err);
    uint64_t first = journal->segment.next_ordinal;
    if (status == FLS_OK) {
        status = journal->through ? put_all_through(journal, entries, count, now, &done, err)
                                  : put_all(journal, entries, count, now, &done, err);
        if (done > 0) {
            flsi_journal_was_put(journal, 0);
            journal->figures.appended += done;
            fls_status synced = keep_rule(journal, status == FLS_OK ? err : NULL);
            status = status == FLS_OK ? synced : status;
        }
    }
    flsi_mutex_unlock(&journal->mutex);
    if (first_ordinal != NULL) {
        *first_ordinal = first;
    }
    if (taken != NULL) {
        *taken = done;
    }
    return status;
}

fls_status fls_journal_append(fls_journal *journal, const void *payload, size_t size,
                              uint64_t *ordinal, fls_error *err)
{
    const fls_journal_entry entry = {payload, size, 0};
    return fls_journal_append_batch(journal, &entry, 1, ordinal, NULL, err);
}

fls_status fls_journal_record_gap(fls_journal *journal, const fls_journal_gap *gap, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    if (gap->reason == 0 || gap->reason > UINT8_MAX) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a gap has a reason");
    }
    fls_status status = lock_for_putting(journal, 0, err);
    if (status == FLS_OK) {
        const flsi_record record = {.type = FLSI_RECORD_GAP,
                                    .flags = (uint8_t)gap->reason,
                                    .small = gap->producer,
                                    .ordinal = journal->segment.next_ordinal,
                                    .offset = gap->messages};
        status = flsi_segment_mark(&journal->segment, &record, &why);
        status = flsi_journal_stick(journal, status, &why, err);
    }
    if (status == FLS_OK) {
        journal->gap_pending = 1;
        journal->gap_unwritten = 1;
        flsi_journal_was_put(journal, 0);
    }
    flsi_mutex_unlock(&journal->mutex);
    return status;
}

fls_status fls_journal_flush(fls_journal *journal, fls_error *err)
{
    flsi_mutex_lock(&journal->mutex);
    fls_status status = journal->failure.status != FLS_OK ? flsi_journal_again(journal, err)
                                                          : flsi_journal_flush_held(journal, err);
    flsi_mutex_unlock(&journal->mutex);
    return status;
}
