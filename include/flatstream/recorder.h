/* A recorder: between loops that may not block and a journal. Each producer has a ring of its own,
 * and one thread drains them all.
 *
 *     fls_recorder *recorder;
 *     fls_producer *producer;
 *     fls_recorder_options options = FLS_RECORDER_OPTIONS_INIT;
 *     if (fls_recorder_open(&recorder, journal, &options, &err) != FLS_OK) ...
 *     if (fls_recorder_attach(recorder, NULL, &producer, &err) != FLS_OK) ...     on each thread
 *     (void)fls_producer_offer(producer, payload, size);                       in the hot loop
 *     fls_producer_detach(producer);
 *     if (fls_recorder_close(recorder, &err) != FLS_OK) ...
 *
 * A producer takes no lock and makes no system call while its ring has room. The drain merges the
 * rings by the time of publishing; a message that was published because of another one comes after
 * it in the journal.
 */
#ifndef FLATSTREAM_RECORDER_H
#define FLATSTREAM_RECORDER_H

#include <string.h>

#include "flatstream/journal.h"

FLS_BEGIN_DECLS

/* What a producer does when its ring is full. */
typedef enum fls_recorder_policy {
    FLS_RECORDER_POLICY_DEFAULT = 0, /* FLS_RECORDER_FAIL */
    FLS_RECORDER_BLOCK = 1,          /* waits for room */
    FLS_RECORDER_DROP_NEWEST = 2,    /* the message is lost and counted; the call succeeds */
    /* The oldest messages are lost and counted; while the drain reads them, the newest is instead.
     * In gap records both are FLS_GAP_DROPPED_OLDEST. */
    FLS_RECORDER_DROP_OLDEST = 3,
    FLS_RECORDER_FAIL = 4 /* FLS_WOULD_BLOCK; nothing is lost, the caller decides */
} fls_recorder_policy;

typedef struct fls_recorder_options {
    uint32_t struct_bytes;  /* sizeof(fls_recorder_options) */
    uint32_t max_producers; /* at once, up to 4096; 0: 64 */
    uint64_t idle_ns;       /* how long the drain sleeps when every ring is empty; 0: 200 us */
    /* Snapshot mode: nothing reaches the journal but what fls_recorder_trigger asks for; the newest
     * messages are kept in memory, as many as fit into both. 0 and 0: not a snapshot recorder. */
    uint64_t snapshot_bytes; /* up to 1 GiB; a message takes its size rounded up to 8 and 16 more */
    uint64_t snapshot_ns;    /* with snapshot_bytes 0: up to 64 MiB */
    const fls_allocator *allocator; /* NULL: libc; called on several threads */
    uint64_t reserved[4];
} fls_recorder_options;

#define FLS_RECORDER_OPTIONS_INIT                    \
    {                                                \
        .struct_bytes = sizeof(fls_recorder_options) \
    }

typedef struct fls_producer_options {
    uint32_t struct_bytes; /* sizeof(fls_producer_options) */
    fls_recorder_policy policy;
    size_t ring_bytes; /* a power of two, 4 KiB to 2 GiB; 0: 1 MiB. A message takes its size rounded
                          up to 8 and 16 more; one of over half the ring is refused */
    const char *name;  /* for figures, cut to fit; may be NULL */
    uint64_t reserved[4];
} fls_producer_options;

#define FLS_PRODUCER_OPTIONS_INIT                    \
    {                                                \
        .struct_bytes = sizeof(fls_producer_options) \
    }

typedef struct fls_recorder fls_recorder;
typedef struct fls_producer fls_producer;

/* The journal stays the caller's, must outlive the recorder, and may be used beside it. */
FLS_API FLS_MUST_USE fls_status fls_recorder_open(fls_recorder **recorder, fls_journal *journal,
                                                  const fls_recorder_options *options,
                                                  fls_error *err);

/* Drains every ring, also of producers that are still attached (which must not publish any more),
 * makes it durable, and frees recorder and producers in every case; reports an error that the drain
 * met. FLS_NO_SPACE: what the journal had no room for is lost; who can make room calls
 * fls_recorder_drain first. NULL is harmless. */
FLS_API FLS_MUST_USE fls_status fls_recorder_close(fls_recorder *recorder, fls_error *err);

/* A producer, for one thread at a time. Its ring and id are its own until it is drained after
 * detach. options may be NULL. Any thread. FLS_NO_SPACE: there are max_producers already. */
FLS_API FLS_MUST_USE fls_status fls_recorder_attach(fls_recorder *recorder,
                                                    const fls_producer_options *options,
                                                    fls_producer **producer, fls_error *err);

/* Gives the producer up: a claim that was not published is discarded, what was published will be
 * drained. NULL is harmless. */
FLS_API void fls_producer_detach(fls_producer *producer);

/* Room for a message of size bytes, 8-byte aligned, in the ring: to build in, and to publish. One
 * claim at a time; a second one replaces the first. NULL when the ring is full under FAIL and
 * DROP_NEWEST (which counts it as lost), and when size is 0 or too large (FLS_INVALID_ARGUMENT from
 * offer). */
FLS_API void *fls_producer_claim(fls_producer *producer, size_t size);
/* Makes the claim visible to the drain, as its first size bytes; size not above what was claimed,
 * or the claim is given up. The time of receipt is now. */
FLS_API void fls_producer_publish(fls_producer *producer, size_t size);

/* claim, copy, publish. FLS_OK also for a message that a policy dropped. FLS_WOULD_BLOCK under
 * FAIL; FLS_INVALID_ARGUMENT for a size that can never be taken; FLS_CLOSED after the drain met an
 * error that sticks (fls_recorder_drain tells which). */
FLS_API FLS_MUST_USE fls_status fls_producer_offer(fls_producer *producer, const void *payload,
                                                   size_t size);

/* How many of the producer's messages, counting those that it published and that were not dropped,
 * are durable. Any thread. */
FLS_API uint64_t fls_producer_durable(const fls_producer *producer);

/* Waits until everything that was published before the call is in the journal and durable, with all
 * gaps. Any thread. Reports an error that the drain met. FLS_NO_SPACE, FLS_NO_MEMORY: the
 * journal takes no more now; what is left stays in the rings, and is tried again. In snapshot mode:
 * until it is kept. */
FLS_API FLS_MUST_USE fls_status fls_recorder_drain(fls_recorder *recorder, fls_error *err);

/* Snapshot mode: writes what is kept, with all that was published before the call, into the
 * journal, makes it durable and forgets it, now. messages may be NULL. After FLS_NO_SPACE what was
 * not written is still kept. */
FLS_API FLS_MUST_USE fls_status fls_recorder_trigger(fls_recorder *recorder, uint64_t *messages,
                                                     fls_error *err);

typedef struct fls_producer_figures {
    uint32_t struct_bytes; /* sizeof(fls_producer_figures), set by the caller */
    uint32_t id;           /* the producer of gap records */
    char name[32];
    uint64_t offered;       /* messages: drained, dropped, or still in the ring */
    uint64_t offered_bytes; /* of their payloads */
    uint64_t dropped;       /* by a policy, or refused by the journal as too large */
    uint64_t failed;        /* refused with FLS_WOULD_BLOCK */
    uint64_t blocked;       /* times that it had to wait */
    uint64_t drained;       /* handed to the journal; in snapshot mode, to the memory */
    uint64_t durable;       /* in snapshot mode 0 */
    uint64_t ring_bytes;    /* of producers that are there, as the next one */
    uint64_t used_bytes;
    uint64_t high_water_bytes; /* most that the drain ever found used */
    uint64_t reserved[4];
} fls_producer_figures;

#define FLS_PRODUCER_FIGURES_INIT                    \
    {                                                \
        .struct_bytes = sizeof(fls_producer_figures) \
    }

/* Sums over all producers, those that have gone too; journal figures are had from the journal. */
FLS_API void fls_recorder_get_figures(fls_recorder *recorder, fls_producer_figures *sum);
/* Of one. Any thread. */
FLS_API void fls_producer_get_figures(const fls_producer *producer, fls_producer_figures *figures);

FLS_END_DECLS

#endif
