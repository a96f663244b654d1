/* CRC-16 and CRC-32 by carry-less multiplication, four blocks at a time (VPCLMULQDQ and AVX-512).
 */
#include "core/crc.h"

#include "core/cpu.h"
#ifdef FLSI_X86_KERNELS
#include "core/crc_fold.h"

#define CHUNK       64u /* bytes: four blocks */
#define NEAR_CHUNKS 8u

FLSI_ALWAYS_INLINE __m512i chunk_order(const struct flsi_fold *fold, __m512i chunk)
{
    if (fold->reflected) {
        return chunk;
    }
    return _mm512_shuffle_epi8(chunk, _mm512_broadcast_i32x4(_mm_set_epi8(
                                          0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

FLSI_ALWAYS_INLINE __m512i chunk_load(const struct flsi_fold *fold, const uint8_t *at)
{
    return chunk_order(fold, _mm512_loadu_si512(at));
}

FLSI_ALWAYS_INLINE __m512i chunk_fold(__m512i sum, __m512i chunk, __m512i by)
{
    return _mm512_ternarylogic_epi64(sum, _mm512_clmulepi64_epi128(chunk, by, 0x00),
                                     _mm512_clmulepi64_epi128(chunk, by, 0x11), 0x96);
}

FLSI_ALWAYS_INLINE __m512i chunk_near(const struct flsi_fold *fold, __m512i sum, __m512i chunk,
                                      size_t chunks_after)
{
    const uint64_t *by = fold->near[FLSI_NEAR_BLOCKS - 4 - 4 * chunks_after];
    return chunk_fold(sum, chunk, _mm512_load_si512(by));
}

FLSI_ALWAYS_INLINE uint32_t chunk_reduce(const struct flsi_fold *fold, __m512i sum)
{
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
    return fold_reduce(
        fold, _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

/* The last bytes of a vector from the last bytes before `end`; the masked ones are not accessed. */
#define BEFORE(end, bytes) ((const void *)((uintptr_t)(end) - (bytes)))

FLSI_ALWAYS_INLINE uint32_t crc_upto32(const struct flsi_fold *fold, uint32_t state,
                                       const uint8_t *data, size_t size)
{
    __mmask32 mask = (__mmask32)(0xFFFFFFFF00000000u >> size);
    __m256i half = _mm256_maskz_loadu_epi8(mask, BEFORE(data + size, 32));
    half = _mm256_xor_si256(half, _mm256_maskz_expand_epi8(
                                      mask, _mm256_castsi128_si256(_mm_cvtsi32_si128((int)state))));
    __m512i words;
    if (fold->reflected) {
        words = _mm512_permutexvar_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
                                         _mm512_castsi256_si512(half));
    } else {
        half =
            _mm256_shuffle_epi8(half, _mm256_broadcastsi128_si256(_mm_set_epi8(
                                          8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
        words = _mm512_permutexvar_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
                                         _mm512_castsi256_si512(half));
    }
    __m512i sum = _mm512_clmulepi64_epi128(words, _mm512_load_si512(fold->spread), 0x00);
    return fold_leave(fold, chunk_reduce(fold, sum), state, size);
}

FLSI_ALWAYS_INLINE uint32_t crc_clmul512(const struct flsi_fold *fold, uint32_t crc,
                                         const uint8_t *at, size_t size)
{
    uint32_t state = fold_enter(fold, crc);
    if (size <= 32) {
        return crc_upto32(fold, state, at, size);
    }
    size_t head = (size - 1) % CHUNK + 1;
    size_t chunks = (size - 1) / CHUNK;
    __mmask64 mask = UINT64_MAX << (CHUNK - head);
    __m512i start = _mm512_castsi128_si512(_mm_cvtsi32_si128((int)state));
    __m512i chunk = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, BEFORE(at + head, CHUNK)),
                                     _mm512_maskz_expand_epi8(mask, start));
    chunk = chunk_order(fold, chunk);
    at += head;
    __m512i sum = _mm512_setzero_si512();
    if (chunks < NEAR_CHUNKS) {
        const uint64_t *by = fold->near[FLSI_NEAR_BLOCKS - 4 - 4 * chunks];
        sum = chunk_fold(sum, chunk, _mm512_load_si512(by));
        if (chunks != 0 && head < 4) {
            chunk = _mm512_xor_si512(
                _mm512_loadu_si512(at),
                _mm512_castsi128_si512(_mm_cvtsi32_si128((int)(state >> (8 * head)))));
            at += CHUNK;
            by += 8;
            chunks--;
            sum = chunk_fold(sum, chunk_order(fold, chunk), _mm512_load_si512(by));
        }
        for (; chunks > 0; chunks--) {
            by += 8;
            sum = chunk_fold(sum, chunk_load(fold, at), _mm512_load_si512(by));
            at += CHUNK;
        }
    } else {
        __m512i by = _mm512_broadcast_i32x4(fold_constant(fold->by_2048));
        __m512i a = chunk;
        __m512i b = _mm512_loadu_si512(at);
        if (head < 4) {
            b = _mm512_xor_si512(
                b, _mm512_castsi128_si512(_mm_cvtsi32_si128((int)(state >> (8 * head)))));
        }
        b = chunk_order(fold, b);
        __m512i c = chunk_load(fold, at + CHUNK);
        __m512i d = chunk_load(fold, at + 2 * CHUNK);
        at += 3 * CHUNK;
        for (chunks -= 3; chunks >= 4; chunks -= 4) {
            a = chunk_fold(chunk_load(fold, at), a, by);
            b = chunk_fold(chunk_load(fold, at + CHUNK), b, by);
            c = chunk_fold(chunk_load(fold, at + 2 * CHUNK), c, by);
            d = chunk_fold(chunk_load(fold, at + 3 * CHUNK), d, by);
            at += 4 * CHUNK;
        }
        sum = chunk_near(fold, sum, a, chunks + 3);
        sum = chunk_near(fold, sum, b, chunks + 2);
        sum = chunk_near(fold, sum, c, chunks + 1);
        sum = chunk_near(fold, sum, d, chunks);
        for (; chunks > 0; chunks--) {
            sum = chunk_near(fold, sum, chunk_load(fold, at), chunks - 1);
            at += CHUNK;
        }
    }
    return fold_leave(fold, chunk_reduce(fold, sum), state, size);
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
