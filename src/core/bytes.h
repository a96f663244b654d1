/* Loads and stores of little-endian integers at any alignment, and the one place where core takes
 * memcpy-class functions from. Compilers turn each of these into one instruction where that is
 * right.
 */
#ifndef FLSI_CORE_BYTES_H
#define FLSI_CORE_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define FLSI_ALWAYS_INLINE       static inline __attribute__((always_inline))
#define FLSI_NOINLINE            __attribute__((noinline))
#define FLSI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define FLSI_UNREACHABLE()       __builtin_unreachable()
#else
#define FLSI_ALWAYS_INLINE static inline
#define FLSI_NOINLINE
#define FLSI_UNLIKELY(condition) (condition)
#define FLSI_UNREACHABLE()       ((void)0)
#endif

/* The compiler's own memcpy stays inline where the library's would be a call (-ffreestanding). */
#if defined(__GNUC__) || defined(__clang__)
#define FLSI_COPY(to, from, size) __builtin_memcpy(to, from, size)
#else
#define FLSI_COPY(to, from, size) memcpy(to, from, size)
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FLSI_LE16(value) __builtin_bswap16(value)
#define FLSI_LE32(value) __builtin_bswap32(value)
#define FLSI_LE64(value) __builtin_bswap64(value)
#else
#define FLSI_LE16(value) (value)
#define FLSI_LE32(value) (value)
#define FLSI_LE64(value) (value)
#endif

FLSI_ALWAYS_INLINE uint16_t flsi_load_le16(const void *from)
{
    uint16_t value;
    FLSI_COPY(&value, from, sizeof value);
    return FLSI_LE16(value);
}

FLSI_ALWAYS_INLINE uint32_t flsi_load_le32(const void *from)
{
    uint32_t value;
    FLSI_COPY(&value, from, sizeof value);
    return FLSI_LE32(value);
}

FLSI_ALWAYS_INLINE uint64_t flsi_load_le64(const void *from)
{
    uint64_t value;
    FLSI_COPY(&value, from, sizeof value);
    return FLSI_LE64(value);
}

FLSI_ALWAYS_INLINE void flsi_store_le16(void *to, uint16_t value)
{
    value = FLSI_LE16(value);
    FLSI_COPY(to, &value, sizeof value);
}

FLSI_ALWAYS_INLINE void flsi_store_le32(void *to, uint32_t value)
{
    value = FLSI_LE32(value);
    FLSI_COPY(to, &value, sizeof value);
}

FLSI_ALWAYS_INLINE void flsi_store_le64(void *to, uint64_t value)
{
    value = FLSI_LE64(value);
    FLSI_COPY(to, &value, sizeof value);
}

/* The lowest `width` bytes (0..8) of a value, as they stand on the wire. */
FLSI_ALWAYS_INLINE uint64_t flsi_load_le_width(const uint8_t *from, uint32_t width)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}

FLSI_ALWAYS_INLINE void flsi_store_le_width(uint8_t *to, uint64_t value, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

/* The sizes for which there is inlined code to copy and to hash without a call. */
#define FLSI_SHORT_MIN 17u
#define FLSI_SHORT_MAX 128u

/* memcpy, without a call for short sizes: pieces of 16 from both ends inwards. */
FLSI_ALWAYS_INLINE void flsi_copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
    if (FLSI_UNLIKELY(size < FLSI_SHORT_MIN || size > FLSI_SHORT_MAX)) {
        memcpy(to, from, size);
        return;
    }
    if (size > 32) {
        if (size > 64) {
            if (size > 96) {
                FLSI_COPY(to + 48, from + 48, 16);
                FLSI_COPY(to + size - 64, from + size - 64, 16);
            }
            FLSI_COPY(to + 32, from + 32, 16);
            FLSI_COPY(to + size - 48, from + size - 48, 16);
        }
        FLSI_COPY(to + 16, from + 16, 16);
        FLSI_COPY(to + size - 32, from + size - 32, 16);
    }
    FLSI_COPY(to, from, 16);
    FLSI_COPY(to + size - 16, from + size - 16, 16);
}

/* memcpy, but for a trap: processors whose long copies are one instruction (rep movsb on Zen 3 and
 * 4, from about 2 KiB on) take 25 times as long when the target lies 1 to 63 bytes behind the
 * source modulo 4096, which a header in front of a page-aligned payload brings about. Shorter
 * copies use other instructions. */
static inline void flsi_copy_long(uint8_t *to, const uint8_t *from, size_t size)
{
    const size_t piece = 2048;
    if (((uintptr_t)to - (uintptr_t)from - 1u) % 4096 < 63) {
        for (; size > piece; size -= piece) {
            memcpy(to, from, piece);
            to += piece;
            from += piece;
        }
    }
    memcpy(to, from, size);
}

/* How many of the first size bytes are zero before the first that is not. */
FLSI_ALWAYS_INLINE size_t flsi_zero_run(const uint8_t *bytes, size_t size)
{
    size_t run = 0;
    while (size - run >= 32) {
        uint64_t a = flsi_load_le64(bytes + run) | flsi_load_le64(bytes + run + 8);
        uint64_t b = flsi_load_le64(bytes + run + 16) | flsi_load_le64(bytes + run + 24);
        if ((a | b) != 0) {
            break;
        }
        run += 32;
    }
    while (run < size && bytes[run] == 0) {
        run++;
    }
    return run;
}

#endif
