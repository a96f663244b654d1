/* A memory policy at work on one buffer: the caller's policy with its defaults filled in, and what
 * it has to remember between messages.
 *
 * Once a message or batch, when nothing in the buffer is needed any more:
 *
 *     if (flsi_memory_should_reclaim(&state, message_bytes, capacity, baseline)) {
 *         ... bring the buffer back to its baseline ...
 *         flsi_memory_reclaimed(&state, capacity, new_capacity);
 *     }
 */
#ifndef FLSI_STREAM_MEMORY_STATE_H
#define FLSI_STREAM_MEMORY_STATE_H

#include "flatstream/memory_policy.h"
#include "flatstream/status.h"

typedef struct flsi_memory_state {
    fls_memory_policy policy; /* no zero left where zero means a default */
    uint32_t run;             /* watermark: messages in a row that needed far less */
    int cooling;              /* watermark: last_ns says something */
    uint64_t last_ns;         /* watermark: when memory was last asked back */
} flsi_memory_state;

/* policy may be NULL, which is FLS_MEMORY_KEEP. FLS_INVALID_ARGUMENT for an unknown kind, or for
 * CUSTOM without a function. */
fls_status flsi_memory_state_init(flsi_memory_state *state, const fls_memory_policy *policy,
                                  fls_error *err);

/* The part of flsi_memory_should_reclaim behind its first test. */
int flsi_memory_decide(flsi_memory_state *state, size_t last_bytes, size_t capacity,
                       size_t baseline);

/* Not 0 when the buffer should go back to its baseline now. last_bytes is what the last message (or
 * the largest of a batch) needed. */
static inline int flsi_memory_should_reclaim(flsi_memory_state *state, size_t last_bytes,
                                             size_t capacity, size_t baseline)
{
    if (capacity <= baseline || state->policy.kind == FLS_MEMORY_KEEP) {
        return 0;
    }
    return flsi_memory_decide(state, last_bytes, capacity, baseline);
}

/* Tells the policy's owner; only when memory was really given back. */
void flsi_memory_reclaimed(const flsi_memory_state *state, size_t from_bytes, size_t to_bytes);

#endif
