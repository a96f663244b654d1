/* XXH3-64 of what comes in pieces; the same digest as of the whole. For what is hashed seldom: the
 * frames' own kernels take messages whole.
 */
#ifndef FLSI_CORE_XXH3_STREAM_H
#define FLSI_CORE_XXH3_STREAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct flsi_xxh3_stream {
    _Alignas(64) unsigned char state[576]; /* XXH3_state_t */
} flsi_xxh3_stream;

void flsi_xxh3_stream_init(flsi_xxh3_stream *stream);
void flsi_xxh3_stream_add(flsi_xxh3_stream *stream, const void *data, size_t size);
uint64_t flsi_xxh3_stream_digest(const flsi_xxh3_stream *stream);

#endif
