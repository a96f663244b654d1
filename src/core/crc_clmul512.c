/* CRC-16 and CRC-32 by carry-less multiplication of chunks of 64 bytes, four blocks at a time
 * (VPCLMULQDQ, AVX-512 F, BW, VL and VBMI, BMI2). crc_fold.h explains the method.
 *
 * Each multiplication does four blocks' worth of work at the price of one, so all sizes go this
 * way: there is nothing to gain from narrower vectors for short messages.
 */
#include "core/crc.h"

#include "core/cpu.h"
#ifdef FLSI_X86_KERNELS
#include "core/crc_fold.h"

#define CHUNK ((ptrdiff_t)64)
#define HALF  32
#define NEAR  ((ptrdiff_t)(FLSI_NEAR_BLOCKS * 16))
#define PAGE  4096 /* or any multiple */

FLSI_ALWAYS_INLINE __m512i chunk_order(const struct flsi_fold *fold, __m512i chunk)
{
    if (fold->reflected) {
        return chunk;
    }
    return _mm512_shuffle_epi8(chunk,
                               _mm512_set4_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F));
}

FLSI_ALWAYS_INLINE __m512i chunk_load(const struct flsi_fold *fold, const uint8_t *at)
{
    return chunk_order(fold, _mm512_loadu_si512(at));
}

FLSI_ALWAYS_INLINE __m512i chunk_fold(__m512i sum, __m512i chunk, __m512i by)
{
    return _mm512_ternarylogic_epi64(sum, _mm512_clmulepi64_epi128(chunk, by, 0x00),
                                     _mm512_clmulepi64_epi128(chunk, by, 0x11), 0x96); /* XOR */
}

/* Adds a chunk that begins `before` bytes before the end of the message, a multiple of 64. */
FLSI_ALWAYS_INLINE __m512i chunk_near(const struct flsi_fold *fold, __m512i sum, __m512i chunk,
                                      ptrdiff_t before)
{
    const uint8_t *end = (const uint8_t *)fold->near + sizeof fold->near;
    return chunk_fold(sum, chunk, _mm512_load_si512(end - before));
}

/* Adds up the four blocks and takes the last step. */
FLSI_ALWAYS_INLINE uint32_t chunk_reduce(const struct flsi_fold *fold, __m512i sum)
{
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
    return flsi_fold_reduce(
        fold, _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

FLSI_ALWAYS_INLINE __m512i chunk_of_state(uint32_t state)
{
    return _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)state));
}

/* The vector at rising + 64 - n is an index that moves bytes n places towards the end. A
 * permutation is used although VPEXPANDB does the same without an index, as that waits for the old
 * value of its destination on Zen 4 and so makes independent messages wait for one another. */
static const uint8_t rising[128] = {
    [64] = 0, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22,       23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44,       45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

/* The last `size` bytes (1 to 64) of a chunk; likewise for half a chunk, 0 to 32. */
#define LAST64(size) (UINT64_MAX << (-(size)&63))
#define LAST32(size) ((__mmask32)(0xFFFFFFFF00000000 >> (size)))

FLSI_ALWAYS_INLINE __m512i to_end64(__m512i chunk, size_t size)
{
    return _mm512_maskz_permutexvar_epi8(LAST64(size),
                                         _mm512_loadu_si512(rising + 64 - (-size & 63)), chunk);
}

FLSI_ALWAYS_INLINE __m256i to_end32(__m256i half, size_t size)
{
    const void *index = rising + 64 - (HALF - size);
    return _mm256_maskz_permutexvar_epi8(LAST32(size), _mm256_loadu_si256(index), half);
}

/* A load with a mask does not access the bytes masked out, but if they lie in a page that is not
 * mapped it takes a hundred times as long. So short messages are loaded from the end backwards if
 * that stays within the page of their end, and otherwise from the start forwards, which then does.
 */
FLSI_ALWAYS_INLINE bool crosses_page_backwards(uintptr_t end, unsigned bytes)
{
    return FLSI_UNLIKELY((end & (PAGE - 1)) < bytes);
}

/* 33 to 64 bytes. */
FLSI_ALWAYS_INLINE uint32_t crc_upto64(const struct flsi_fold *fold, uint32_t state,
                                       const uint8_t *data, size_t size)
{
    uintptr_t end = (uintptr_t)data + size;
    __m512i chunk;
    if (crosses_page_backwards(end, CHUNK)) {
        chunk = _mm512_maskz_loadu_epi8(UINT64_MAX >> (-size & 63), data);
        chunk = to_end64(_mm512_xor_si512(chunk, chunk_of_state(state)), size);
    } else {
        chunk = _mm512_maskz_loadu_epi8(LAST64(size), (const void *)(end - CHUNK));
        chunk = _mm512_xor_si512(chunk, to_end64(chunk_of_state(state), size));
    }
    __m512i sum = chunk_near(fold, _mm512_setzero_si512(), chunk_order(fold, chunk), CHUNK);
    return flsi_fold_leave(fold, chunk_reduce(fold, sum), state, size);
}

/* Up to 32 bytes: each of the four words gets a block of its own, so one multiplication will do. */
FLSI_ALWAYS_INLINE uint32_t crc_upto32(const struct flsi_fold *fold, uint32_t state,
                                       const uint8_t *data, size_t size)
{
    const __m512i order = fold->reflected
                              ? _mm512_set_epi64(0, 0x1F1E1D1C1B1A1918, 0, 0x1716151413121110, 0,
                                                 0x0F0E0D0C0B0A0908, 0, 0x0706050403020100)
                              : _mm512_set_epi64(0, 0x18191A1B1C1D1E1F, 0, 0x1011121314151617, 0,
                                                 0x08090A0B0C0D0E0F, 0, 0x0001020304050607);
    __m256i start = _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)state));
    uintptr_t end = (uintptr_t)data + size; /* data may be NULL */
    __m256i half;
    if (crosses_page_backwards(end, HALF)) {
        half = _mm256_maskz_loadu_epi8((__mmask32)((UINT64_C(1) << size) - 1), data);
        half = to_end32(_mm256_xor_si256(half, start), size);
    } else {
        half = _mm256_maskz_loadu_epi8(LAST32(size), (const void *)(end - HALF));
        half = _mm256_xor_si256(half, to_end32(start, size));
    }
    __m512i words = _mm512_permutexvar_epi8(order, _mm512_castsi256_si512(half));
    __m512i sum = _mm512_clmulepi64_epi128(words, _mm512_load_si512(fold->spread), 0x00);
    return flsi_fold_leave(fold, chunk_reduce(fold, sum), state, size);
}

FLSI_ALWAYS_INLINE uint32_t crc_clmul512(const struct flsi_fold *fold, uint32_t crc,
                                         const uint8_t *data, size_t size)
{
    uint32_t state = flsi_fold_enter(fold, crc);
    if (size <= HALF) {
        return crc_upto32(fold, state, data, size);
    }
    if (size <= CHUNK) {
        return crc_upto64(fold, state, data, size);
    }
    /* The first chunk has `head` bytes, 1 to 64; `left` bytes, whole chunks, are to be added. */
    const uint8_t *end = data + size;
    ptrdiff_t left = (ptrdiff_t)((size - 1) & ~(size_t)63);
    size_t head = size - (size_t)left;
    __m512i first = _mm512_xor_si512(_mm512_loadu_si512(data), chunk_of_state(state));
    __m512i second = _mm512_loadu_si512(end - left);
    if (FLSI_UNLIKELY(head < 4)) {
        second = _mm512_xor_si512(second, chunk_of_state(state >> (8 * head)));
    }
    first = chunk_order(fold, to_end64(first, size));
    second = chunk_order(fold, second);
    __m512i sum = _mm512_setzero_si512();
    if (left >= NEAR) {
        __m512i by = _mm512_broadcast_i32x4(flsi_fold_pair(fold->by_2048));
        __m512i third = chunk_load(fold, end - left + CHUNK);
        __m512i fourth = chunk_load(fold, end - left + 2 * CHUNK);
        for (left -= 3 * CHUNK; left >= 4 * CHUNK; left -= 4 * CHUNK) {
            const uint8_t *at = end - left;
            first = chunk_fold(chunk_load(fold, at), first, by);
            second = chunk_fold(chunk_load(fold, at + CHUNK), second, by);
            third = chunk_fold(chunk_load(fold, at + 2 * CHUNK), third, by);
            fourth = chunk_fold(chunk_load(fold, at + 3 * CHUNK), fourth, by);
        }
        sum = chunk_near(fold, sum, first, left + 4 * CHUNK);
        sum = chunk_near(fold, sum, second, left + 3 * CHUNK);
        sum = chunk_near(fold, sum, third, left + 2 * CHUNK);
        sum = chunk_near(fold, sum, fourth, left + CHUNK);
    } else {
        sum = chunk_near(fold, sum, first, left + CHUNK);
        sum = chunk_near(fold, sum, second, left);
        left -= CHUNK;
    }
    for (; left > 0; left -= CHUNK) {
        sum = chunk_near(fold, sum, chunk_load(fold, end - left), left);
    }
    return flsi_fold_leave(fold, chunk_reduce(fold, sum), state, size);
}

uint16_t flsi_crc16_clmul512(uint16_t crc, const void *data, size_t size)
{
    return (uint16_t)crc_clmul512(&flsi_fold16, crc, data, size);
}

uint32_t flsi_crc32_clmul512(uint32_t crc, const void *data, size_t size)
{
    return crc_clmul512(&flsi_fold32, crc, data, size);
}

#endif
