/* Scalars: their kinds, their bytes, doubles as bits. */
#ifndef FLSI_FLATBUF_SCALARS_H
#define FLSI_FLATBUF_SCALARS_H

#include "core/bytes.h"
#include "flatstream/schema.h"

FLSI_ALWAYS_INLINE int flsi_is_float(uint32_t type)
{
    return type == FLS_TYPE_F32 || type == FLS_TYPE_F64;
}

FLSI_ALWAYS_INLINE int flsi_is_signed(uint32_t type)
{
    return type == FLS_TYPE_I8 || type == FLS_TYPE_I16 || type == FLS_TYPE_I32 ||
           type == FLS_TYPE_I64;
}

/* A whole number or bool where its bytes stand: sign-extended, a bool as 0 or 1. */
FLSI_ALWAYS_INLINE uint64_t flsi_load_whole(const uint8_t *from, uint32_t type)
{
    switch (type) {
    case FLS_TYPE_BOOL: return *from != 0;
    case FLS_TYPE_I8: return (uint64_t)(int64_t)(int8_t)*from;
    case FLS_TYPE_I16: return (uint64_t)(int64_t)(int16_t)flsi_load_le16(from);
    case FLS_TYPE_U16: return flsi_load_le16(from);
    case FLS_TYPE_I32: return (uint64_t)(int64_t)(int32_t)flsi_load_le32(from);
    case FLS_TYPE_U32: return flsi_load_le32(from);
    case FLS_TYPE_I64:
    case FLS_TYPE_U64: return flsi_load_le64(from);
    default: return *from;
    }
}

FLSI_ALWAYS_INLINE double flsi_of_bits(uint64_t bits)
{
    double value;
    FLSI_COPY(&value, &bits, sizeof value);
    return value;
}

FLSI_ALWAYS_INLINE uint64_t flsi_to_bits(double value)
{
    uint64_t bits;
    FLSI_COPY(&bits, &value, sizeof bits);
    return bits;
}

#endif
