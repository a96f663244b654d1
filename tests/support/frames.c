/* Streams built by hand; see frames.h. */
#include "support/frames.h"

#include <stdlib.h>
#include <string.h>

const fls_checksum frames_checksums[FRAMES_CHECKSUMS] = {FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16,
                                                         FLS_CHECKSUM_CRC32, FLS_CHECKSUM_XXH3};

void bytes_free(byte_buffer *self)
{
    free(self->data);
    self->data = NULL;
    self->size = 0;
    self->capacity = 0;
}

void bytes_clear(byte_buffer *self)
{
    self->size = 0;
}

static uint8_t *bytes_extend(byte_buffer *self, size_t size)
{
    if (self->capacity - self->size < size || self->data == NULL) {
        self->capacity = 2 * (self->size + size) + 64;
        self->data = realloc(self->data, self->capacity);
        if (self->data == NULL) {
            abort();
        }
    }
    uint8_t *place = self->data + self->size;
    self->size += size;
    return place;
}

void bytes_append(byte_buffer *self, const void *data, size_t size)
{
    uint8_t *place = bytes_extend(self, size);
    if (size > 0) {
        memcpy(place, data, size);
    }
}

void bytes_append_zeros(byte_buffer *self, size_t count)
{
    memset(bytes_extend(self, count), 0, count);
}

void bytes_append_le(byte_buffer *self, uint64_t value, uint32_t count)
{
    uint8_t *place = bytes_extend(self, count);
    for (uint32_t i = 0; i < count; i++) {
        place[i] = (uint8_t)(value >> (8 * i));
    }
}

uint8_t *bytes_exact_copy(const void *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

void frames_append(byte_buffer *self, const ref_format *format, const void *payload, size_t size)
{
    bytes_append_le(self, size, 4);
    bytes_append_le(self, ref_digest(format, payload, size), ref_width(format));
    bytes_append(self, payload, size);
}

void frames_append_random(byte_buffer *self, const ref_format *format, prng *random, size_t size)
{
    byte_buffer payload = BYTES_INIT;
    prng_fill(random, bytes_extend(&payload, size), size);
    frames_append(self, format, payload.data, size);
    bytes_free(&payload);
}

void frames_flatbuffer(byte_buffer *self, prng *random, size_t vector_bytes)
{
    bytes_clear(self);
    bytes_append_le(self, 12, 4);                /*  0 root: the table at 12 */
    bytes_append_le(self, 8, 2);                 /*  4 vtable: its size */
    bytes_append_le(self, 12, 2);                /*  6 size of the table */
    bytes_append_le(self, 4, 2);                 /*  8 slot 0 at 12 + 4 */
    bytes_append_le(self, 8, 2);                 /* 10 slot 1 at 12 + 8 */
    bytes_append_le(self, 8, 4);                 /* 12 table: the vtable lies 8 before */
    bytes_append_le(self, prng_next(random), 4); /* 16 slot 0: a scalar */
    bytes_append_le(self, 4, 4);                 /* 20 slot 1: the vector at 24 */
    bytes_append_le(self, vector_bytes, 4);      /* 24 vector: its length, then its bytes */
    prng_fill(random, bytes_extend(self, vector_bytes), vector_bytes);
    bytes_append_zeros(self, (8 - self->size % 8) % 8);
}

void frames_append_flatbuffers(byte_buffer *self, const ref_format *format, prng *random,
                               size_t count, size_t max_vector_bytes)
{
    byte_buffer payload = BYTES_INIT;
    for (size_t i = 0; i < count; i++) {
        frames_flatbuffer(&payload, random, (size_t)prng_below(random, max_vector_bytes + 1));
        frames_append(self, format, payload.data, payload.size);
    }
    bytes_free(&payload);
}
