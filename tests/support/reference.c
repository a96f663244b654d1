/* The reference decoder. The rule numbers are those of docs/FORMAT.md. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "support/reference.h"

#include <stdlib.h>

static uint16_t crc16_by_definition(const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((crc & 0x8000u) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
        }
    }
    return crc;
}

static uint32_t crc32_by_definition(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
        }
    }
    return ~crc;
}

uint32_t ref_width(const ref_format *format)
{
    switch (format->checksum) {
    case FLS_CHECKSUM_NONE: return 0;
    case FLS_CHECKSUM_CRC16: return 2;
    case FLS_CHECKSUM_CRC32: return 4;
    case FLS_CHECKSUM_CUSTOM: return format->custom->width;
    default: return 8;
    }
}

uint64_t ref_digest(const ref_format *format, const void *data, size_t size)
{
    switch (format->checksum) {
    case FLS_CHECKSUM_NONE: return 0;
    case FLS_CHECKSUM_CRC16: return crc16_by_definition(data, size);
    case FLS_CHECKSUM_CRC32: return crc32_by_definition(data, size);
    case FLS_CHECKSUM_CUSTOM: {
        uint32_t bits = 8 * format->custom->width;
        uint64_t digest = format->custom->digest(format->custom->self, data, size);
        return bits == 0 ? 0 : digest & UINT64_MAX >> (64 - bits);
    }
    default: return XXH3_64bits(data, size);
    }
}

static uint64_t load_le(const uint8_t *bytes, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static void keep(ref_stream *stream, ref_message message)
{
    /* Grow at powers of two. */
    if ((stream->count & (stream->count - 1)) == 0) {
        size_t room = stream->count == 0 ? 1 : 2 * stream->count;
        stream->messages = realloc(stream->messages, room * sizeof *stream->messages);
        if (stream->messages == NULL) {
            abort();
        }
    }
    stream->messages[stream->count++] = message;
}

ref_stream ref_decode(const ref_format *format, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t width = ref_width(format);
    uint64_t limit = format->max_frame_bytes != 0 ? format->max_frame_bytes : UINT64_C(1) << 31;
    size_t zeros_from = size; /* from here to the end there are only zero bytes */
    while (zeros_from > 0 && bytes[zeros_from - 1] == 0) {
        zeros_from--;
    }
    ref_stream stream = {NULL, 0, FLS_END, 0, 0, 0, 0};
    for (size_t at = 0;;) {
        stream.offset = at;
        size_t left = size - at;
        if (left == 0) { /* rule 1, the clean end */
            stream.end = FLS_END;
            return stream;
        }
        if (at >= zeros_from && left >= 16) { /* rule 0 */
            stream.end = FLS_ZERO_TAIL;
            return stream;
        }
        if (left < 4) { /* rule 1 */
            stream.end = FLS_UNEXPECTED_EOF;
            return stream;
        }
        uint64_t length = load_le(bytes + at, 4);
        if (length > limit) { /* rule 2 */
            stream.end = FLS_INVALID_FRAME;
            stream.declared = length;
            return stream;
        }
        if (left - 4 < width || left - 4 - width < length) { /* rule 3 */
            stream.end = FLS_UNEXPECTED_EOF;
            return stream;
        }
        size_t payload = at + 4 + width;
        uint64_t expected = load_le(bytes + at + 4, width);
        uint64_t computed = ref_digest(format, bytes + payload, (size_t)length);
        if (expected != computed) { /* rule 4 */
            stream.end = FLS_CHECKSUM_MISMATCH;
            stream.expected = expected;
            stream.computed = computed;
            return stream;
        }
        ref_message message = {at, payload, (size_t)length, expected};
        keep(&stream, message); /* rule 6 */
        at = payload + (size_t)length;
    }
}

void ref_free(ref_stream *stream)
{
    free(stream->messages);
    stream->messages = NULL;
    stream->count = 0;
}
