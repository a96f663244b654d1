/* From the rings to the journal.
 *
 * A pass looks at the time first and at the rings then, and takes only what was stamped before: a
 * message that was published because of another one (which has the earlier stamp) is never taken
 * before it. What is taken is merged by stamp. A message is freed when the journal has it.
 */
#include "recorder/recorder_private.h"

static uint64_t stamps_now(const fls_recorder *recorder)
{
    const fls_clock *clock = recorder->stamps;
    return clock == NULL ? flsi_ticks_in_order() : clock->now_ns(clock->self);
}

/* ---- times ---- */

static void look_at_clocks(fls_recorder *recorder)
{
    recorder->latest.ticks = stamps_now(recorder);
    recorder->latest.time_ns = recorder->journal.now(recorder->journal.self);
    if (recorder->first.time_ns == 0) {
        recorder->first = recorder->latest;
    }
}

/* Journal time of a stamp: counted back from the latest pair, at the rate since the first. */
static uint64_t time_of(fls_recorder *recorder, uint64_t stamp)
{
    uint64_t time_ns = recorder->latest.time_ns;
    uint64_t ticks = recorder->latest.ticks - recorder->first.ticks;
    if (stamp < recorder->latest.ticks && ticks > 0) {
        double rate = (double)(time_ns - recorder->first.time_ns) / (double)ticks;
        double back = (double)(recorder->latest.ticks - stamp) * rate;
        time_ns -= back < (double)time_ns ? (uint64_t)back : 0;
    }
    if (time_ns < recorder->last_time_ns) {
        time_ns = recorder->last_time_ns;
    }
    recorder->last_time_ns = time_ns;
    return time_ns;
}

/* ---- failures ---- */

fls_status flsi_drain_failed(fls_recorder *recorder, fls_status status, const fls_error *err)
{
    recorder->fault = *err;
    recorder->fault.status = status;
    if (status == FLS_NO_SPACE || status == FLS_NO_MEMORY) { /* both pass in a journal */
        recorder->is_stalled = 1;
        return status;
    }
    flsi_mutex_lock(&recorder->lock);
    atomic_store(&recorder->stuck, (int)status);
    recorder->answer = recorder->fault;
    flsi_condition_broadcast(&recorder->room);
    flsi_condition_broadcast(&recorder->done);
    flsi_mutex_unlock(&recorder->lock);
    return status;
}

static fls_status write_gap(fls_recorder *recorder, fls_producer *producer, uint64_t messages,
                            fls_gap_reason reason)
{
    fls_error err = FLS_ERROR_INIT;
    if (recorder->snapshot.limit_bytes != 0) {
        flsi_snapshot_keep_gap(recorder, producer->id, messages, reason, recorder->last_time_ns);
        return FLS_OK;
    }
    fls_journal_gap gap = {0, messages, producer->id, (uint32_t)reason};
    fls_status status = recorder->journal.record_gap(recorder->journal.self, &gap, &err);
    return status == FLS_OK ? FLS_OK : flsi_drain_failed(recorder, status, &err);
}

static fls_status write_lost(fls_recorder *recorder, fls_producer *producer, uint64_t messages)
{
    fls_status status =
        write_gap(recorder, producer, messages,
                  producer->policy == FLS_RECORDER_DROP_OLDEST ? FLS_GAP_DROPPED_OLDEST
                                                               : FLS_GAP_DROPPED_NEWEST);
    if (status == FLS_OK) {
        producer->lost_written += messages;
        producer->seen += messages;
        producer->seen_ahead = producer->seen;
    }
    return status;
}

/* ---- a batch ---- */

/* The first `count` of the batch have been handed on. In the journal they have the ordinals from
 * first on; what was refused is in no book. */
static void free_taken(fls_recorder *recorder, size_t count, uint64_t first, int in_journal)
{
    flsi_batch *batch = &recorder->batch;
    for (size_t i = 0; i < count; i++) {
        fls_producer *owner = batch->owners[i];
        owner->freed = batch->ends[i];
        owner->seen++;
        owner->taken++;
    }
    if (in_journal) {
        flsi_ledger_note(recorder, &recorder->ledger, first + count, count);
    }
    for (size_t i = 0; i < count; i++) {
        fls_producer *owner = batch->owners[i];
        if (owner->freed != batch->ends[i]) {
            continue; /* not its last one */
        }
        if (in_journal) {
            flsi_ledger_note(recorder, &owner->ledger, first + i + 1, owner->taken);
            flsi_add(&owner->drained, owner->taken);
        }
        owner->taken = 0;
        flsi_ring_free(&owner->ring, owner->freed, 1);
    }
}

static void drop_first(flsi_batch *batch, size_t count)
{
    batch->count -= count;
    memmove(batch->entries, batch->entries + count, batch->count * sizeof *batch->entries);
    memmove(batch->owners, batch->owners + count, batch->count * sizeof(fls_producer *));
    memmove(batch->ends, batch->ends + count, batch->count * sizeof *batch->ends);
}

/* The journal can never take the first message of the batch. */
static fls_status refuse_first(fls_recorder *recorder)
{
    flsi_batch *batch = &recorder->batch;
    fls_producer *owner = batch->owners[0];
    fls_status status = write_gap(recorder, owner, 1, FLS_GAP_REFUSED);
    if (status == FLS_OK) {
        flsi_add(&owner->refused, 1);
        free_taken(recorder, 1, 0, 0);
        drop_first(batch, 1);
    }
    return status;
}

/* Hands the batch to the journal. On a failure what was not taken stays in the rings. */
static fls_status flush(fls_recorder *recorder)
{
    flsi_batch *batch = &recorder->batch;
    size_t at_once = FLSI_BATCH_MESSAGES;
    while (batch->count > 0) {
        fls_error err = FLS_ERROR_INIT;
        uint64_t first = 0;
        size_t count = batch->count < at_once ? batch->count : at_once;
        size_t taken = 0;
        fls_status status = recorder->journal.append_batch(recorder->journal.self, batch->entries,
                                                           count, &first, &taken, &err);
        taken = status == FLS_OK ? count : taken;
        if (taken > 0) {
            free_taken(recorder, taken, first, 1);
            drop_first(batch, taken);
        }
        if (status == FLS_INVALID_FRAME && count > 1) {
            at_once = 1; /* which of them is it? */
        } else if (status == FLS_INVALID_FRAME && taken == 0) {
            status = refuse_first(recorder);
            if (status != FLS_OK) {
                return status;
            }
        } else if (status != FLS_OK) {
            return flsi_drain_failed(recorder, status, &err);
        }
    }
    batch->bytes = 0;
    return FLS_OK;
}

/* ---- a pass ---- */

/* How many messages are missing before this one. */
static uint64_t lost_before(const fls_producer *producer, uint32_t sequence)
{
    uint64_t lost = (uint32_t)(sequence - (uint32_t)producer->seen_ahead);
    uint64_t dropped = atomic_load_explicit(&producer->dropped, memory_order_acquire);
    /* The sequence says it modulo 2^32. */
    if (dropped > producer->lost_written + lost) {
        lost += (dropped - producer->lost_written - lost) >> 32 << 32;
    }
    return lost;
}

static void find_next(fls_producer *producer)
{
    uint64_t at = producer->at;
    const flsi_ring_record *record = NULL;
    if (at < producer->limit) {
        record = flsi_ring_read(&producer->ring, &at, producer->to);
    }
    producer->stamp = record != NULL ? record->stamp : UINT64_MAX;
}

static fls_status take(fls_recorder *recorder, fls_producer *producer)
{
    flsi_batch *batch = &recorder->batch;
    uint64_t at = producer->at;
    const flsi_ring_record *record = flsi_ring_read(&producer->ring, &at, producer->to);
    uint64_t lost = lost_before(producer, record->sequence);
    if (lost != 0 || batch->count == FLSI_BATCH_MESSAGES || batch->bytes >= FLSI_BATCH_BYTES) {
        fls_status status = flush(recorder);
        status = status == FLS_OK && lost != 0 ? write_lost(recorder, producer, lost) : status;
        if (status != FLS_OK) {
            return status;
        }
    }
    uint64_t time_ns = time_of(recorder, record->stamp);
    if (recorder->snapshot.limit_bytes != 0) {
        flsi_snapshot_keep(recorder, producer->id, record + 1, record->size, time_ns);
        producer->seen++;
        producer->freed = at;
        flsi_add(&producer->drained, 1);
        flsi_ring_free(&producer->ring, at, 1);
    } else {
        batch->entries[batch->count] = (fls_journal_entry){record + 1, record->size, time_ns};
        batch->owners[batch->count] = producer;
        batch->ends[batch->count] = at;
        batch->count++;
        batch->bytes += record->size;
    }
    producer->seen_ahead++;
    producer->at = at;
    find_next(producer);
    return FLS_OK;
}

/* The producer with the oldest stamp; *second: the oldest of the others. */
static fls_producer *oldest(const fls_recorder *recorder, uint64_t *second)
{
    fls_producer *found = NULL;
    *second = UINT64_MAX;
    for (uint32_t i = 0; i < recorder->active_count; i++) {
        fls_producer *producer = recorder->active[i];
        if (producer->stamp == UINT64_MAX) {
            continue;
        }
        if (found == NULL || producer->stamp < found->stamp) {
            *second = found != NULL ? found->stamp : *second;
            found = producer;
        } else if (producer->stamp < *second) {
            *second = producer->stamp;
        }
    }
    return found;
}

static void reserve(fls_producer *producer)
{
    producer->is_reserved = flsi_ring_reserve(&producer->ring, &producer->at, &producer->to);
    if (!producer->is_reserved) {
        producer->at = producer->freed;
        producer->to = producer->at;
    }
    uint64_t used = producer->to - producer->at;
    if (used > flsi_load(&producer->high_water)) {
        atomic_store_explicit(&producer->high_water, used, memory_order_relaxed);
    }
    producer->freed = producer->at; /* a producer may have dropped some */
    producer->limit = producer->at + producer->ring.capacity / 4;
    producer->seen_ahead = producer->seen;
    find_next(producer);
}

static void copy_active(fls_recorder *recorder)
{
    flsi_mutex_lock(&recorder->lock);
    recorder->active_count = recorder->count;
    memcpy(recorder->active, recorder->producers, recorder->count * sizeof(fls_producer *));
    flsi_mutex_unlock(&recorder->lock);
}

/* Takes what is older than the cut, up to the first ring of which enough is reserved. */
static int merge(fls_recorder *recorder, uint64_t cut)
{
    fls_status status = FLS_OK;
    uint64_t second;
    int moved = 0;
    fls_producer *producer = oldest(recorder, &second);
    while (status == FLS_OK && producer != NULL && producer->stamp <= cut) {
        status = take(recorder, producer);
        moved = 1;
        if (status == FLS_OK && producer->at >= producer->limit) {
            break;
        }
        if (status == FLS_OK && producer->stamp > second) {
            producer = oldest(recorder, &second);
        } else if (producer->stamp == UINT64_MAX) {
            producer = oldest(recorder, &second);
        }
    }
    if (status == FLS_OK) {
        status = flush(recorder);
    }
    recorder->batch.count = 0;
    recorder->batch.bytes = 0;
    return moved && status == FLS_OK;
}

int flsi_drain_pass(fls_recorder *recorder)
{
    recorder->is_stalled = 0;
    uint64_t cut = stamps_now(recorder);
    copy_active(recorder);
    for (uint32_t i = 0; i < recorder->active_count; i++) {
        reserve(recorder->active[i]);
    }
    look_at_clocks(recorder);
    int moved = merge(recorder, cut);
    for (uint32_t i = 0; i < recorder->active_count; i++) {
        fls_producer *producer = recorder->active[i];
        if (producer->is_reserved) {
            flsi_ring_free(&producer->ring, producer->freed, 0);
            producer->is_reserved = 0;
        }
    }
    return moved;
}

/* Losses behind which nothing follows. The order of the looks matters: what was lost by the first
 * one came after everything that the second can miss. */
static fls_status write_last_lost(fls_recorder *recorder, fls_producer *producer)
{
    uint64_t dropped = atomic_load_explicit(&producer->dropped, memory_order_acquire);
    if (dropped <= producer->lost_written || flsi_ring_used(&producer->ring) != 0) {
        return FLS_OK;
    }
    return write_lost(recorder, producer, dropped - producer->lost_written);
}

static void forget(fls_recorder *recorder, fls_producer *producer)
{
    flsi_mutex_lock(&recorder->lock);
    flsi_producer_add_figures(producer, &recorder->gone);
    recorder->gone.ring_bytes = 0; /* it is freed */
    uint32_t at = 0;
    while (recorder->producers[at] != producer) {
        at++;
    }
    recorder->count--;
    memmove(recorder->producers + at, recorder->producers + at + 1,
            (recorder->count - at) * sizeof(fls_producer *));
    flsi_mutex_unlock(&recorder->lock);
    flsi_producer_free(producer);
}

void flsi_drain_tidy(fls_recorder *recorder)
{
    copy_active(recorder);
    for (uint32_t i = 0; i < recorder->active_count; i++) {
        fls_producer *producer = recorder->active[i];
        int detached = atomic_load_explicit(&producer->detached, memory_order_acquire);
        if (write_last_lost(recorder, producer) != FLS_OK) {
            return;
        }
        if (detached && flsi_ring_used(&producer->ring) == 0) {
            forget(recorder, producer);
        }
    }
}
