/* When a buffer over its baseline gives memory back.
 *
 *   KEEP       never.
 *   WATERMARK  a message needs far less when last_bytes <= capacity / ratio. After `messages` such
 *              in a row, and no sooner than cooldown_ns after the time before; a message that needs
 *              more ends the run. A run that is complete while cooling stays complete.
 *   THRESHOLD  when capacity > threshold_bytes and last_bytes <= threshold_bytes.
 *   CUSTOM     when the caller's function says so.
 */
#include "stream/memory_state.h"

#define DEFAULT_RATIO           4u
#define DEFAULT_MESSAGES        5u
#define DEFAULT_THRESHOLD_BYTES (UINT64_C(1) << 20)

fls_status flsi_memory_state_init(flsi_memory_state *state, const fls_memory_policy *policy,
                                  fls_error *err)
{
    static const fls_memory_policy keep = {.kind = FLS_MEMORY_KEEP};
    *state = (flsi_memory_state){.policy = policy == NULL ? keep : *policy};
    fls_memory_policy *own = &state->policy;
    if ((unsigned)own->kind > FLS_MEMORY_CUSTOM) {
        own->kind = FLS_MEMORY_KEEP;
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, "unknown kind of memory policy");
    }
    if (own->kind == FLS_MEMORY_CUSTOM && own->reclaim == NULL) {
        own->kind = FLS_MEMORY_KEEP;
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "custom memory policy without a reclaim function");
    }
    own->ratio = own->ratio == 0 ? DEFAULT_RATIO : own->ratio;
    own->messages = own->messages == 0 ? DEFAULT_MESSAGES : own->messages;
    own->threshold_bytes =
        own->threshold_bytes == 0 ? DEFAULT_THRESHOLD_BYTES : own->threshold_bytes;
    own->clock = own->clock == NULL ? fls_clock_monotonic() : own->clock;
    return FLS_OK;
}

static int decide_watermark(flsi_memory_state *state, size_t last_bytes, size_t capacity)
{
    const fls_memory_policy *policy = &state->policy;
    if (last_bytes > capacity / policy->ratio) {
        state->run = 0;
        return 0;
    }
    if (state->run < policy->messages) {
        state->run++;
    }
    if (state->run < policy->messages) {
        return 0;
    }
    /* Without a cooldown nobody needs to know what time it is. */
    if (policy->cooldown_ns != 0) {
        uint64_t now = policy->clock->now_ns(policy->clock->self);
        if (state->cooling && now - state->last_ns < policy->cooldown_ns) {
            return 0;
        }
        state->cooling = 1;
        state->last_ns = now;
    }
    state->run = 0;
    return 1;
}

int flsi_memory_decide(flsi_memory_state *state, size_t last_bytes, size_t capacity,
                       size_t baseline)
{
    const fls_memory_policy *policy = &state->policy;
    switch (policy->kind) {
    case FLS_MEMORY_ADAPTIVE_WATERMARK: return decide_watermark(state, last_bytes, capacity);
    case FLS_MEMORY_SIZE_THRESHOLD:
        return capacity > policy->threshold_bytes && last_bytes <= policy->threshold_bytes;
    case FLS_MEMORY_CUSTOM:
        return policy->reclaim(policy->self, last_bytes, capacity, baseline) != 0;
    case FLS_MEMORY_KEEP: break;
    }
    return 0;
}

void flsi_memory_reclaimed(const flsi_memory_state *state, size_t from_bytes, size_t to_bytes)
{
    if (state->policy.reclaimed != NULL) {
        state->policy.reclaimed(state->policy.self, from_bytes, to_bytes);
    }
}
