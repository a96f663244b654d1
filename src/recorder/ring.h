/* A ring of messages between one producer and one drain.
 *
 * Positions count bytes from the beginning of the ring's life and never wrap; the place of one in
 * memory is its rest by the capacity, a power of two. Everything is aligned to 8. A record is
 *
 *     bytes   what
 *     4       size of the payload; FLSI_RING_WRAP: nothing more up to the end of the memory (of
 *             this record, which may have no room for more, only these 4 bytes are there)
 *     4       sequence: how many messages the producer had offered before, modulo 2^32
 *     8       stamp
 *     size    payload, and up to 7 bytes to the next multiple of 8
 *
 * Two words are shared. `tail`, written by the producer only: records below are published. `head`:
 * memory below is free again; its lowest bit says that the drain reads behind it (RESERVED).
 *
 *     1. The producer writes only from tail on, and only to head + capacity.
 *     2. The drain reads only from head to tail, and only while RESERVED is set.
 *     3. RESERVED is set and cleared by the drain only.
 *     4. The producer moves head only while RESERVED is clear (it gives up its oldest messages);
 *        the drain only while it is set.
 *
 * By 2 and 4 what the drain reads is never overwritten. A test runs this very code in every order
 * of the steps of the two: each access to a shared word is behind one of the macros below.
 */
#ifndef FLSI_RING_H
#define FLSI_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifndef FLSI_RING_LOAD
#define FLSI_RING_LOAD(word, order)         atomic_load_explicit((word), (order))
#define FLSI_RING_STORE(word, value, order) atomic_store_explicit((word), (value), (order))
#define FLSI_RING_EXCHANGE(word, expected, wanted)                                              \
    atomic_compare_exchange_strong_explicit((word), (expected), (wanted), memory_order_acq_rel, \
                                            memory_order_acquire)
#endif

#define FLSI_RING_WRAP      UINT32_MAX
#define FLSI_RING_RESERVED  UINT64_C(1)
#define FLSI_RING_OVERHEAD  16u
#define FLSI_RING_MAX_BYTES (UINT64_C(1) << 31)

/* Keeps what two threads write on different cache lines, wherever the ring lies; two lines, since
 * processors fetch them in pairs. */
#define FLSI_RING_APART 128

/* How far ahead of the producer the memory is fetched: the drain's processor had it last. */
#define FLSI_RING_AHEAD 512u

typedef struct flsi_ring_record {
    uint32_t size;
    uint32_t sequence;
    uint64_t stamp;
} flsi_ring_record;

typedef struct flsi_ring {
    uint8_t *bytes;
    uint64_t capacity;
    unsigned char apart0[FLSI_RING_APART];
    /* the producer's */
    _Atomic uint64_t tail;
    uint64_t next;       /* tail */
    uint64_t head_seen;  /* an older head */
    uint64_t claim_at;   /* where the claimed record begins */
    uint64_t claim_size; /* of its payload; 0: nothing is claimed */
    unsigned char apart1[FLSI_RING_APART];
    /* the drain's, and of a producer that drops */
    _Atomic uint64_t head;
    unsigned char apart2[FLSI_RING_APART];
} flsi_ring;

/* bytes: aligned to 8; capacity: a power of two, at least 64. */
void flsi_ring_init(flsi_ring *ring, uint8_t *bytes, uint64_t capacity);

/* What a payload takes. */
static inline uint64_t flsi_ring_need(uint64_t size)
{
    return FLSI_RING_OVERHEAD + ((size + 7) & ~UINT64_C(7));
}

/* Largest payload: its record fits into half the ring, so that it fits with what a wrap wastes. */
static inline uint64_t flsi_ring_largest(const flsi_ring *ring)
{
    return ring->capacity / 2 - FLSI_RING_OVERHEAD;
}

static inline flsi_ring_record *flsi_ring_at(const flsi_ring *ring, uint64_t position)
{
    return (flsi_ring_record *)(void *)(ring->bytes + (position & (ring->capacity - 1)));
}

/* ---- the producer ---- */

/* Where a record of need bytes goes: to tail, or to the beginning of the memory behind it. */
static inline uint64_t flsi_ring_place(const flsi_ring *ring, uint64_t need)
{
    uint64_t left = ring->capacity - (ring->next & (ring->capacity - 1));
    return need <= left ? ring->next : ring->next + left;
}

/* Looks how far the drain has come. 1: there is room up to position end. */
int flsi_ring_look(flsi_ring *ring, uint64_t end);

/* Room for a payload of size bytes (1 to flsi_ring_largest), or NULL when the ring is full. */
static inline void *flsi_ring_claim(flsi_ring *ring, uint64_t size)
{
    uint64_t need = flsi_ring_need(size);
    uint64_t at = flsi_ring_place(ring, need);
    if (at + need - ring->head_seen > ring->capacity && !flsi_ring_look(ring, at + need)) {
        return NULL;
    }
    ring->claim_at = at;
    ring->claim_size = size;
    return (uint8_t *)flsi_ring_at(ring, at) + FLSI_RING_OVERHEAD;
}

/* Publishes the claim as its first size bytes. */
static inline void flsi_ring_publish(flsi_ring *ring, uint64_t size, uint32_t sequence,
                                     uint64_t stamp)
{
    uint64_t at = ring->claim_at;
    flsi_ring_record *record = flsi_ring_at(ring, at);
    if (at != ring->next) {
        flsi_ring_at(ring, ring->next)->size = FLSI_RING_WRAP;
    }
    record->size = (uint32_t)size;
    record->sequence = sequence;
    record->stamp = stamp;
    ring->next = at + flsi_ring_need(size);
    ring->claim_size = 0;
    FLSI_RING_STORE(&ring->tail, ring->next, memory_order_release);
#if defined(__GNUC__)
    __builtin_prefetch(flsi_ring_at(ring, ring->next + FLSI_RING_AHEAD), 1);
    __builtin_prefetch(flsi_ring_at(ring, ring->next + FLSI_RING_AHEAD + 64), 1);
#endif
}

/* Gives up as many of the oldest messages as a payload of size bytes needs, and claims room for it.
 * *dropped says how many, also 0 when there is room by now. NULL: the drain reads, and nothing was
 * given up. */
void *flsi_ring_claim_dropping(flsi_ring *ring, uint64_t size, uint64_t *dropped);

/* ---- the drain ---- */

/* Reserves what was published: *from up to *to. 0: there is nothing, and nothing is reserved. */
int flsi_ring_reserve(flsi_ring *ring, uint64_t *from, uint64_t *to);

/* The record at *from, which is moved behind it; NULL at to. */
const flsi_ring_record *flsi_ring_read(const flsi_ring *ring, uint64_t *from, uint64_t to);

/* Frees everything below position; what follows stays reserved if keep is 1. */
void flsi_ring_free(flsi_ring *ring, uint64_t position, int keep);

/* Published and not yet freed; by any thread, and true for a moment. */
uint64_t flsi_ring_used(const flsi_ring *ring);

#endif
