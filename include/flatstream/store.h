/* Stores of integers as they stand on the wire: little-endian, at any alignment. One instruction
 * each where the machine has it. */
#ifndef FLATSTREAM_STORE_H
#define FLATSTREAM_STORE_H

#include <stdint.h>
#include <string.h>

#include "flatstream/export.h"

FLS_BEGIN_DECLS

/* Compilers know that these are one store only late, after they have chosen what to inline. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FLS_STORE(to, value) memcpy(to, &(value), sizeof(value))
#else
#define FLS_STORE(to, value)                                            \
    do {                                                                \
        for (unsigned fls_i = 0; fls_i < sizeof(value); fls_i++) {      \
            ((uint8_t *)(to))[fls_i] = (uint8_t)((value) >> 8 * fls_i); \
        }                                                               \
    } while (0)
#endif

FLS_API inline void fls_store_u16(void *to, uint16_t value)
{
    FLS_STORE(to, value);
}

FLS_API inline void fls_store_u32(void *to, uint32_t value)
{
    FLS_STORE(to, value);
}

FLS_API inline void fls_store_u64(void *to, uint64_t value)
{
    FLS_STORE(to, value);
}

#undef FLS_STORE

FLS_END_DECLS

#endif
