/* A second witness of the format: a decoder of whole buffers written like docs/FORMAT.md, rule by
 * rule, sharing no code with the library. Slow and plain on purpose. */
#ifndef TESTS_SUPPORT_REFERENCE_H
#define TESTS_SUPPORT_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/checksum.h"

/* What was agreed outside the stream. */
typedef struct ref_format {
    fls_checksum checksum;             /* DEFAULT is xxh3; CUSTOM uses the next */
    const fls_custom_checksum *custom; /* NULL unless CUSTOM */
    uint32_t max_frame_bytes;          /* 0: 2^31 */
} ref_format;

typedef struct ref_message {
    size_t offset;  /* of the frame */
    size_t payload; /* offset of the payload */
    size_t size;    /* of the payload */
    uint64_t checksum;
} ref_message;

typedef struct ref_stream {
    ref_message *messages;
    size_t count;
    /* FLS_END, FLS_ZERO_TAIL, FLS_UNEXPECTED_EOF, FLS_INVALID_FRAME or FLS_CHECKSUM_MISMATCH */
    fls_status end;
    size_t offset;     /* end of the last message: of the frame that is wrong */
    uint64_t expected; /* on a mismatch */
    uint64_t computed;
    uint64_t declared; /* on an invalid frame */
} ref_stream;

uint32_t ref_width(const ref_format *format);
uint64_t ref_digest(const ref_format *format, const void *data, size_t size);

/* Decodes all of it; the result is freed by ref_free. Aborts when memory runs out. */
ref_stream ref_decode(const ref_format *format, const void *data, size_t size);
void ref_free(ref_stream *stream);

#endif
