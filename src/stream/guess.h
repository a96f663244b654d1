/* Where a frame is likely to begin, from little of a stream: for what is proven otherwise, such as
 * by a walk that ends there. A wrong guess costs time.
 */
#ifndef FLSI_STREAM_GUESS_H
#define FLSI_STREAM_GUESS_H

#include "core/digest.h"

/* The first offset in bytes where a frame seems to begin: its checksum holds, and more frames
 * follow the narrower that is. 0: there is none, or frames are so long that these bytes do not
 * tell. */
int flsi_guess_frame(const fls_digest_state *digest, uint32_t max_frame_bytes, const uint8_t *bytes,
                     size_t size, size_t *offset);

#endif
