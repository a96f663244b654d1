/* XXH3-64 with seed 0. The algorithm is xxHash's (doc/xxhash_spec.md there), and so is the code
 * that is called for most sizes; only messages of 17 to 128 bytes, the most frequent ones, are
 * hashed by code of our own, which is inlined in the loops that frame and check them.
 */
#ifndef FLSI_CORE_XXH3_H
#define FLSI_CORE_XXH3_H

#include "core/bytes.h"

/* More than these go to a kernel for the CPU's vectors. */
#define FLSI_XXH3_SHORT_BYTES 240u

/* Any size, with the vectors of the target's baseline: SSE2, NEON, VSX or none. */
uint64_t flsi_xxh3_baseline(const void *data, size_t size);
const char *flsi_xxh3_baseline_name(void);
uint64_t flsi_xxh3_avx2(const void *data, size_t size);
uint64_t flsi_xxh3_avx512(const void *data, size_t size);

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 flsi_u128;

/* The first 128 bytes of the default secret, as little-endian integers. */
static const uint64_t flsi_xxh3_secret[16] = {
    UINT64_C(0xbe4ba423396cfeb8), UINT64_C(0x1cad21f72c81017c), UINT64_C(0xdb979083e96dd4de),
    UINT64_C(0x1f67b3b7a4a44072), UINT64_C(0x78e5c0cc4ee679cb), UINT64_C(0x2172ffcc7dd05a82),
    UINT64_C(0x8e2443f7744608b8), UINT64_C(0x4c263a81e69035e0), UINT64_C(0xcb00c391bb52283c),
    UINT64_C(0xa32e531b8b65d088), UINT64_C(0x4ef90da297486471), UINT64_C(0xd8acdea946ef1938),
    UINT64_C(0x3f349ce33f76faa8), UINT64_C(0x1d4f0bc7c7bbdcf9), UINT64_C(0x3159b4cd4be0518a),
    UINT64_C(0x647378d9c97e9fc8),
};

/* The two halves of a 128-bit product, one XORed into the other. */
FLSI_ALWAYS_INLINE uint64_t flsi_xxh3_fold(uint64_t a, uint64_t b)
{
#if defined(__x86_64__) && defined(__GNUC__)
    /* gcc 12 keeps the halves of an unsigned __int128 in memory here. */
    uint64_t high;
    __asm__("mulq %3" : "=a"(a), "=d"(high) : "%0"(a), "r"(b) : "cc");
    return a ^ high;
#else
    flsi_u128 product = (flsi_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#endif
}

FLSI_ALWAYS_INLINE uint64_t flsi_xxh3_mix(const uint8_t *data, size_t secret)
{
    return flsi_xxh3_fold(flsi_load_le64(data) ^ flsi_xxh3_secret[secret],
                          flsi_load_le64(data + 8) ^ flsi_xxh3_secret[secret + 1]);
}

/* 17 to 128 bytes: pieces of 16 from both ends inwards, each with its own part of the secret. */
FLSI_ALWAYS_INLINE uint64_t flsi_xxh3_17to128(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    uint64_t sum = size * UINT64_C(0x9E3779B185EBCA87);
    if (size > 32) {
        if (size > 64) {
            if (size > 96) {
                sum += flsi_xxh3_mix(data + 48, 12);
                sum += flsi_xxh3_mix(end - 64, 14);
            }
            sum += flsi_xxh3_mix(data + 32, 8);
            sum += flsi_xxh3_mix(end - 48, 10);
        }
        sum += flsi_xxh3_mix(data + 16, 4);
        sum += flsi_xxh3_mix(end - 32, 6);
    }
    sum += flsi_xxh3_mix(data, 0);
    sum += flsi_xxh3_mix(end - 16, 2);
    sum = (sum ^ (sum >> 37)) * UINT64_C(0x165667919E3779F9);
    return sum ^ (sum >> 32);
}
#endif

#endif
