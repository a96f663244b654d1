/* See stream_case.h. */
#include "stream_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/frames.h"

#define MOST_BYTES 65536u

static uint64_t keyed_sum(void *self, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t sum = *(const uint64_t *)self;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* Writes the right checksum into up to count frames from the start. */
static void repair(const ref_format *format, uint8_t *bytes, size_t size, size_t count)
{
    size_t width = ref_width(format);
    for (size_t at = 0; count > 0 && size - at >= 4 + width; count--) {
        size_t length = (size_t)bytes[at] | (size_t)bytes[at + 1] << 8 |
                        (size_t)bytes[at + 2] << 16 | (size_t)bytes[at + 3] << 24;
        if (length > size - at - 4 - width) {
            break;
        }
        uint64_t digest = ref_digest(format, bytes + at + 4 + width, length);
        for (size_t i = 0; i < width; i++) {
            bytes[at + 4 + i] = (uint8_t)(digest >> (8 * i));
        }
        at += 4 + width + length;
    }
}

int stream_case_init(stream_case *self, const uint8_t *data, size_t size)
{
    static const fls_checksum checksums[8] = {
        FLS_CHECKSUM_NONE, FLS_CHECKSUM_CRC16,  FLS_CHECKSUM_CRC32, FLS_CHECKSUM_XXH3,
        FLS_CHECKSUM_NONE, FLS_CHECKSUM_CUSTOM, FLS_CHECKSUM_CRC32, FLS_CHECKSUM_XXH3};
    if (size < 2 || size > MOST_BYTES) {
        return 0;
    }
    fls_custom_checksum custom = {sizeof custom, data[1] % 9u, "keyed sum", keyed_sum, &self->key};
    self->key = data[1] & 1;
    self->custom = custom;
    self->random = prng_seeded((uint64_t)data[0] << 8 | data[1]);
    self->what.format.checksum = checksums[data[0] & 7];
    self->what.format.custom = &self->custom;
    self->what.format.max_frame_bytes = (data[0] & 16) != 0 ? 64 : 0;
    self->what.size = size - 2;
    uint8_t *bytes = bytes_exact_copy(data + 2, size - 2);
    if ((data[0] & 8) != 0) {
        repair(&self->what.format, bytes, self->what.size, data[1]);
    }
    self->what.data = bytes;
    return 1;
}

void stream_case_fini(stream_case *self)
{
    free((void *)(uintptr_t)self->what.data);
}

void stream_case_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}
