/* Whole numbers to text, inline: the inner loop of everything that prints.
 *
 * Each writes at `to`, where there is FLSI_DECIMAL_ROOM, and returns where the text ends.
 */
#ifndef FLSI_FLATBUF_DECIMAL_DIGITS_H
#define FLSI_FLATBUF_DECIMAL_DIGITS_H

#include "flatbuf/decimal.h"

#define FLSI_ASCII_ZEROS 0x3030303030303030u

/* Eight digits as bytes 0 to 9, the first in the lowest byte: halves, quarters and digits are
 * divided side by side. value is below 10^8. */
FLSI_ALWAYS_INLINE uint64_t flsi_eight_digits(uint32_t value)
{
    uint64_t fours = (value / 10000) | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = ((fours * 10486) >> 20) & 0x7F0000007Fu;
    uint64_t twos = (fours << 16) - hundreds * ((100u << 16) - 1);
    uint64_t tens = ((twos * 103) >> 10) & 0x000F000F000F000Fu;
    return (twos << 8) - tens * ((10u << 8) - 1);
}

FLSI_ALWAYS_INLINE uint32_t flsi_low_zero_bits(uint64_t value)
{
    return (uint32_t)__builtin_ctzll(value);
}

FLSI_ALWAYS_INLINE uint32_t flsi_high_zero_bits(uint64_t value)
{
    return (uint32_t)__builtin_clzll(value);
}

FLSI_ALWAYS_INLINE char *flsi_put_eight(char *to, uint32_t value)
{
    flsi_store_le64(to, flsi_eight_digits(value) | FLSI_ASCII_ZEROS);
    return to + 8;
}

/* value is below 10^8; no zeros in front. */
FLSI_ALWAYS_INLINE char *flsi_put_up_to_eight(char *to, uint32_t value)
{
    uint64_t digits = flsi_eight_digits(value);
    uint32_t zeros = flsi_low_zero_bits(digits | (uint64_t)1 << 56) / 8;
    flsi_store_le64(to, (digits | FLSI_ASCII_ZEROS) >> (8 * zeros));
    return to + 8 - zeros;
}

FLSI_ALWAYS_INLINE char *flsi_put_u64(char *to, uint64_t value)
{
    const uint64_t eight = 100000000;
    if (value < eight) {
        return flsi_put_up_to_eight(to, (uint32_t)value);
    }
    uint64_t upper = value / eight;
    uint32_t lower = (uint32_t)(value % eight);
    if (upper < eight) {
        return flsi_put_eight(flsi_put_up_to_eight(to, (uint32_t)upper), lower);
    }
    to = flsi_put_up_to_eight(to, (uint32_t)(upper / eight));
    return flsi_put_eight(flsi_put_eight(to, (uint32_t)(upper % eight)), lower);
}

FLSI_ALWAYS_INLINE char *flsi_put_i64(char *to, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    *to = '-';
    if (value < 0) {
        to++;
        magnitude = 0 - magnitude;
    }
    return flsi_put_u64(to, magnitude);
}

#endif
