/* Messages out of bytes that lie in memory: nothing copied, nothing allocated, no input or output.
 *
 * A cursor lives in the caller's storage and borrows the bytes. It applies the reading rules of
 * docs/FORMAT.md and stays before the frame that it could not hand out: calling again gives the
 * same answer. One thread at a time.
 */
#ifndef FLATSTREAM_CURSOR_H
#define FLATSTREAM_CURSOR_H

#include <string.h>

#include "flatstream/checksum.h"
#include "flatstream/frame.h"

FLS_BEGIN_DECLS

/* A walk that looks at headers only asks for memory this far ahead, while payloads are no longer
 * than that. Without it a walk over short frames that copies nothing is slower than one that does,
 * since no copy runs ahead of it; for longer ones the hardware does better. Both measured. */
#define FLS_PREFETCH_BYTES   4096
#define FLS_PREFETCH_PAYLOAD 192u

typedef struct fls_cursor_options {
    uint32_t struct_bytes; /* sizeof(fls_cursor_options) */
    fls_checksum checksum; /* DETECT is not for cursors: see fls_detect_checksum */
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes; /* largest payload accepted; 0: FLS_DEFAULT_MAX_FRAME_BYTES */
    uint32_t more_may_follow; /* 1: the bytes may not be all; what is incomplete is FLS_NEED_MORE */
    uint64_t first_offset;    /* stream offset of the first byte */
    uint64_t first_ordinal;   /* ordinal of the first message */
} fls_cursor_options;

#define FLS_CURSOR_OPTIONS_INIT                                            \
    {                                                                      \
        sizeof(fls_cursor_options), FLS_CHECKSUM_DEFAULT, NULL, 0, 0, 0, 0 \
    }

/* How a payload's checksum is computed; chosen once, when an object is opened. Private. */
typedef struct fls_digest_state {
    uint32_t checksum; /* an fls_checksum */
    uint32_t width;
    uint64_t of_empty; /* digest of the empty payload */
    uint32_t (*crc32)(uint32_t crc, const void *data, size_t size);
    uint16_t (*crc16)(uint16_t crc, const void *data, size_t size);
    uint64_t (*xxh3_long)(const void *data, size_t size); /* more than 240 bytes */
    uint64_t (*custom)(void *self, const void *data, size_t size);
    void *custom_self;
} fls_digest_state;

typedef struct fls_cursor {
    /* Frozen, read by inline code. */
    const uint8_t *next;   /* the frame to be read next */
    const uint8_t *end;    /* end of the bytes */
    uint64_t ordinal;      /* of the message at next */
    uint64_t offset_bias;  /* stream offset of a byte = its address + offset_bias, modulo 2^64 */
    uint32_t inline_limit; /* payloads of 1..inline_limit bytes need no more than a bounds check */
    /* Private from here on. */
    uint32_t max_frame_bytes;
    uint32_t more_may_follow;
    uint32_t flags;
    uint64_t zeros_held;   /* zero bytes consumed that are not proven to be messages */
    uint64_t empties_left; /* proven empty messages, not yet handed out */
    fls_digest_state digest;
    uint64_t reserved[4];
} fls_cursor;

/* Starts at the first of size bytes, which must outlive the cursor's use. options may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_cursor_init(fls_cursor *cursor, const void *data, size_t size,
                                                const fls_cursor_options *options, fls_error *err);

/* Goes on with other bytes: those from the cursor's position on (fls_cursor_left says how many
 * there were), with more behind them, perhaps at another address. For bytes that arrive in pieces.
 */
FLS_API void fls_cursor_continue(fls_cursor *cursor, const void *data, size_t size,
                                 int more_may_follow);

/* FLS_OK: one message, its payload borrowed from the cursor's bytes. FLS_END: a clean end.
 * FLS_NEED_MORE: see more_may_follow. Anything else: the frame at fls_cursor_offset() is not sound.
 */
FLS_API FLS_MUST_USE fls_status fls_cursor_next_slow(fls_cursor *cursor, fls_message *message,
                                                     fls_error *err);
FLS_API FLS_MUST_USE inline fls_status fls_cursor_next(fls_cursor *cursor, fls_message *message,
                                                       fls_error *err)
{
    const uint8_t *frame = cursor->next;
    size_t left = (size_t)(cursor->end - frame);
    if (FLS_LIKELY(left >= FLS_LENGTH_BYTES)) {
        uint32_t length = (uint32_t)frame[0] | (uint32_t)frame[1] << 8 | (uint32_t)frame[2] << 16 |
                          (uint32_t)frame[3] << 24;
        if (FLS_LIKELY(length - 1u < cursor->inline_limit && length <= left - FLS_LENGTH_BYTES)) {
            const uint8_t *following = frame + FLS_LENGTH_BYTES + length;
            if (length <= FLS_PREFETCH_PAYLOAD) {
                FLS_PREFETCH((const char *)following + FLS_PREFETCH_BYTES);
                FLS_PREFETCH((const char *)following + FLS_PREFETCH_BYTES + 64);
            }
            message->payload = frame + FLS_LENGTH_BYTES;
            message->size = length;
            message->ordinal = cursor->ordinal++;
            message->offset = (uint64_t)(uintptr_t)frame + cursor->offset_bias;
            message->checksum = 0;
            cursor->next = following;
            return FLS_OK;
        }
    }
    return fls_cursor_next_slow(cursor, message, err);
}

/* Up to capacity messages at once. FLS_OK: *count (1 or more) messages were read. A fault behind
 * the first of them is reported by the next call. On any other status *count is 0. */
FLS_API FLS_MUST_USE fls_status fls_cursor_next_batch(fls_cursor *cursor, fls_message *messages,
                                                      size_t capacity, size_t *count,
                                                      fls_error *err);

/* Steps over a frame whose checksum does not match, after FLS_CHECKSUM_MISMATCH, trusting its
 * length; its ordinal is used up. FLS_INVALID_ARGUMENT when there is no such frame at the position.
 */
FLS_API FLS_MUST_USE fls_status fls_cursor_skip(fls_cursor *cursor, fls_error *err);

/* Stream offset of the frame that is next; when all that could be read was read: of the first byte
 * that is not part of a sound message. */
FLS_API uint64_t fls_cursor_offset(const fls_cursor *cursor);

/* After FLS_NEED_MORE: bytes that the cursor still has, and how many it needs at least, counted
 * from the same position. */
FLS_API size_t fls_cursor_left(const fls_cursor *cursor);
FLS_API uint64_t fls_cursor_needed(const fls_cursor *cursor);

FLS_END_DECLS

#endif
