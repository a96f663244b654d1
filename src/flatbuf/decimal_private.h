/* What printing and reading of floats share: powers of ten, and products of 64-bit numbers. */
#ifndef FLSI_FLATBUF_DECIMAL_PRIVATE_H
#define FLSI_FLATBUF_DECIMAL_PRIVATE_H

#include "flatbuf/decimal.h"

#define FLSI_LEAST_POWER (-342)
#define FLSI_MOST_POWER  324
#define FLSI_POWER_COUNT (FLSI_MOST_POWER - FLSI_LEAST_POWER + 1)

typedef struct flsi_power {
    uint64_t high;
    uint64_t low;
} flsi_power;

/* See decimal_powers.c. */
extern const flsi_power flsi_powers[FLSI_POWER_COUNT];

/* Whether the entry is the power itself, not only its first bits. */
FLSI_ALWAYS_INLINE int flsi_power_is_exact(int exponent)
{
    return (unsigned)exponent <= 55u;
}

/* floor(log2(10^n)) for n within 400 of zero, floor(log10(2^n)) and floor(log10(3/4 * 2^n)) for n
 * within 1100 of it. A bias keeps the sums positive: how a negative number is shifted is the
 * compiler's choice. */
FLSI_ALWAYS_INLINE int flsi_log2_of_power10(int n)
{
    return (int)((uint32_t)(n * 1741647 + (2048 << 19)) >> 19) - 2048;
}

FLSI_ALWAYS_INLINE int flsi_log10_of_power2(int n)
{
    return (int)(((uint32_t)n * 1262611u + (512u << 22)) >> 22) - 512;
}

FLSI_ALWAYS_INLINE int flsi_log10_of_three_quarters(int n)
{
    return (int)(((uint32_t)n * 1262611u + (512u << 22) - 524031u) >> 22) - 512;
}

/* The product of two 64-bit numbers, by halves. */
FLSI_ALWAYS_INLINE flsi_power flsi_multiply_halves(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a;
    uint64_t a1 = a >> 32;
    uint64_t b0 = (uint32_t)b;
    uint64_t b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t carry = a0 * b1 + (uint32_t)middle;
    flsi_power product;
    product.high = a1 * b1 + (middle >> 32) + (carry >> 32);
    product.low = a * b;
    return product;
}

#if defined(__SIZEOF_INT128__)
FLSI_ALWAYS_INLINE flsi_power flsi_multiply(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide whole = (wide)a * b;
    flsi_power product;
    product.high = (uint64_t)(whole >> 64);
    product.low = (uint64_t)whole;
    return product;
}
#else
#define flsi_multiply flsi_multiply_halves
#endif

#endif
