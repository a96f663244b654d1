/* Vectors whose tables or structs have a key are sorted by it, as FlatBuffers wants them and flatc
 * makes them: a reader finds elements by halving. Equal keys keep their order (a merge sort from
 * the bottom up, with its second half on the stack).
 */
#include "flatbuf/builder_private.h"
#include "flatbuf/json_parse_private.h"

/* A key to compare: of whole numbers so that unsigned order is theirs. */
typedef struct key {
    uint64_t bits;
    double real;
    const uint8_t *text;
    size_t bytes;
} key;

typedef struct order {
    const fls_builder *builder;
    const flsi_field *field;
    uint8_t *from;
    uint8_t *to;
    size_t bytes; /* of an element */
    int is_struct;
} order;

/* Where the element's key stands, NULL if its table does not have it. */
static const uint8_t *key_place(const order *in, const uint8_t *element)
{
    if (in->is_struct) {
        return element + in->field->place;
    }
    fls_ref ref;
    memcpy(&ref, element, sizeof ref);
    const uint8_t *table = in->builder->end - flsi_ref_position(ref);
    const uint8_t *vtable = table - (int32_t)flsi_load_le32(table);
    uint16_t offset =
        in->field->place < flsi_load_le16(vtable) ? flsi_load_le16(vtable + in->field->place) : 0;
    return offset != 0 ? table + offset : NULL;
}

static uint64_t load_whole(const flsi_field *field, const uint8_t *at)
{
    uint64_t bits = flsi_load_le_width(at, field->bytes);
    switch ((fls_type)field->type) {
    case FLS_TYPE_I8: return (uint64_t)(int8_t)bits;
    case FLS_TYPE_I16: return (uint64_t)(int16_t)bits;
    case FLS_TYPE_I32: return (uint64_t)(int32_t)bits;
    default: return bits;
    }
}

static int is_signed(fls_type type)
{
    return type == FLS_TYPE_I8 || type == FLS_TYPE_I16 || type == FLS_TYPE_I32 ||
           type == FLS_TYPE_I64;
}

static void load_key(const order *in, const uint8_t *element, key *to)
{
    const uint8_t *at = key_place(in, element);
    memset(to, 0, sizeof *to);
    if (in->field->kind == FLSI_STRING) {
        if (at != NULL) {
            const uint8_t *string = at + flsi_load_le32(at);
            to->text = string + 4;
            to->bytes = flsi_load_le32(string);
        }
        return;
    }
    to->bits = at != NULL ? load_whole(in->field, at) : in->field->default_bits;
    if (in->field->type == FLS_TYPE_F64) {
        memcpy(&to->real, &to->bits, sizeof to->real);
    } else if (in->field->type == FLS_TYPE_F32) {
        uint32_t bits = (uint32_t)to->bits;
        float value;
        memcpy(&value, &bits, sizeof value);
        to->real = (double)value;
    } else if (is_signed((fls_type)in->field->type)) {
        to->bits ^= UINT64_C(1) << 63;
    }
}

/* Whether the element b belongs before a. */
static int is_before(const order *in, const uint8_t *b, const uint8_t *a)
{
    key left;
    key right;
    load_key(in, b, &left);
    load_key(in, a, &right);
    if (in->field->kind == FLSI_STRING) {
        size_t common = left.bytes < right.bytes ? left.bytes : right.bytes;
        int compared = common != 0 ? memcmp(left.text, right.text, common) : 0;
        return compared != 0 ? compared < 0 : left.bytes < right.bytes;
    }
    if (in->field->type == FLS_TYPE_F64 || in->field->type == FLS_TYPE_F32) {
        return left.real < right.real;
    }
    return left.bits < right.bits;
}

static int is_sorted(const order *in, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (is_before(in, in->from + i * in->bytes, in->from + (i - 1) * in->bytes)) {
            return 0;
        }
    }
    return 1;
}

/* The sorted runs [start, middle) and [middle, stop) of `from` into one of `to`. */
static void merge(const order *in, size_t start, size_t middle, size_t stop)
{
    size_t bytes = in->bytes;
    const uint8_t *a = in->from + start * bytes;
    const uint8_t *a_end = in->from + middle * bytes;
    const uint8_t *b = a_end;
    const uint8_t *b_end = in->from + stop * bytes;
    for (uint8_t *to = in->to + start * bytes; a < a_end || b < b_end; to += bytes) {
        int takes_b = a == a_end || (b < b_end && is_before(in, b, a));
        memcpy(to, takes_b ? b : a, bytes);
        a += takes_b ? 0 : bytes;
        b += takes_b ? bytes : 0;
    }
}

int flsi_parse_sort(fls_json_parser *p, const flsi_field *vector, size_t place, size_t count,
                    const uint8_t *at)
{
    if (vector->kind == FLSI_STRING_VECTOR || count < 2) {
        return 1;
    }
    const flsi_object *object = &p->schema->objects[vector->object];
    if (object->key == FLS_SCHEMA_NONE) {
        return 1;
    }
    order in = {p->builder,
                &p->schema->fields[object->first_field + object->key],
                p->stack + place,
                NULL,
                vector->element_bytes,
                object->is_struct};
    if ((in.field->kind != FLSI_SCALAR && in.field->kind != FLSI_STRING) || is_sorted(&in, count)) {
        return 1;
    }
    if (!flsi_parse_ensure(p, count * in.bytes, at)) {
        return 0;
    }
    in.from = p->stack + place;
    in.to = p->stack + p->used;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            size_t middle = start + run < count ? start + run : count;
            merge(&in, start, middle, middle + run < count ? middle + run : count);
        }
        uint8_t *sorted = in.to;
        in.to = in.from;
        in.from = sorted;
    }
    if (in.from != p->stack + place) {
        memcpy(p->stack + place, in.from, count * in.bytes);
    }
    return 1;
}
