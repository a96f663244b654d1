/* CRC-16 and CRC-32 by carry-less multiplication, a block of 16 bytes at a time (PCLMULQDQ). */
#include "core/crc.h"

#include "core/cpu.h"
#ifdef FLSI_X86_KERNELS
#include "core/crc_fold.h"

#define BLOCK 16u

FLSI_ALWAYS_INLINE __m128i block_order(const struct flsi_fold *fold, __m128i block)
{
    if (fold->reflected) {
        return block;
    }
    return _mm_shuffle_epi8(block,
                            _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

FLSI_ALWAYS_INLINE __m128i block_raw(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
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

/* The last block: as block_fold, but its second word stands where its product would. */
FLSI_ALWAYS_INLINE __m128i block_last(const struct flsi_fold *fold, __m128i sum, __m128i block)
{
    __m128i by = fold_constant(fold->near[FLSI_NEAR_BLOCKS - 1]);
    if (fold->reflected) {
        sum = _mm_xor_si128(sum, _mm_srli_si128(block, 8));
        return _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x00));
    }
    sum = _mm_xor_si128(sum, _mm_slli_si128(block, 8));
    return _mm_xor_si128(sum, _mm_clmulepi64_si128(block, by, 0x11));
}

/* Messages of at most a block. */
FLSI_ALWAYS_INLINE uint32_t crc_upto16(const struct flsi_fold *fold, uint32_t state,
                                       const uint8_t *data, size_t size)
{
    __m128i sum;
    if (size >= 8) {
        uint64_t first = flsi_load_le64(data) ^ state;
        uint64_t second = flsi_load_le64(data + size - 8);
        if (size < 12) {
            second ^= size == 8 ? state : (uint64_t)state >> (8 * (size - 8));
            first = size == 8 ? 0 : first;
        }
        first <<= 8 * (16 - size) & 63;
        sum = block_last(fold, _mm_setzero_si128(),
                         block_order(fold, _mm_set_epi64x((int64_t)second, (int64_t)first)));
    } else {
        uint64_t word;
        if (size >= 4) {
            word = (uint64_t)flsi_load_le32(data + size - 4) << (8 * (size - 4));
            word |= flsi_load_le32(data);
            word = (word ^ state) << (64 - 8 * size);
        } else if (size > 0) {
            word = data[0];
            word |= (uint64_t)data[size >> 1] << (8 * (size >> 1));
            word |= (uint64_t)data[size - 1] << (8 * (size - 1));
            word = (word ^ state) << (64 - 8 * size);
        } else {
            word = 0;
        }
        if (fold->reflected) {
            sum = _mm_set_epi64x(0, (int64_t)word);
        } else {
            sum = block_order(fold, _mm_set_epi64x(0, (int64_t)word));
        }
    }
    return fold_leave(fold, fold_reduce(fold, sum), state, size);
}

/* shift[16 - n]: the first n bytes of a block moved to its end, zeros before them. */
static const uint8_t to_end[32] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
};

FLSI_ALWAYS_INLINE uint32_t crc_clmul128(const struct flsi_fold *fold, uint32_t crc,
                                         const uint8_t *at, size_t size)
{
    uint32_t state = fold_enter(fold, crc);
    if (size <= BLOCK) {
        return crc_upto16(fold, state, at, size);
    }
    size_t head = (size - 1) % BLOCK + 1;
    size_t blocks = (size - 1) / BLOCK;
    __m128i start = _mm_cvtsi32_si128((int)state);
    __m128i block = _mm_shuffle_epi8(_mm_xor_si128(block_raw(at), start), block_raw(to_end + head));
    block = block_order(fold, block);
    at += head;
    __m128i next = block_raw(at);
    next = _mm_xor_si128(next, _mm_srl_epi64(start, _mm_cvtsi32_si128((int)(8 * head))));
    next = block_order(fold, next);
    at += BLOCK;
    const uint64_t(*by)[2];
    __m128i sum = _mm_setzero_si128();
    if (blocks < 16) {
        by = &fold->near[FLSI_NEAR_BLOCKS - 1 - blocks];
        sum = block_fold(sum, block, fold_constant(*by++));
    } else {
        __m128i by512 = fold_constant(fold->by_512);
        __m128i b = next;
        __m128i c = block_load(fold, at);
        next = block_load(fold, at + BLOCK);
        at += 2 * BLOCK;
        for (blocks -= 3; blocks >= 4; blocks -= 4) {
            block = block_fold(block_load(fold, at), block, by512);
            b = block_fold(block_load(fold, at + BLOCK), b, by512);
            c = block_fold(block_load(fold, at + 2 * BLOCK), c, by512);
            next = block_fold(block_load(fold, at + 3 * BLOCK), next, by512);
            at += 4 * BLOCK;
        }
        by = &fold->near[FLSI_NEAR_BLOCKS - 1 - blocks - 3];
        sum = block_fold(sum, block, fold_constant(*by++));
        sum = block_fold(sum, b, fold_constant(*by++));
        sum = block_fold(sum, c, fold_constant(*by++));
        blocks++;
    }
    for (; blocks > 1; blocks--) {
        sum = block_fold(sum, next, fold_constant(*by++));
        next = block_load(fold, at);
        at += BLOCK;
    }
    return fold_leave(fold, fold_reduce(fold, block_last(fold, sum, next)), state, size);
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
