/* Eight 16-bit numbers at once: what SSE2, which every x86-64 has, or else the compiler's own
 * vectors do with them. Where there is neither, FLSI_LANES16 is not defined.
 */
#ifndef FLSI_CORE_LANES16_H
#define FLSI_CORE_LANES16_H

#include "core/bytes.h"

#if defined(__SSE2__)
#include <immintrin.h>

#define FLSI_LANES16 1

typedef __m128i flsi_lanes16;

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_zero(void)
{
    return _mm_setzero_si128();
}

/* Little-endian numbers at any address. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_load_le(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

/* Numbers of this machine, at a multiple of 16. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_load(const uint16_t *from)
{
    return _mm_load_si128((const __m128i *)(const void *)from);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_splat(uint64_t value)
{
    return _mm_set1_epi16((int16_t)(uint16_t)value);
}

/* The first and the second number, in all lanes. */
FLSI_ALWAYS_INLINE void flsi_lanes16_splat_two(flsi_lanes16 from, flsi_lanes16 *first,
                                               flsi_lanes16 *second)
{
    flsi_lanes16 pairs = _mm_unpacklo_epi16(from, from);
    *first = _mm_shuffle_epi32(pairs, 0x00);
    *second = _mm_shuffle_epi32(pairs, 0x55);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_and(flsi_lanes16 a, flsi_lanes16 b)
{
    return _mm_and_si128(a, b);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_or(flsi_lanes16 a, flsi_lanes16 b)
{
    return _mm_or_si128(a, b);
}

/* a, where not_b is zeros; not_b is all zeros or all ones. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_and_not(flsi_lanes16 a, flsi_lanes16 not_b)
{
    return _mm_andnot_si128(not_b, a);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_add(flsi_lanes16 a, flsi_lanes16 b)
{
    return _mm_add_epi16(a, b);
}

/* a - b, 0 where b is larger. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_excess(flsi_lanes16 a, flsi_lanes16 b)
{
    return _mm_subs_epu16(a, b);
}

/* All ones where a is zero, else zeros. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_is_zero(flsi_lanes16 a)
{
    return _mm_cmpeq_epi16(a, _mm_setzero_si128());
}

/* All ones where a is less than b, else zeros; both below 2^15. */
FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_less(flsi_lanes16 a, flsi_lanes16 b)
{
    return _mm_cmplt_epi16(a, b);
}

FLSI_ALWAYS_INLINE int flsi_lanes16_all_zero(flsi_lanes16 a)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128())) == 0xffff;
}

#elif defined(__GNUC__) || defined(__clang__)

#define FLSI_LANES16 1

typedef uint16_t flsi_lanes16 __attribute__((vector_size(16)));
typedef uint64_t flsi_lanes64 __attribute__((vector_size(16)));

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_zero(void)
{
    return (flsi_lanes16){0};
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_load_le(const void *from)
{
    flsi_lanes16 lanes;
    FLSI_COPY(&lanes, from, sizeof lanes);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    lanes = (lanes << 8) | (lanes >> 8);
#endif
    return lanes;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_load(const uint16_t *from)
{
    flsi_lanes16 lanes;
    FLSI_COPY(&lanes, from, sizeof lanes);
    return lanes;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_splat(uint64_t value)
{
    uint16_t lane = (uint16_t)value;
    return (flsi_lanes16){lane, lane, lane, lane, lane, lane, lane, lane};
}

FLSI_ALWAYS_INLINE void flsi_lanes16_splat_two(flsi_lanes16 from, flsi_lanes16 *first,
                                               flsi_lanes16 *second)
{
    *first = flsi_lanes16_splat(from[0]);
    *second = flsi_lanes16_splat(from[1]);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_and(flsi_lanes16 a, flsi_lanes16 b)
{
    return a & b;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_or(flsi_lanes16 a, flsi_lanes16 b)
{
    return a | b;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_and_not(flsi_lanes16 a, flsi_lanes16 not_b)
{
    return a & ~not_b;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_add(flsi_lanes16 a, flsi_lanes16 b)
{
    return a + b;
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_excess(flsi_lanes16 a, flsi_lanes16 b)
{
    return (a - b) & (flsi_lanes16)(a > b);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_is_zero(flsi_lanes16 a)
{
    return (flsi_lanes16)(a == 0);
}

FLSI_ALWAYS_INLINE flsi_lanes16 flsi_lanes16_less(flsi_lanes16 a, flsi_lanes16 b)
{
    return (flsi_lanes16)(a < b);
}

FLSI_ALWAYS_INLINE int flsi_lanes16_all_zero(flsi_lanes16 a)
{
    flsi_lanes64 halves = (flsi_lanes64)a;
    return (halves[0] | halves[1]) == 0;
}

#endif

#endif
