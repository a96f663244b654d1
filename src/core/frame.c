/* The header of a frame, written and read:
 *
 *   offset  bytes  what
 *   0       4      payload length, unsigned, little-endian
 *   4       N      checksum of the payload, little-endian, N = 0..8
 */
#include "flatstream/frame.h"

#include "core/bytes.h"

_Static_assert(sizeof(void *) != 8 || sizeof(fls_message) == 64, "fls_message is part of the ABI");

size_t fls_frame_encode_header(uint8_t header[FLS_MAX_HEADER_BYTES], uint32_t payload_bytes,
                               uint64_t checksum, uint32_t checksum_width)
{
    flsi_store_le32(header, payload_bytes);
    flsi_store_le_width(header + FLS_LENGTH_BYTES, checksum, checksum_width);
    return FLS_LENGTH_BYTES + checksum_width;
}

fls_status fls_frame_decode_header(const void *header, size_t size, uint32_t checksum_width,
                                   uint32_t *payload_bytes, uint64_t *checksum)
{
    const uint8_t *bytes = header;
    if (size < FLS_LENGTH_BYTES + (size_t)checksum_width) {
        return FLS_NEED_MORE;
    }
    *payload_bytes = flsi_load_le32(bytes);
    *checksum = flsi_load_le_width(bytes + FLS_LENGTH_BYTES, checksum_width);
    return FLS_OK;
}
