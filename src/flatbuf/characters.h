/* Characters of names, numbers and strings: ASCII's, and UTF-8. */
#ifndef FLSI_FLATBUF_CHARACTERS_H
#define FLSI_FLATBUF_CHARACTERS_H

#include "core/bytes.h"

/* What a name may begin with. */
FLSI_ALWAYS_INLINE int flsi_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

FLSI_ALWAYS_INLINE int flsi_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The value of a hexadecimal digit, or -1. */
static inline int flsi_hex_digit(char c)
{
    if (flsi_is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

FLSI_ALWAYS_INLINE int flsi_is_utf8_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The bytes, 2 to 4, of the well-formed character that is not ASCII and stands at `at`, or 0; never
 * more than `left`, which is at least 1. No overlong forms, no surrogates, nothing above U+10FFFF
 * (The Unicode Standard, table 3-7). A byte is read only where those before it may have it. */
static inline uint32_t flsi_utf8_bytes(const uint8_t *at, uint64_t left)
{
    uint8_t first = at[0];
    uint8_t least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0xC2 || first > 0xF4 || left < 2 || at[1] < least || at[1] > most) {
        return 0;
    }
    if (first < 0xE0) {
        return 2;
    }
    if (left < 3 || !flsi_is_utf8_tail(at[2])) {
        return 0;
    }
    if (first < 0xF0) {
        return 3;
    }
    return left >= 4 && flsi_is_utf8_tail(at[3]) ? 4 : 0;
}

/* Writes a character; returns its bytes, 1 to 4. */
static inline uint32_t flsi_utf8_put(uint8_t *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

#endif
