/* The hot loop's side of a recorder. While the ring has room: no lock, no system call. */
#include <stdio.h>

#include "recorder/recorder_private.h"

#define LEAST_RING_BYTES   ((size_t)4096)
#define DEFAULT_RING_BYTES ((size_t)1 << 20)

#if defined(__GNUC__)
#define UNLIKELY(condition) __builtin_expect((condition), 0)
#else
#define UNLIKELY(condition) (condition)
#endif

static inline uint64_t stamp_now(fls_producer *producer)
{
    const fls_clock *clock = producer->stamps;
    uint64_t now = clock == NULL ? flsi_ticks() : clock->now_ns(clock->self);
    /* The thread may have come to a processor whose count is a little behind. */
    if (UNLIKELY(now < producer->last_stamp)) {
        now = producer->last_stamp;
    }
    producer->last_stamp = now;
    return now;
}

static inline void publish(fls_producer *producer, size_t size)
{
    uint64_t sequence = flsi_load(&producer->offered);
    atomic_store_explicit(&producer->offered, sequence + 1, memory_order_relaxed);
    atomic_store_explicit(&producer->offered_bytes, flsi_load(&producer->offered_bytes) + size,
                          memory_order_relaxed);
    flsi_ring_publish(&producer->ring, size, (uint32_t)sequence, stamp_now(producer));
}

static void lose_newest(fls_producer *producer, size_t size)
{
    flsi_add(&producer->offered, 1);
    flsi_add(&producer->offered_bytes, size);
    /* After it: whoever sees the loss sees all that was published before it. */
    flsi_add(&producer->dropped, 1);
}

static void *wait_for_room(fls_producer *producer, size_t size, fls_status *status)
{
    fls_recorder *recorder = producer->recorder;
    void *room;
    flsi_add(&producer->blocked, 1);
    flsi_mutex_lock(&recorder->lock);
    (void)atomic_fetch_add(&recorder->waiters, 1);
    while ((room = flsi_ring_claim(&producer->ring, size)) == NULL) {
        if (atomic_load(&recorder->stuck) != FLS_OK) {
            *status = FLS_CLOSED;
            break;
        }
        flsi_condition_signal(&recorder->work);
        flsi_condition_wait(&recorder->room, &recorder->lock);
    }
    (void)atomic_fetch_sub(&recorder->waiters, 1);
    flsi_mutex_unlock(&recorder->lock);
    return room;
}

/* The ring is full. NULL with *status: FLS_OK when the message is lost by the policy. */
static void *claim_when_full(fls_producer *producer, size_t size, fls_status *status)
{
    void *room = NULL;
    uint64_t dropped = 0;
    *status = FLS_OK;
    switch (producer->policy) {
    case FLS_RECORDER_BLOCK: return wait_for_room(producer, size, status);
    case FLS_RECORDER_DROP_OLDEST:
        room = flsi_ring_claim_dropping(&producer->ring, size, &dropped);
        if (room != NULL) {
            flsi_add(&producer->dropped, dropped);
            return room;
        }
        lose_newest(producer, size);
        return NULL;
    case FLS_RECORDER_DROP_NEWEST: lose_newest(producer, size); return NULL;
    case FLS_RECORDER_POLICY_DEFAULT:
    case FLS_RECORDER_FAIL:
    default:
        flsi_add(&producer->failed, 1);
        *status = FLS_WOULD_BLOCK;
        return NULL;
    }
}

static inline void *claim(fls_producer *producer, size_t size, fls_status *status)
{
    if (UNLIKELY(size - 1 >= producer->largest)) { /* 0 too */
        *status = FLS_INVALID_ARGUMENT;
        return NULL;
    }
    if (UNLIKELY(atomic_load_explicit(&producer->recorder->stuck, memory_order_relaxed) !=
                 FLS_OK)) {
        *status = FLS_CLOSED;
        return NULL;
    }
    void *room = flsi_ring_claim(&producer->ring, size);
    return room != NULL ? room : claim_when_full(producer, size, status);
}

void *fls_producer_claim(fls_producer *producer, size_t size)
{
    fls_status status = FLS_OK;
    producer->ring.claim_size = 0;
    return claim(producer, size, &status);
}

void fls_producer_publish(fls_producer *producer, size_t size)
{
    if (size - 1 < producer->ring.claim_size) { /* a size of 0 gives the claim up */
        publish(producer, size);
    }
    producer->ring.claim_size = 0;
}

fls_status fls_producer_offer(fls_producer *producer, const void *payload, size_t size)
{
    fls_status status = FLS_OK;
    void *room = claim(producer, size, &status);
    if (room != NULL) {
        memcpy(room, payload, size);
        publish(producer, size);
    }
    return status;
}

void fls_producer_detach(fls_producer *producer)
{
    if (producer != NULL) {
        producer->ring.claim_size = 0;
        /* From here on it is the drain's, which may free it at once. */
        atomic_store_explicit(&producer->detached, 1, memory_order_release);
    }
}

uint64_t fls_producer_durable(const fls_producer *producer)
{
    /* What is looked up is noted; no producer was made const. */
    fls_producer *self = (fls_producer *)(uintptr_t)producer;
    return flsi_ledger_durable(self->recorder, &self->ledger);
}

fls_producer *flsi_producer_new(fls_recorder *recorder, const fls_producer_options *options,
                                fls_error *err)
{
    const fls_allocator *allocator = &recorder->allocator;
    size_t ring_bytes = options->ring_bytes != 0 ? options->ring_bytes : DEFAULT_RING_BYTES;
    if (ring_bytes < LEAST_RING_BYTES || ring_bytes > FLSI_RING_MAX_BYTES ||
        (ring_bytes & (ring_bytes - 1)) != 0) {
        (void)fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                            "the size of a ring is a power of two, from 4 KiB to 2 GiB");
        return NULL;
    }
    if ((unsigned)options->policy > FLS_RECORDER_FAIL) {
        (void)fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "there is no such policy");
        return NULL;
    }
    size_t block_bytes = sizeof(fls_producer) + 64 + ring_bytes;
    fls_producer *producer = allocator->resize(allocator->self, NULL, 0, block_bytes);
    if (producer == NULL) {
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for a ring");
        return NULL;
    }
    /* Also touches the ring's pages, so that the hot loop need not. */
    memset(producer, 0, block_bytes);
    producer->recorder = recorder;
    producer->stamps = recorder->stamps;
    producer->policy = options->policy;
    producer->block_bytes = block_bytes;
    uintptr_t begin = (uintptr_t)(producer + 1);
    uint8_t *bytes = (uint8_t *)(producer + 1) + ((64 - begin % 64) % 64);
    flsi_ring_init(&producer->ring, bytes, ring_bytes);
    producer->largest = (size_t)flsi_ring_largest(&producer->ring);
    if (options->name != NULL) {
        (void)snprintf(producer->name, sizeof producer->name, "%s", options->name);
    }
    return producer;
}

void flsi_producer_free(fls_producer *producer)
{
    const fls_allocator *allocator = &producer->recorder->allocator;
    allocator->free(allocator->self, producer, producer->block_bytes);
}

void flsi_producer_add_figures(const fls_producer *producer, fls_producer_figures *sum)
{
    uint64_t high_water = flsi_load(&producer->high_water);
    sum->offered += flsi_load(&producer->offered);
    sum->offered_bytes += flsi_load(&producer->offered_bytes);
    sum->dropped += flsi_load(&producer->dropped) + flsi_load(&producer->refused);
    sum->failed += flsi_load(&producer->failed);
    sum->blocked += flsi_load(&producer->blocked);
    sum->drained += flsi_load(&producer->drained);
    sum->durable += fls_producer_durable(producer);
    sum->ring_bytes += producer->ring.capacity;
    sum->used_bytes += flsi_ring_used(&producer->ring);
    sum->high_water_bytes = sum->high_water_bytes > high_water ? sum->high_water_bytes : high_water;
}

void fls_producer_get_figures(const fls_producer *producer, fls_producer_figures *figures)
{
    uint32_t struct_bytes = figures->struct_bytes;
    fls_producer_figures all;
    memset(&all, 0, sizeof all);
    all.id = producer->id;
    memcpy(all.name, producer->name, sizeof all.name);
    flsi_producer_add_figures(producer, &all);
    all.struct_bytes = struct_bytes;
    memcpy(figures, &all, struct_bytes < sizeof all ? struct_bytes : sizeof all);
}
