/* XXH3-64 in pieces, by xxHash's own code with the vectors of the target's baseline. */
#include "core/xxh3_stream.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) <= sizeof(flsi_xxh3_stream), "room for the state");
_Static_assert(_Alignof(XXH3_state_t) <= _Alignof(flsi_xxh3_stream), "alignment of the state");

void flsi_xxh3_stream_init(flsi_xxh3_stream *stream)
{
    (void)XXH3_64bits_reset((XXH3_state_t *)stream->state);
}

void flsi_xxh3_stream_add(flsi_xxh3_stream *stream, const void *data, size_t size)
{
    (void)XXH3_64bits_update((XXH3_state_t *)stream->state, data, size);
}

uint64_t flsi_xxh3_stream_digest(const flsi_xxh3_stream *stream)
{
    return XXH3_64bits_digest((const XXH3_state_t *)stream->state);
}
