/* What is not on the producer's usual path; see ring.h for the rules. */
#include "recorder/ring.h"

#include <string.h>

void flsi_ring_init(flsi_ring *ring, uint8_t *bytes, uint64_t capacity)
{
    memset(ring, 0, sizeof *ring);
    ring->bytes = bytes;
    ring->capacity = capacity;
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
}

/* Behind the record at position, and whether it is a message. */
static uint64_t behind(const flsi_ring *ring, uint64_t position, int *is_message)
{
    const flsi_ring_record *record = flsi_ring_at(ring, position);
    *is_message = record->size != FLSI_RING_WRAP;
    return *is_message ? position + flsi_ring_need(record->size)
                       : (position | (ring->capacity - 1)) + 1;
}

int flsi_ring_look(flsi_ring *ring, uint64_t end)
{
    /* Sequentially consistent: a producer that waits for room says so before it looks again, and
     * the drain looks for waiting ones after it has freed. One of the two sees the other. */
    ring->head_seen = FLSI_RING_LOAD(&ring->head, memory_order_seq_cst) & ~FLSI_RING_RESERVED;
    return end - ring->head_seen <= ring->capacity;
}

void *flsi_ring_claim_dropping(flsi_ring *ring, uint64_t size, uint64_t *dropped)
{
    uint64_t need = flsi_ring_need(size);
    uint64_t end = flsi_ring_place(ring, need) + need;
    uint64_t head = FLSI_RING_LOAD(&ring->head, memory_order_acquire);
    for (;;) {
        uint64_t position = head & ~FLSI_RING_RESERVED;
        *dropped = 0;
        if (end - position <= ring->capacity) {
            ring->head_seen = position;
            return flsi_ring_claim(ring, size);
        }
        if ((head & FLSI_RING_RESERVED) != 0) {
            return NULL;
        }
        /* The records are this thread's own, and stay as they are. */
        while (end - position > ring->capacity) {
            int is_message;
            position = behind(ring, position, &is_message);
            *dropped += (uint64_t)is_message;
        }
        if (FLSI_RING_EXCHANGE(&ring->head, &head, position)) {
            ring->head_seen = position;
            return flsi_ring_claim(ring, size);
        }
    }
}

int flsi_ring_reserve(flsi_ring *ring, uint64_t *from, uint64_t *to)
{
    uint64_t head = FLSI_RING_LOAD(&ring->head, memory_order_acquire);
    if (FLSI_RING_LOAD(&ring->tail, memory_order_acquire) == head) {
        return 0;
    }
    while (!FLSI_RING_EXCHANGE(&ring->head, &head, head | FLSI_RING_RESERVED)) {
    }
    *from = head;
    *to = FLSI_RING_LOAD(&ring->tail, memory_order_acquire);
    return 1;
}

const flsi_ring_record *flsi_ring_read(const flsi_ring *ring, uint64_t *from, uint64_t to)
{
    while (*from != to) {
        int is_message;
        const flsi_ring_record *record = flsi_ring_at(ring, *from);
        *from = behind(ring, *from, &is_message);
        if (is_message) {
            return record;
        }
    }
    return NULL;
}

void flsi_ring_free(flsi_ring *ring, uint64_t position, int keep)
{
    FLSI_RING_STORE(&ring->head, position | (keep ? FLSI_RING_RESERVED : 0), memory_order_seq_cst);
}

uint64_t flsi_ring_used(const flsi_ring *ring)
{
    uint64_t head = FLSI_RING_LOAD(&ring->head, memory_order_acquire) & ~FLSI_RING_RESERVED;
    return FLSI_RING_LOAD(&ring->tail, memory_order_acquire) - head;
}
