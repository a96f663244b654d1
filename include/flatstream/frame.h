/* One frame on the wire: its header, its limits, and the message that a reader hands out for it.
 *
 *   offset  bytes  what
 *   0       4      payload length, unsigned, little-endian
 *   4       N      checksum of the payload, little-endian, N = 0..8
 *   4+N     length payload
 */
#ifndef FLATSTREAM_FRAME_H
#define FLATSTREAM_FRAME_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

#define FLS_LENGTH_BYTES       4u
#define FLS_MAX_CHECKSUM_BYTES 8u
#define FLS_MAX_HEADER_BYTES   12u

/* The limit on a payload unless told otherwise: 2^31, the largest FlatBuffer. */
#define FLS_DEFAULT_MAX_FRAME_BYTES 0x80000000u

/* A run of zero bytes from a frame boundary to the end of a stream that is at least this long was
 * never written as messages: it is what a file system leaves after a power cut. */
#define FLS_ZERO_TAIL_BYTES 16u

/* A message as readers hand it out. 64 bytes on 64-bit platforms; arrays of it are part of the ABI.
 */
typedef struct fls_message {
    const void *payload; /* borrowed; each function says until when; never NULL */
    size_t size;         /* of the payload, in bytes */
    uint64_t ordinal;    /* 0-based count of messages in the stream */
    uint64_t offset;     /* byte offset of the frame in the stream */
    uint64_t checksum;   /* as found in the stream; 0 without a checksum */
    uint64_t time_ns;    /* when it was received, set by readers of journals only; 0: not known */
    uint32_t flags;      /* FLS_MESSAGE_..., as time_ns */
    uint32_t reserved0;
    uint64_t reserved;
} fls_message;

/* The time was not noted but lies between two that were. */
#define FLS_MESSAGE_TIME_ESTIMATED 1u

/* Writes length and checksum as they stand on the wire. checksum_width is 0..8. Returns the number
 * of bytes written, 4 + checksum_width. */
FLS_API size_t fls_frame_encode_header(uint8_t header[FLS_MAX_HEADER_BYTES], uint32_t payload_bytes,
                                       uint64_t checksum, uint32_t checksum_width);

/* Reads what fls_frame_encode_header wrote. FLS_NEED_MORE when size is less than 4 +
 * checksum_width. */
FLS_API FLS_MUST_USE fls_status fls_frame_decode_header(const void *header, size_t size,
                                                        uint32_t checksum_width,
                                                        uint32_t *payload_bytes,
                                                        uint64_t *checksum);

FLS_END_DECLS

#endif
