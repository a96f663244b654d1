/* Streams built by hand for tests: a growing run of bytes, frames by the reference's checksums, and
 * payloads, among them minimal FlatBuffers. Everything here aborts when memory runs out. */
#ifndef TESTS_SUPPORT_FRAMES_H
#define TESTS_SUPPORT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "support/prng.h"
#include "support/reference.h"

typedef struct byte_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
} byte_buffer;

#define BYTES_INIT \
    {              \
        NULL, 0, 0 \
    }

void bytes_free(byte_buffer *self);
void bytes_clear(byte_buffer *self);
void bytes_append(byte_buffer *self, const void *data, size_t size);
void bytes_append_zeros(byte_buffer *self, size_t count);
void bytes_append_le(byte_buffer *self, uint64_t value, uint32_t count);

/* A copy in a block of exactly that size, so that a sanitizer sees the first byte read beyond.
 * Freed with free; never NULL. */
uint8_t *bytes_exact_copy(const void *data, size_t size);

/* One frame of the payload; its checksum as ref_digest has it. */
void frames_append(byte_buffer *self, const ref_format *format, const void *payload, size_t size);

/* A frame with a payload of random bytes. */
void frames_append_random(byte_buffer *self, const ref_format *format, prng *random, size_t size);

/* A minimal FlatBuffer: a table with a scalar and a vector of vector_bytes random bytes. Its size
 * is a multiple of 8. Replaces what self holds. */
void frames_flatbuffer(byte_buffer *self, prng *random, size_t vector_bytes);

/* count frames of FlatBuffers with vectors of 0 .. max_vector_bytes. */
void frames_append_flatbuffers(byte_buffer *self, const ref_format *format, prng *random,
                               size_t count, size_t max_vector_bytes);

/* The four built-in checksums, in their order. */
#define FRAMES_CHECKSUMS 4
extern const fls_checksum frames_checksums[FRAMES_CHECKSUMS];

#endif
