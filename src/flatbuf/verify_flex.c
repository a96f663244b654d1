/* Whether bytes are a sound FlexBuffer: the verdict of the official verifier (2.0.8), which
 * generated code runs on fields with the attribute `flexbuffer`.
 *
 * A FlexBuffer is read from its end: the last byte is the width of the root value, the one before
 * its packed type, and before that stands the value. A packed type is type << 2 | log2(width). A
 * value that is not inline is a distance back to what it refers to. With positions counted from the
 * first byte, sound if and only if:
 *
 * 1. There are at least 3 bytes; the root's width is 1, 2, 4 or 8, and so many bytes stand before
 * its type.
 * 2. A type is one of those below. What is referred to lies at or behind the first byte, aligned to
 *    its width.
 * 3. A vector's length stands before its elements; they lie within the buffer. Those of an untyped
 *    vector or a map are followed by one type each and are sound themselves.
 * 4. A map has keys: a vector of keys, to which a distance and a width stand before its length.
 * 5. A string has one byte behind its last. A key has a byte that is not zero somewhere between its
 *    first and the end of the buffer (so the official one says).
 * 6. Vectors nest at most 64 deep, and at most as many are met as the buffer has bytes.
 */
#include "flatbuf/verify_private.h"

enum flex_type {
    FLEX_NULL = 0,
    FLEX_FLOAT = 3, /* up to here inline */
    FLEX_KEY = 4,
    FLEX_STRING = 5,
    FLEX_INDIRECT_INT = 6,
    FLEX_INDIRECT_FLOAT = 8,
    FLEX_MAP = 9,
    FLEX_VECTOR = 10,
    FLEX_VECTOR_INT = 11,
    FLEX_VECTOR_FLOAT = 13,
    FLEX_VECTOR_KEY = 14,
    FLEX_VECTOR_STRING = 15, /* deprecated: a vector of keys in fact */
    FLEX_VECTOR_INT2 = 16,   /* vectors of fixed length: three types of 2, of 3 and of 4 */
    FLEX_VECTOR_FLOAT4 = 24,
    FLEX_BLOB = 25,
    FLEX_BOOL = 26, /* inline */
    FLEX_VECTOR_BOOL = 36
};

#define FLEX_MAX_DEPTH 64u

typedef struct flex {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t vectors;
    uint32_t depth;
    uint64_t apparent_left;
    fls_rule rule; /* that was broken, if one was */
} flex;

/* A value: where it stands, how wide it is there, and its type and width. */
typedef struct flex_value {
    uint64_t at;
    uint32_t parent_width;
    uint32_t width;
    uint32_t type;
} flex_value;

static int check_value(flex *f, flex_value value);

static int flex_within(const flex *f, uint64_t at, uint64_t bytes)
{
    return bytes < f->size && at <= f->size - bytes;
}

static int is_width(uint64_t width)
{
    return width == 1 || width == 2 || width == 4 || width == 8;
}

static uint64_t flex_load(const flex *f, uint64_t at, uint32_t width)
{
    return flsi_load_le_width(f->bytes + at, width);
}

static int flex_visit(flex *f, uint64_t bytes)
{
    if (bytes > f->apparent_left) {
        f->rule = FLS_RULE_APPARENT_SIZE;
        return 0;
    }
    f->apparent_left -= bytes;
    return 1;
}

static int check_key(flex *f, uint64_t at)
{
    uint64_t from = at;
    while (at < f->size && f->bytes[at] == 0) {
        at++;
    }
    return flex_visit(f, at - from) && at < f->size;
}

/* Elements with a type of their own, behind them. */
static int check_any(flex *f, uint64_t at, uint64_t count, uint32_t width)
{
    uint64_t types = at + count * width;
    if (!flex_within(f, types, count) || !flex_visit(f, count)) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t packed = f->bytes[types + i];
        if (!check_value(f, (flex_value){at + i * width, width, 1u << (packed & 3), packed >> 2})) {
            return 0;
        }
    }
    return 1;
}

static int check_keys(flex *f, uint64_t at, uint64_t count, uint32_t width)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!check_value(f, (flex_value){at + i * width, width, 1, FLEX_KEY})) {
            return 0;
        }
    }
    return 1;
}

/* Rule 3. element_type is FLEX_NULL for any, FLEX_KEY, or FLEX_FLOAT for what is inline. */
static int check_vector(flex *f, uint64_t at, uint32_t type, uint32_t width, uint32_t element_type)
{
    f->depth++;
    f->vectors++;
    if (f->depth > FLEX_MAX_DEPTH || f->vectors > f->size || width > at) {
        return 0;
    }
    uint64_t count = flex_load(f, at - width, width);
    uint32_t element_bytes = type == FLEX_STRING || type == FLEX_BLOB ? 1 : width;
    /* No larger count could pass, and the product must not overflow. */
    if (count >= f->size || !flex_within(f, at, count * element_bytes) ||
        !flex_visit(f, width + count * element_bytes)) {
        return 0;
    }
    int is_sound = 1;
    if (element_type == FLEX_NULL) {
        is_sound = check_any(f, at, count, width);
    } else if (element_type == FLEX_KEY) {
        is_sound = check_keys(f, at, count, element_bytes);
    }
    f->depth--;
    return is_sound;
}

/* Rule 4. */
static int check_map(flex *f, uint64_t at, uint32_t width)
{
    if (!check_vector(f, at, FLEX_MAP, width, FLEX_NULL) || UINT64_C(3) * width > at) {
        return 0;
    }
    uint64_t prefix = at - UINT64_C(3) * width;
    uint64_t distance = flex_load(f, prefix, width);
    uint64_t key_width = flex_load(f, prefix + width, width) & 0xff;
    return distance <= prefix && is_width(key_width) &&
           check_vector(f, prefix - distance, FLEX_VECTOR_KEY, (uint32_t)key_width, FLEX_KEY);
}

static int check_referred(flex *f, const flex_value *value, uint64_t at)
{
    uint32_t type = value->type;
    uint32_t width = value->width;
    switch (type) {
    case FLEX_KEY: return check_key(f, at);
    case FLEX_STRING:
        return check_vector(f, at, type, width, FLEX_FLOAT) &&
               flex_within(f, at, flex_load(f, at - width, width) + 1);
    case FLEX_MAP: return check_map(f, at, width);
    case FLEX_VECTOR: return check_vector(f, at, type, width, FLEX_NULL);
    case FLEX_VECTOR_KEY:
    case FLEX_VECTOR_STRING: return check_vector(f, at, type, width, FLEX_KEY);
    case FLEX_BLOB:
    case FLEX_VECTOR_BOOL: return check_vector(f, at, type, width, FLEX_FLOAT);
    default: break;
    }
    if (type >= FLEX_INDIRECT_INT && type <= FLEX_INDIRECT_FLOAT) {
        return flex_within(f, at, width);
    }
    if (type >= FLEX_VECTOR_INT && type <= FLEX_VECTOR_FLOAT) {
        return check_vector(f, at, type, width, FLEX_FLOAT);
    }
    if (type >= FLEX_VECTOR_INT2 && type <= FLEX_VECTOR_FLOAT4) {
        uint64_t count = (type - FLEX_VECTOR_INT2) / 3 + 2;
        return flex_within(f, at, count * width);
    }
    return 0;
}

/* Rule 2. The value's own bytes were found to lie in the buffer. */
static int check_value(flex *f, flex_value value)
{
    if (value.type <= FLEX_FLOAT || value.type == FLEX_BOOL) {
        return 1;
    }
    uint64_t distance = flex_load(f, value.at, value.parent_width);
    if (value.type > FLEX_VECTOR_BOOL || distance > value.at) {
        return 0;
    }
    uint64_t at = value.at - distance;
    return at % value.width == 0 && check_referred(f, &value, at);
}

static int check_root(flex *f)
{
    if (f->size < 3) {
        return 0;
    }
    uint32_t width = f->bytes[f->size - 1];
    uint32_t packed = f->bytes[f->size - 2];
    if (!is_width(width) || f->size - 2 < width) {
        return 0;
    }
    return check_value(f,
                       (flex_value){f->size - 2 - width, width, 1u << (packed & 3), packed >> 2});
}

int flsi_verify_flex(const uint8_t *bytes, uint64_t size, uint64_t *apparent_left, fls_rule *rule)
{
    flex f = {bytes, size, 0, 0, *apparent_left, FLS_RULE_NESTED};
    int is_sound = check_root(&f);
    *apparent_left = f.apparent_left;
    *rule = f.rule;
    return is_sound;
}
