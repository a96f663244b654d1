/* The keys that vectors of tables and structs are sorted by, as FlatBuffers compares them: numbers
 * by value, strings byte by byte. Made to be inlined where vectors are sorted and where they are
 * checked. What is read here has to be sound: built here, or verified.
 */
#ifndef FLSI_FLATBUF_KEY_ORDER_H
#define FLSI_FLATBUF_KEY_ORDER_H

#include "core/bytes.h"
#include "flatbuf/schema_private.h"

typedef struct flsi_key {
    uint64_t bits;       /* of a scalar, as it is stored: what lies above it does not count */
    const uint8_t *text; /* of a string; NULL: none, which comes first with the empty ones */
    size_t length;
} flsi_key;

/* Where the value of a table or struct's field stands, or NULL when its table does not have it. */
static inline const uint8_t *flsi_key_place(const flsi_field *field, int is_struct,
                                            const uint8_t *object)
{
    if (is_struct) {
        return object + field->place;
    }
    const uint8_t *vtable = object - (int32_t)flsi_load_le32(object);
    uint16_t offset =
        field->place < flsi_load_le16(vtable) ? flsi_load_le16(vtable + field->place) : 0;
    return offset != 0 ? object + offset : NULL;
}

/* The key of a table or struct; field is the one that its object has as key. */
static inline flsi_key flsi_key_load(const flsi_field *field, int is_struct, const uint8_t *object)
{
    flsi_key key = {field->default_bits, NULL, 0};
    const uint8_t *at = flsi_key_place(field, is_struct, object);
    if (at != NULL && field->kind == FLSI_STRING) {
        const uint8_t *string = at + flsi_load_le32(at);
        key.text = string + 4;
        key.length = flsi_load_le32(string);
    } else if (at != NULL) {
        key.bits = flsi_load_le_width(at, field->bytes);
    }
    return key;
}

static inline double flsi_key_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float flsi_key_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

/* Whether a stands before b for certain: nothing does of what is equal, or not a number. */
static inline int flsi_key_is_before(const flsi_field *field, const flsi_key *a, const flsi_key *b)
{
    if (field->kind == FLSI_STRING) {
        size_t least = a->length < b->length ? a->length : b->length;
        int order = least > 0 ? memcmp(a->text, b->text, least) : 0;
        return order < 0 || (order == 0 && a->length < b->length);
    }
    switch ((fls_type)field->type) {
    case FLS_TYPE_I8: return (int8_t)a->bits < (int8_t)b->bits;
    case FLS_TYPE_I16: return (int16_t)a->bits < (int16_t)b->bits;
    case FLS_TYPE_I32: return (int32_t)a->bits < (int32_t)b->bits;
    case FLS_TYPE_I64: return (int64_t)a->bits < (int64_t)b->bits;
    case FLS_TYPE_F32: return flsi_key_float(a->bits) < flsi_key_float(b->bits);
    case FLS_TYPE_F64: return flsi_key_double(a->bits) < flsi_key_double(b->bits);
    default: return a->bits < b->bits;
    }
}

#endif
