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
        flsi_journal_let_all_go(journal);
    }
    return status;
}

/* ---- time ---- */

/* For a message, whose place among others is told by the lock. */
FLSI_ALWAYS_INLINE uint64_t time_now(const fls_journal *journal)
{
    uint64_t clock =
        journal->ticks != NULL ? flsi_tick_clock_now(journal->ticks) : flsi_journal_clock(journal);
    return journal->time_base + (clock - journal->clock_base);
}

uint64_t fls_journal_now(const fls_journal *journal)
{
    uint64_t clock = journal->ticks != NULL
                         ? flsi_tick_clock_at(journal->ticks, flsi_ticks_in_order())
                         : flsi_journal_clock(journal);
    uint64_t now = journal->time_base + (clock - journal->clock_base);
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

/* The first message that no file has, or that is not durable; or others are held than before. */
static FLSI_NOINLINE void note_held(fls_journal *journal, uint64_t now)
{
    uint64_t written = journal->segment.begin_ordinal;
    int handed_over = written != atomic_load_explicit(&journal->written, memory_order_relaxed);
    atomic_store_explicit(&journal->written, written, memory_order_release);
    now = now != 0 ? now : flsi_journal_clock(journal);
    now += now == 0;
    if (journal->held_since == 0 || handed_over) {
        journal->held_since = now;
    }
    journal->undurable_since = journal->undurable_since != 0 ? journal->undurable_since : now;
    if (journal->idle) {
        journal->idle = 0;
        flsi_condition_signal(&journal->wake);
    }
}

FLSI_ALWAYS_INLINE void was_put(fls_journal *journal, uint64_t now)
{
    const flsi_segment *segment = &journal->segment;
    atomic_store_explicit(&journal->next_ordinal, segment->next_ordinal, memory_order_release);
    atomic_store_explicit(&journal->last_time_ns, segment->last_time_ns, memory_order_relaxed);
    if (FLSI_UNLIKELY(journal->held_since == 0 || journal->undurable_since == 0 ||
                      atomic_load_explicit(&journal->written, memory_order_relaxed) !=
                          segment->begin_ordinal)) {
        note_held(journal, now);
    }
}

void flsi_journal_was_put(fls_journal *journal, uint64_t now)
{
    was_put(journal, now);
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

/* Makes ready, when no batch waits in the middle: also none that has begun while the mutex was let
 * go in here. */
static fls_status wait_for_turn(fls_journal *journal, uint64_t now, fls_error *err)
{
    fls_status status = FLS_OK;
    do {
        while (FLSI_UNLIKELY(journal->turn)) {
            flsi_condition_wait(&journal->changed, &journal->mutex);
        }
        status = make_ready(journal, now, err);
    } while (FLSI_UNLIKELY(status == FLS_OK && journal->turn));
    return status;
}

/* Whether it is a message at all. */
FLSI_ALWAYS_INLINE int takes(const fls_journal *journal, const void *payload, size_t size)
{
    return size - 1 < journal->options.max_frame_bytes && payload != NULL;
}

FLSI_ALWAYS_INLINE fls_status put(fls_journal *journal, const fls_journal_entry *entry,
                                  uint64_t now, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    uint64_t time = entry->time_ns != 0 && now != 0 ? entry->time_ns : now;
    if (FLSI_UNLIKELY(!takes(journal, entry->payload, entry->size))) {
        return refuse(journal, entry, err);
    }
    if (time == 0 && flsi_segment_begins_piece(segment, entry->size)) { /* no times but theirs */
        time = fls_journal_now(journal);
    }
    time = time > segment->last_time_ns ? time : segment->last_time_ns;
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
    const fls_journal_options *options = &journal->options;
    flsi_segment *segment = &journal->segment;
    for (size_t i = 0; i < count; *taken = i) {
        if (FLSI_UNLIKELY(flsi_segment_bytes(segment) >= options->segment_bytes ||
                          segment->next_ordinal >= journal->stop_ordinal)) {
            flsi_journal_was_put(journal, 0); /* others may look meanwhile */
            fls_status status = make_ready_within(journal, now, err);
            if (status != FLS_OK) {
                return status;
            }
        }
        uint64_t room = journal->stop_ordinal - segment->next_ordinal;
        size_t some = count - i < room ? count - i : (size_t)room;
        uint64_t time = now > segment->last_time_ns || now == 0 ? now : segment->last_time_ns;
        some = flsi_segment_put_run(segment, entries + i, some, options->max_frame_bytes,
                                    options->segment_bytes, time);
        i += some;
        if (some == 0) { /* one to be looked at */
            fls_status status = put(journal, &entries[i], now, err);
            if (FLSI_UNLIKELY(status != FLS_OK)) {
                return status;
            }
            i++;
        }
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
    for (size_t i = 0; status == FLS_OK && i < count; i++) {
        status = put(journal, &entries[i], now, err);
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
        flsi_journal_was_put(journal, 0); /* the time of the last one also, for the next segment */
        *taken += some;
    }
    return FLS_OK;
}

/* What the rule of syncing asks for after messages were put. Those are taken: a disk that is full
 * only makes them durable later, or refuses the next ones. Gives the mutex back. */
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
        flsi_mutex_unlock(&journal->mutex);
        return FLS_OK;
    }
    fls_status status = flsi_journal_commit_to(journal, segment->next_ordinal, err);
    return status == FLS_NO_SPACE || status == FLS_NO_MEMORY ? FLS_OK : status;
}

/* Whether the next message has nothing to wait for before or after it. Says no to the rare ones
 * that make_ready would let pass. */
FLSI_ALWAYS_INLINE int is_plain_sailing(const fls_journal *journal, uint64_t now)
{
    const fls_journal_options *options = &journal->options;
    const flsi_segment *segment = &journal->segment;
    uint32_t waits = journal->turn | journal->rotation_due | journal->sealing;
    return journal->simple && waits == 0 && journal->failure.status == FLS_OK &&
           segment->next_ordinal < journal->stop_ordinal &&
           flsi_segment_bytes(segment) < options->segment_bytes &&
           (options->segment_age_ns == 0 || now - segment->begun_ns < options->segment_age_ns);
}

/* With the mutex, which is let go for what has to be waited for, and given back. */
static fls_status append_slow(fls_journal *journal, const fls_journal_entry *entries, size_t count,
                              uint64_t now, uint64_t *first, size_t *done, fls_error *err)
{
    fls_status status = wait_for_turn(journal, now, err);
    *first = journal->segment.next_ordinal;
    if (status == FLS_OK) {
        status = journal->through ? put_all_through(journal, entries, count, now, done, err)
                                  : put_all(journal, entries, count, now, done, err);
    }
    if (*done == 0) {
        flsi_mutex_unlock(&journal->mutex);
        return status;
    }
    flsi_journal_was_put(journal, 0);
    journal->figures.appended += *done;
    fls_status synced = keep_rule(journal, status == FLS_OK ? err : NULL);
    return status == FLS_OK ? synced : status;
}

fls_status fls_journal_append_batch(fls_journal *journal, const fls_journal_entry *entries,
                                    size_t count, uint64_t *first_ordinal, size_t *taken,
                                    fls_error *err)
{
    size_t done = 0;
    uint64_t first;
    uint64_t now = journal->reads_time ? time_now(journal) : 0;
    flsi_mutex_lock(&journal->mutex);
    fls_status status = append_slow(journal, entries, count, now, &first, &done, err);
    if (first_ordinal != NULL) {
        *first_ordinal = first;
    }
    if (taken != NULL) {
        *taken = done;
    }
    return status;
}

static FLSI_NOINLINE fls_status append_one_slow(fls_journal *journal, const void *payload,
                                                size_t size, uint64_t now, uint64_t *first,
                                                fls_error *err)
{
    const fls_journal_entry entry = {payload, size, 0};
    size_t done = 0;
    return append_slow(journal, &entry, 1, now, first, &done, err);
}

fls_status fls_journal_append(fls_journal *journal, const void *payload, size_t size,
                              uint64_t *ordinal, fls_error *err)
{
    flsi_segment *segment = &journal->segment;
    fls_status status = FLS_OK;
    uint64_t now = journal->reads_time ? time_now(journal) : 0;
    flsi_mutex_lock(&journal->mutex);
    uint64_t first = segment->next_ordinal;
    if (FLS_LIKELY(is_plain_sailing(journal, now) && takes(journal, payload, size) &&
                   !flsi_segment_begins_piece(segment, size))) {
        now = now > segment->last_time_ns ? now : segment->last_time_ns;
        status =
            flsi_segment_put(segment, payload, size, now, NULL); /* there is room: it is taken */
        was_put(journal, 0);
        journal->figures.appended++;
        flsi_mutex_unlock(&journal->mutex);
    } else {
        status = append_one_slow(journal, payload, size, now, &first, err);
    }
    if (ordinal != NULL) {
        *ordinal = first;
    }
    return status;
}

fls_status fls_journal_record_gap(fls_journal *journal, const fls_journal_gap *gap, fls_error *err)
{
    fls_error why = FLS_ERROR_INIT;
    if (gap->reason == 0 || gap->reason > UINT8_MAX) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a gap has a reason");
    }
    flsi_mutex_lock(&journal->mutex);
    fls_status status = wait_for_turn(journal, 0, err);
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
