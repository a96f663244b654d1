/* CRC-16 and CRC-32 by tables, sixteen bytes a step: the kernels of machines without carry-less
 * multiplication, and the ones that the others are tested against.
 *
 * Bytes are taken by value from little-endian words, so the host's byte order does not matter.
 * Lookups of one step are independent of one another; only those of the first bytes wait for the
 * step before.
 */
#include "core/bytes.h"
#include "core/crc.h"
#include "core/crc_tables.h"

/* The part of `word`'s byte i (0 is the first in the message) when 7 - i bytes and the tables' own
 * distance follow. */
#define LOOKUP(tables, word, i) (tables)[7 - (i)][(word) >> (8 * (i)) & 0xFF]
#define LOOKUP8(tables, word)                                                      \
    (LOOKUP(tables, word, 7) ^ LOOKUP(tables, word, 6) ^ LOOKUP(tables, word, 5) ^ \
     LOOKUP(tables, word, 4) ^ LOOKUP(tables, word, 3) ^ LOOKUP(tables, word, 2) ^ \
     LOOKUP(tables, word, 1) ^ LOOKUP(tables, word, 0))

uint32_t flsi_crc32_slice16(uint32_t crc, const void *data, size_t size)
{
    const uint32_t(*tables)[256] = flsi_crc32_slices;
    const uint8_t *at = data;
    crc = ~crc;
    for (; size >= 16; at += 16, size -= 16) {
        uint64_t first = flsi_load_le64(at) ^ crc;
        uint64_t second = flsi_load_le64(at + 8);
        crc = LOOKUP8(tables, second) ^ LOOKUP8(tables + 8, first);
    }
    if (size & 8) {
        uint64_t word = flsi_load_le64(at) ^ crc;
        crc = LOOKUP8(tables, word);
        at += 8;
    }
    if (size & 4) {
        uint32_t word = flsi_load_le32(at) ^ crc;
        crc = tables[3][word & 0xFF] ^ tables[2][word >> 8 & 0xFF] ^ tables[1][word >> 16 & 0xFF] ^
              tables[0][word >> 24];
        at += 4;
    }
    for (size &= 3; size > 0; at++, size--) {
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
    }
    return ~crc;
}

/* The running value as it lies over the next two bytes: its high byte is met first. */
FLSI_ALWAYS_INLINE uint32_t swap16(uint32_t crc)
{
    return (crc >> 8 | crc << 8) & 0xFFFF;
}

uint16_t flsi_crc16_slice16(uint16_t crc, const void *data, size_t size)
{
    const uint16_t(*tables)[256] = flsi_crc16_slices;
    const uint8_t *at = data;
    uint32_t state = crc;
    for (; size >= 16; at += 16, size -= 16) {
        uint64_t first = flsi_load_le64(at) ^ swap16(state);
        uint64_t second = flsi_load_le64(at + 8);
        state = (uint32_t)(LOOKUP8(tables, second) ^ LOOKUP8(tables + 8, first));
    }
    if (size & 8) {
        uint64_t word = flsi_load_le64(at) ^ swap16(state);
        state = (uint32_t)LOOKUP8(tables, word);
        at += 8;
    }
    if (size & 4) {
        uint32_t word = flsi_load_le32(at) ^ swap16(state);
        state = (uint32_t)(tables[3][word & 0xFF] ^ tables[2][word >> 8 & 0xFF] ^
                           tables[1][word >> 16 & 0xFF] ^ tables[0][word >> 24]);
        at += 4;
    }
    for (size &= 3; size > 0; at++, size--) {
        state = (state << 8 & 0xFF00) ^ tables[0][state >> 8 ^ *at];
    }
    return (uint16_t)state;
}
