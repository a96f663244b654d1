/* Threads that read ahead of a salvager's walk and check which frames are sound, so that the walk
 * over those need not. Nothing that a salvager decides depends on them: that a frame at an offset
 * is sound is a matter of its bytes alone, and what they have not found the walk finds itself.
 */
#ifndef FLSI_STREAM_SALVAGE_AHEAD_H
#define FLSI_STREAM_SALVAGE_AHEAD_H

#include "flatstream/cursor.h"
#include "stream/view.h"

typedef struct flsi_ahead flsi_ahead;

typedef struct flsi_ahead_options {
    const flsi_view *view;          /* of the whole stream; kept */
    const fls_digest_state *digest; /* kept; not NONE */
    uint32_t max_frame_bytes;
    uint32_t threads;
    uint64_t from;    /* where the walk is */
    uint64_t largest; /* payload of a frame so far */
    size_t
        piece_bytes; /* of the stream, that a thread works on at once; 0: by what is known of it */
    const fls_allocator *allocator;
} flsi_ahead_options;

/* *ahead stays NULL where threads are not worth their while, or cannot be had. */
fls_status flsi_ahead_start(flsi_ahead **ahead, const flsi_ahead_options *options, fls_error *err);
void flsi_ahead_stop(flsi_ahead *ahead); /* NULL is harmless */

/* Whether a new one would better suit frames with payloads of up to `largest` bytes. */
int flsi_ahead_is_short(const flsi_ahead *ahead, uint64_t largest);

/* Sound frames in a row from an offset on, and nothing else: *size of their bytes, 0 if none are
 * known. They are valid until the next call. Offsets do not decrease from call to call. An empty
 * frame is among them only under a checksum that is not zero for it. */
void flsi_ahead_get(flsi_ahead *ahead, uint64_t offset, const uint8_t **bytes, size_t *size);

#endif
