/* Snapshot mode: the newest messages in memory, until someone asks for them. One thread, the drain,
 * is at both ends of the ring, which is large enough that the limits are met first. */
#include "recorder/recorder_private.h"

#define DEFAULT_BYTES ((uint64_t)64 << 20)
#define MOST_BYTES    (FLSI_RING_MAX_BYTES / 2)

fls_status flsi_snapshot_open(fls_recorder *recorder, uint64_t bytes, uint64_t ns, fls_error *err)
{
    flsi_snapshot *snapshot = &recorder->snapshot;
    const fls_allocator *allocator = &recorder->allocator;
    uint64_t limit = bytes != 0 ? bytes : DEFAULT_BYTES;
    uint64_t capacity = 64;
    if (limit > MOST_BYTES) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "a snapshot keeps at most 1 GiB");
    }
    while (capacity < 2 * limit) { /* half of it may be wasted by wraps */
        capacity *= 2;
    }
    uint8_t *memory = allocator->resize(allocator->self, NULL, 0, (size_t)capacity);
    if (memory == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the snapshot");
    }
    snapshot->block_bytes = (size_t)capacity;
    snapshot->limit_bytes = limit;
    snapshot->limit_ns = ns;
    flsi_ring_init(&snapshot->ring, memory, capacity);
    return FLS_OK;
}

void flsi_snapshot_close(fls_recorder *recorder)
{
    const fls_allocator *allocator = &recorder->allocator;
    if (recorder->snapshot.block_bytes != 0) {
        allocator->free(allocator->self, recorder->snapshot.ring.bytes,
                        recorder->snapshot.block_bytes);
    }
}

/* Makes room for a record of need bytes that came at time_ns. */
static void make_room(flsi_snapshot *snapshot, uint64_t need, uint64_t time_ns)
{
    flsi_ring *ring = &snapshot->ring;
    uint64_t head = flsi_load(&ring->head);
    while (head != ring->next) {
        uint64_t behind = head;
        const flsi_ring_record *record = flsi_ring_read(ring, &behind, ring->next);
        int is_old = record == NULL ||
                     (snapshot->limit_ns != 0 && time_ns - record->stamp > snapshot->limit_ns);
        if (!is_old && ring->next - head + need <= snapshot->limit_bytes) {
            break;
        }
        head = behind;
    }
    flsi_ring_free(ring, head, 0);
}

static void keep(fls_recorder *recorder, uint32_t tag, const void *payload, uint64_t size,
                 uint64_t time_ns)
{
    flsi_snapshot *snapshot = &recorder->snapshot;
    uint64_t need = flsi_ring_need(size);
    make_room(snapshot, need, time_ns);
    if (need > snapshot->limit_bytes) {
        return;
    }
    void *room = flsi_ring_claim(&snapshot->ring, size);
    if (room != NULL) { /* always: limit and a wrap fit into the ring */
        memcpy(room, payload, (size_t)size);
        flsi_ring_publish(&snapshot->ring, size, tag, time_ns);
    }
}

void flsi_snapshot_keep(fls_recorder *recorder, uint32_t producer, const void *payload,
                        uint64_t size, uint64_t time_ns)
{
    keep(recorder, producer & ~FLSI_SNAPSHOT_GAP, payload, size, time_ns);
}

void flsi_snapshot_keep_gap(fls_recorder *recorder, uint32_t producer, uint64_t messages,
                            fls_gap_reason reason, uint64_t time_ns)
{
    const flsi_kept_gap gap = {messages, (uint64_t)reason};
    keep(recorder, producer | FLSI_SNAPSHOT_GAP, &gap, sizeof gap, time_ns);
}

static fls_status write_kept_gap(fls_recorder *recorder, const flsi_ring_record *record,
                                 fls_error *err)
{
    flsi_kept_gap kept;
    memcpy(&kept, record + 1, sizeof kept);
    const fls_journal_gap gap = {0, kept.messages, record->sequence & ~FLSI_SNAPSHOT_GAP,
                                 (uint32_t)kept.reason};
    return recorder->journal.record_gap(recorder->journal.self, &gap, err);
}

/* One message at a time: a trigger is rare, and this way what a failure leaves is plain. */
fls_status flsi_snapshot_write(fls_recorder *recorder, uint64_t *messages, fls_error *err)
{
    flsi_snapshot *snapshot = &recorder->snapshot;
    flsi_ring *ring = &snapshot->ring;
    fls_status status = FLS_OK;
    const flsi_ring_record *record;
    *messages = 0;
    make_room(snapshot, 0, recorder->journal.now(recorder->journal.self));
    uint64_t at = flsi_load(&ring->head);
    while (status == FLS_OK && (record = flsi_ring_read(ring, &at, ring->next)) != NULL) {
        if ((record->sequence & FLSI_SNAPSHOT_GAP) != 0) {
            status = write_kept_gap(recorder, record, err);
        } else {
            fls_journal_entry entry = {record + 1, record->size, record->stamp};
            status =
                recorder->journal.append_batch(recorder->journal.self, &entry, 1, NULL, NULL, err);
            *messages += status == FLS_OK ? 1 : 0;
        }
        if (status == FLS_INVALID_FRAME) { /* too large for the journal: it would stay forever */
            fls_journal_gap gap = {0, 1, record->sequence, FLS_GAP_REFUSED};
            status = recorder->journal.record_gap(recorder->journal.self, &gap, err);
        }
        if (status == FLS_OK) {
            flsi_ring_free(ring, at, 0);
        }
    }
    return status;
}
