/* Guessing where a frame begins. */
#include "stream/guess.h"

#include "core/bytes.h"

/* Frames in a row that are asked for: with a wide checksum its own is as good as a proof. */
#define FEW_FRAMES  2u
#define MANY_FRAMES 12u

/* How many frames with a payload stand in a row from `at` on, `most` at most. */
static unsigned frames_in_a_row(const fls_digest_state *digest, uint32_t max_frame_bytes,
                                const uint8_t *bytes, size_t size, size_t at, unsigned most)
{
    size_t unit = FLS_LENGTH_BYTES + digest->width;
    unsigned frames = 0;
    while (frames < most && size - at >= unit) {
        uint32_t length = flsi_load_le32(bytes + at);
        if (length - 1u >= max_frame_bytes || size - at - unit < length) {
            break;
        }
        at += unit + length;
        frames++;
    }
    return frames;
}

static int holds(const fls_digest_state *digest, const uint8_t *frame)
{
    const uint8_t *stored = frame + FLS_LENGTH_BYTES;
    return digest->width == 0 || flsi_digest_load(digest, digest->checksum, stored) ==
                                     flsi_digest_of(digest, digest->checksum,
                                                    stored + digest->width, flsi_load_le32(frame));
}

int flsi_guess_frame(const fls_digest_state *digest, uint32_t max_frame_bytes, const uint8_t *bytes,
                     size_t size, size_t *offset)
{
    unsigned wanted = digest->width >= 4 ? FEW_FRAMES : MANY_FRAMES;
    for (size_t at = 0; at + FLS_LENGTH_BYTES + digest->width <= size; at++) {
        if (frames_in_a_row(digest, max_frame_bytes, bytes, size, at, wanted) == wanted &&
            holds(digest, bytes + at)) {
            *offset = at;
            return 1;
        }
    }
    return 0;
}
