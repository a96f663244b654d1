/* CRC by carry-less multiplication, for both CRCs and any vector width: how it works, how a message
 * lies in registers, and the last step to the CRC. Only the kernels crc_clmul*.c include this.
 *
 * A message is a polynomial M over GF(2), its first bit the highest power; its CRC is M * x^w mod P
 * (for CRC-32 with the first and the last 32 bits inverted). Two facts carry the kernels:
 *
 *  - A 64-bit word A of the message with n bits after it stands for A * x^n. Modulo P that is
 *    A * (x^n mod P), a short product, so words can be multiplied each by its own constant and
 *    added up. Near the end that gives the sum T, congruent to M * x^w and of degree below 64 + w;
 *    further away a whole block moves n bits on and is added to the block that stands there.
 *  - Zeros before a message change nothing. So odd sizes are dealt with in front: the first block
 *    has its bytes at its end and zeros before them, and all others are whole. A CRC that is being
 *    continued, the state, is added to the first bytes of the message.
 *
 * Layout. CRC-32 is reflected: as loaded on a little-endian machine, bit i of a block is the
 * coefficient of x^(127 - i), and the low word comes first. The product of two reflected words is
 * reflected too but divided by x; the constants make up for it. CRC-16 is not reflected: blocks are
 * byte-reversed when loaded, bit i is the coefficient of x^i, and the high word comes first.
 *
 * The last step. H, the upper 64 coefficients of T, fill a word, and the lower w stand beside it.
 * Over GF(2) Barrett's quotient is exact, and only the w coefficients beside H are needed of the
 * remainder:
 *
 *     quotient  = floor(T / P) = floor(H * floor(x^(63 + w) / P) / x^63)
 *     remainder = T - quotient * P
 *
 * CRC-16 has H in the high word, where the quotient of the product would start one bit too low, so
 * it divides by x^64; that constant has 65 bits, and H itself is added for the leading one.
 */
#ifndef FLSI_CORE_CRC_FOLD_H
#define FLSI_CORE_CRC_FOLD_H

#include <immintrin.h>
#include <stddef.h>

#include "core/bytes.h"
#include "core/crc_constants.h"

/* The running value as it is added to the first bytes of the message, these as a little-endian
 * number. */
FLSI_ALWAYS_INLINE uint32_t flsi_fold_enter(const struct flsi_fold *fold, uint32_t crc)
{
    return fold->reflected ? ~crc : __builtin_bswap16((uint16_t)crc);
}

/* The new running value. What of the state lay beyond the end of a message shorter than it was
 * never multiplied and is added here. */
FLSI_ALWAYS_INLINE uint32_t flsi_fold_leave(const struct flsi_fold *fold, uint32_t remainder,
                                            uint32_t state, size_t size)
{
    if (FLSI_UNLIKELY(size < 4)) {
        uint32_t beyond = state >> (8 * size);
        remainder ^= fold->reflected ? beyond : __builtin_bswap16((uint16_t)beyond);
    }
    return fold->reflected ? ~remainder : remainder;
}

FLSI_ALWAYS_INLINE __m128i flsi_fold_pair(const uint64_t pair[2])
{
    return _mm_load_si128((const __m128i *)(const void *)pair);
}

/* The last step: T mod P. */
FLSI_ALWAYS_INLINE uint32_t flsi_fold_reduce(const struct flsi_fold *fold, __m128i sum)
{
    __m128i barrett = flsi_fold_pair(fold->barrett);
    if (fold->reflected) {
        __m128i quotient = _mm_clmulepi64_si128(sum, barrett, 0x00);
        __m128i multiple = _mm_clmulepi64_si128(quotient, barrett, 0x10);
        return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, multiple), 2);
    }
    __m128i quotient = _mm_xor_si128(sum, _mm_clmulepi64_si128(sum, barrett, 0x01));
    __m128i multiple = _mm_clmulepi64_si128(quotient, barrett, 0x11);
    return (uint32_t)_mm_extract_epi16(_mm_xor_si128(sum, multiple), 3);
}

#endif
