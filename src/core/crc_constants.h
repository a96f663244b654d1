/* The constants of the carry-less kernels for both CRCs; crc_fold.h says what they are for and how
 * messages lie in registers. P is the polynomial, w its degree: 16 or 32. The unit test computes
 * every constant from P.
 */
#ifndef FLSI_CORE_CRC_CONSTANTS_H
#define FLSI_CORE_CRC_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

#define FLSI_NEAR_BLOCKS 32 /* blocks of 16 bytes, 512 bytes in all */

/* All pairs are in the order of the register: [0] is the low word. */
struct flsi_fold {
    /* Multipliers of the last 32 blocks of a message: of the word with n bits after it, x^(n + w)
     * mod P. For CRC-32 x^(n + 31) mod P, reflected, in the low half: the product with a reflected
     * word is that part of T * x^32. For CRC-16 shifted left by 48: part of T * x^48. */
    _Alignas(64) uint64_t near[FLSI_NEAR_BLOCKS][2];
    /* The multipliers of the last four words, each in the low word of a block of its own. */
    _Alignas(64) uint64_t spread[4][2];
    /* What moves a block 512 or 2048 bits on: x^n mod P for the word that comes second, x^(n + 64)
     * for the first. For CRC-32 one power less, reflected, in the high half. */
    _Alignas(16) uint64_t by_512[2];
    uint64_t by_2048[2];
    /* CRC-32: floor(x^95 / P) and P, both reflected (64 and 33 bits). CRC-16: floor(x^80 / P)
     * without its leading x^64, and P without its leading x^16, shifted left by 48. */
    uint64_t barrett[2];
    /* CRC-32: bits and bytes of the message are taken least significant first. */
    bool reflected;
};

/* first and second: the multipliers of a block's words in the order of the message. */
#define FLSI_NEAR32(first, second) \
    {                              \
        first, second              \
    }
#define FLSI_NEAR16(first, second)                        \
    {                                                     \
        (uint64_t)(second) << 48, (uint64_t)(first) << 48 \
    }

/* P: x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1 */
static const struct flsi_fold flsi_fold32 = {
    .near =
        {
            FLSI_NEAR32(0x0C30F51D, 0x398E2FF2), FLSI_NEAR32(0x145575D5, 0xC2DCC467),
            FLSI_NEAR32(0x9EE62949, 0x9FB66BD3), FLSI_NEAR32(0x6D40F445, 0xAD0D2BB2),
            FLSI_NEAR32(0xCD669A40, 0xEFF5E99D), FLSI_NEAR32(0xF9D9C7EE, 0x4B700AA8),
            FLSI_NEAR32(0xEEA395C4, 0x8B8D8645), FLSI_NEAR32(0x4470AC44, 0x2CE423F1),
            FLSI_NEAR32(0xD31343EA, 0x7EAED122), FLSI_NEAR32(0x9B9BDBD0, 0xC51B93E3),
            FLSI_NEAR32(0xF183C71B, 0x76278617), FLSI_NEAR32(0x1C63267B, 0x0E9BD5CC),
            FLSI_NEAR32(0xCEC97417, 0x32B0733C), FLSI_NEAR32(0xFF6F2FC2, 0x2C538639),
            FLSI_NEAR32(0x71D54A59, 0xA749E894), FLSI_NEAR32(0xB918A347, 0xCE3371CB),
            FLSI_NEAR32(0xE95C1271, 0x0077F00D), FLSI_NEAR32(0x1F0C2CDD, 0x4A28BD43),
            FLSI_NEAR32(0xFE807BBD, 0x682BDD4F), FLSI_NEAR32(0x3C656CED, 0x596C8D81),
            FLSI_NEAR32(0xF5E48C85, 0x5A1BB05D), FLSI_NEAR32(0xD1DF2327, 0xE3543BE0),
            FLSI_NEAR32(0x9026D5B1, 0x26B70C3D), FLSI_NEAR32(0x3F41287A, 0x33FFF533),
            FLSI_NEAR32(0x910EEEC1, 0x31F8303F), FLSI_NEAR32(0x0CBEC0ED, 0xDF068DC2),
            FLSI_NEAR32(0x57C54819, 0x1C279815), FLSI_NEAR32(0xAE0B5394, 0x8F352D95),
            FLSI_NEAR32(0x1D9513D7, 0x3DB1ECDC), FLSI_NEAR32(0xAF449247, 0xF1DA05AA),
            FLSI_NEAR32(0x81256527, 0xAE689191), FLSI_NEAR32(0xCCAA009E, 0x00000001),
        },
    .spread = {{0x81256527}, {0xAE689191}, {0xCCAA009E}, {0x00000001}},
    .by_512 = {0x653D982200000000, 0xCAD38E8F00000000},
    .by_2048 = {0x7CC8E1E700000000, 0x03F9F86300000000},
    .barrett = {0xB4E5B025F7011641, 0x1DB710641},
    .reflected = true,
};

/* P: x^16 + x^12 + x^5 + 1 */
static const struct flsi_fold flsi_fold16 = {
    .near =
        {
            FLSI_NEAR16(0x038A, 0xABEB), FLSI_NEAR16(0xCBC0, 0x80AA), FLSI_NEAR16(0xA759, 0x2F1E),
            FLSI_NEAR16(0xAE4D, 0x80EB), FLSI_NEAR16(0xDF9A, 0xA6B9), FLSI_NEAR16(0xAF8C, 0x0235),
            FLSI_NEAR16(0x79B7, 0x6CC8), FLSI_NEAR16(0xBBBA, 0xBFE4), FLSI_NEAR16(0xA6E6, 0xFD42),
            FLSI_NEAR16(0x0945, 0xBBFB), FLSI_NEAR16(0xC727, 0x2F41), FLSI_NEAR16(0xFC83, 0x8B9B),
            FLSI_NEAR16(0x1DD6, 0x0D56), FLSI_NEAR16(0x3B77, 0x4152), FLSI_NEAR16(0x54CA, 0x8C5C),
            FLSI_NEAR16(0xBFA9, 0x3F68), FLSI_NEAR16(0x2093, 0x86C9), FLSI_NEAR16(0x799A, 0x8FC9),
            FLSI_NEAR16(0xE599, 0x0284), FLSI_NEAR16(0x413D, 0xB353), FLSI_NEAR16(0xC6D5, 0x6493),
            FLSI_NEAR16(0x865A, 0x3F07), FLSI_NEAR16(0xC70A, 0xCC40), FLSI_NEAR16(0xA2A0, 0x36FB),
            FLSI_NEAR16(0xFA0D, 0x4347), FLSI_NEAR16(0xF4E7, 0x9E3A), FLSI_NEAR16(0x15B7, 0x9C1A),
            FLSI_NEAR16(0x8420, 0x78B3), FLSI_NEAR16(0x9FE5, 0xBD64), FLSI_NEAR16(0xB8E0, 0x8DDC),
            FLSI_NEAR16(0x45B4, 0x10E2), FLSI_NEAR16(0xEB23, 0x1021),
        },
    .spread = {{0x45B4000000000000},
               {0x10E2000000000000},
               {0xEB23000000000000},
               {0x1021000000000000}},
    .by_512 = {0x13FC, 0x8832},
    .by_2048 = {0xFD50, 0xF17E},
    .barrett = {0x11303471A041B343, 0x1021000000000000},
    .reflected = false,
};

#endif
