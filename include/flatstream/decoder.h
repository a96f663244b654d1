/* Messages out of bytes that arrive in pieces, for event loops and non-blocking sockets.
 *
 * The caller feeds whatever arrived and takes out the messages that are complete. A message that
 * lies wholly within one piece is handed out where it lies; only one that spans pieces is gathered
 * in the decoder's own buffer. No input or output, and no allocation beyond that buffer. One thread
 * at a time.
 */
#ifndef FLATSTREAM_DECODER_H
#define FLATSTREAM_DECODER_H

#include "flatstream/allocator.h"
#include "flatstream/cursor.h"

FLS_BEGIN_DECLS

typedef struct fls_decoder_options {
    uint32_t struct_bytes; /* sizeof(fls_decoder_options) */
    fls_checksum checksum;
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes; /* 0: FLS_DEFAULT_MAX_FRAME_BYTES */
    uint32_t reserved;
    const fls_allocator *allocator; /* grows the gathering buffer; NULL: storage only */
    void *storage; /* fixed gathering buffer, the caller's; used before allocating */
    size_t storage_bytes;
} fls_decoder_options;

#define FLS_DECODER_OPTIONS_INIT                                                     \
    {                                                                                \
        sizeof(fls_decoder_options), FLS_CHECKSUM_DEFAULT, NULL, 0, 0, NULL, NULL, 0 \
    }

typedef struct fls_decoder {
    fls_cursor cursor; /* private, as all of it */
    const uint8_t *fed;
    size_t fed_bytes;
    uint8_t *gathered;
    size_t gathered_bytes;
    size_t gathered_capacity;
    const fls_allocator *allocator;
    uint32_t gathering;
    uint32_t ended;
    uint32_t owns_gathered;
    uint32_t reserved32;
    uint64_t reserved[4];
} fls_decoder;

/* With neither allocator nor storage, a message that spans two pieces is FLS_NO_MEMORY. */
FLS_API FLS_MUST_USE fls_status fls_decoder_init(fls_decoder *decoder,
                                                 const fls_decoder_options *options,
                                                 fls_error *err);

/* Frees the gathering buffer. */
FLS_API void fls_decoder_fini(fls_decoder *decoder);

/* Gives the decoder the next size bytes of the stream; they are borrowed until fls_decoder_next
 * returns FLS_NEED_MORE, and after an error until fls_decoder_fini. FLS_INVALID_ARGUMENT while
 * bytes fed before are still unread.
 */
FLS_API FLS_MUST_USE fls_status fls_decoder_feed(fls_decoder *decoder, const void *data,
                                                 size_t size, fls_error *err);

/* Says that no more bytes come: what is incomplete is then reported as such, not as FLS_NEED_MORE.
 */
FLS_API void fls_decoder_end(fls_decoder *decoder);

/* FLS_OK: one message, borrowed until the next call on this decoder. FLS_NEED_MORE: all that was
 * fed has been taken. FLS_END: a clean end, after fls_decoder_end. Otherwise what is wrong with the
 * stream. */
FLS_API FLS_MUST_USE fls_status fls_decoder_next(fls_decoder *decoder, fls_message *message,
                                                 fls_error *err);

/* After FLS_NEED_MORE: how many more bytes are needed before another message can be complete; at
 * least
 * 1. A claim of the stream, checked against max_frame_bytes only. */
FLS_API uint64_t fls_decoder_needed(const fls_decoder *decoder);

/* Stream offset of the first byte that is not part of a message handed out. */
FLS_API uint64_t fls_decoder_offset(const fls_decoder *decoder);

FLS_END_DECLS

#endif
