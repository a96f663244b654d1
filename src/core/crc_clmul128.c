/* CRC-16 and CRC-32 by carry-less multiplication of blocks of 16 bytes (PCLMULQDQ, SSSE3 and
 * SSE4.1). crc_fold.h explains the method.
 */
#include "core/crc.h"

#include "core/cpu.h"
#ifdef FLSI_X86_KERNELS
#include "core/crc_fold.h"

#define BLOCK ((ptrdiff_t)16)
/* From here on four independent sums hide the multiplier's latency; below, multiplying each block
 * by its own constant does, and takes fewer steps. */
#define FOUR_SUMS 256

FLSI_ALWAYS_INLINE __m128i block_raw(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

FLSI_ALWAYS_INLINE __m128i block_order(const struct flsi_fold *fold, __m128i block)
{
    if (fold->reflected) {
        return block;
    }
    return _mm_shuffle_epi8(block, _mm_set_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F));
}

FLSI_ALWAYS_INLINE __m128i block_load(const struct flsi_fold *fold, const uint8_t *at)
{
    return block_order(fold, block_raw(at));
}

FLSI_ALWAYS_INLINE __m128i block_fold(__m128i sum, __m128i block, __m128i by)
{
    sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x00));
    return _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x11));
}

/* Adds a block that begins `before` bytes before the end of the message, a multiple of 16. */
FLSI_ALWAYS_INLINE __m128i block_near(const struct flsi_fold *fold, __m128i sum, __m128i block,
                                      ptrdiff_t before)
{
    const uint8_t *end = (const uint8_t *)fold->near + sizeof fold->near;
    return block_fold(sum, block, _mm_load_si128((const __m128i *)(const void *)(end - before)));
}

/* Adds the last block and takes the last step. The second word of that block is H without
 * multiplication. */
FLSI_ALWAYS_INLINE uint32_t block_last(const struct flsi_fold *fold, __m128i sum, __m128i block)
{
    __m128i by = flsi_fold_pair(fold->near[FLSI_NEAR_BLOCKS - 1]);
    if (fold->reflected) {
        sum = _mm_xor_si128(sum, _mm_srli_si128(block, 8));
        sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x00));
    } else {
        sum = _mm_xor_si128(sum, _mm_slli_si128(block, 8));
        sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x11));
    }
    return flsi_fold_reduce(fold, sum);
}

/* A number of bits for the vector shifts, which shift everything out when it is 64 or more. */
FLSI_ALWAYS_INLINE __m128i bits_of(size_t bytes)
{
    return _mm_cvtsi32_si128((int)(8 * bytes));
}

FLSI_ALWAYS_INLINE uint32_t crc_upto7(const struct flsi_fold *fold, uint32_t state,
                                      const uint8_t *data, size_t size)
{
    if (size == 0) {
        return flsi_fold_leave(fold, 0, state, size);
    }
    uint64_t word;
    if (size >= 4) {
        word = (uint64_t)flsi_load_le32(data + size - 4) << (8 * (size - 4));
        word |= flsi_load_le32(data);
    } else {
        word = data[0];
        word |= (uint64_t)data[size / 2] << (8 * (size / 2));
        word |= (uint64_t)data[size - 1] << (8 * (size - 1));
    }
    word = (word ^ state) << (64 - 8 * size);
    __m128i sum = block_order(fold, _mm_cvtsi64_si128((int64_t)word));
    return flsi_fold_leave(fold, flsi_fold_reduce(fold, sum), state, size);
}

/* 8 to 16 bytes: the last eight are the second word, the others, after zeros, the first. */
FLSI_ALWAYS_INLINE uint32_t crc_upto16(const struct flsi_fold *fold, uint32_t state,
                                       const uint8_t *data, size_t size)
{
    __m128i start = _mm_cvtsi32_si128((int)state);
    __m128i first = _mm_xor_si128(_mm_loadl_epi64((const __m128i *)(const void *)data), start);
    __m128i second = _mm_loadl_epi64((const __m128i *)(const void *)(data + size - 8));
    first = _mm_sll_epi64(first, bits_of(16 - size));
    second = _mm_xor_si128(second, _mm_srl_epi64(start, bits_of(size - 8)));
    __m128i block = block_order(fold, _mm_unpacklo_epi64(first, second));
    return flsi_fold_leave(fold, block_last(fold, _mm_setzero_si128(), block), state, size);
}

/* The 16 bytes at to_end + n, as a shuffle, move the first n bytes of a block to its end and zero
 * the others. */
static const uint8_t to_end[32] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
};

FLSI_ALWAYS_INLINE uint32_t crc_clmul128(const struct flsi_fold *fold, uint32_t crc,
                                         const uint8_t *data, size_t size)
{
    uint32_t state = flsi_fold_enter(fold, crc);
    if (size < 8) {
        return crc_upto7(fold, state, data, size);
    }
    if (size <= BLOCK) {
        return crc_upto16(fold, state, data, size);
    }
    /* The first block has `head` bytes, 1 to 16; `left` bytes, whole blocks, are to be added. */
    const uint8_t *end = data + size;
    ptrdiff_t left = (ptrdiff_t)((size - 1) & ~(size_t)15);
    size_t head = size - (size_t)left;
    __m128i start = _mm_cvtsi32_si128((int)state);
    __m128i first =
        _mm_shuffle_epi8(_mm_xor_si128(block_raw(data), start), block_raw(to_end + head));
    __m128i second = _mm_xor_si128(block_raw(end - left), _mm_srl_epi64(start, bits_of(head)));
    first = block_order(fold, first);
    second = block_order(fold, second);
    __m128i sum = _mm_setzero_si128();
    __m128i last;
    if (left >= FOUR_SUMS) {
        __m128i by = flsi_fold_pair(fold->by_512);
        __m128i third = block_load(fold, end - left + BLOCK);
        last = block_load(fold, end - left + 2 * BLOCK);
        for (left -= 3 * BLOCK; left >= 4 * BLOCK; left -= 4 * BLOCK) {
            const uint8_t *at = end - left;
            first = block_fold(block_load(fold, at), first, by);
            second = block_fold(block_load(fold, at + BLOCK), second, by);
            third = block_fold(block_load(fold, at + 2 * BLOCK), third, by);
            last = block_fold(block_load(fold, at + 3 * BLOCK), last, by);
        }
        sum = block_near(fold, sum, first, left + 4 * BLOCK);
        sum = block_near(fold, sum, second, left + 3 * BLOCK);
        sum = block_near(fold, sum, third, left + 2 * BLOCK);
    } else {
        sum = block_near(fold, sum, first, left + BLOCK);
        last = second;
        left -= BLOCK;
    }
    if (left > 0) {
        sum = block_near(fold, sum, last, left + BLOCK);
        for (; left > BLOCK; left -= BLOCK) {
            sum = block_near(fold, sum, block_load(fold, end - left), left);
        }
        last = block_load(fold, end - BLOCK);
    }
    return flsi_fold_leave(fold, block_last(fold, sum, last), state, size);
}

uint16_t flsi_crc16_clmul128(uint16_t crc, const void *data, size_t size)
{
    return (uint16_t)crc_clmul128(&flsi_fold16, crc, data, size);
}

uint32_t flsi_crc32_clmul128(uint32_t crc, const void *data, size_t size)
{
    return crc_clmul128(&flsi_fold32, crc, data, size);
}

#endif
