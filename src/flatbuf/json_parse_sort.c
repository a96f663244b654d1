/* Vectors whose tables or structs have a key are sorted by it, as FlatBuffers wants them and flatc
 * makes them: a reader finds elements by halving. Equal keys keep their order (a merge sort from
 * the bottom up, with its second half on the stack).
 */
#include "flatbuf/builder_private.h"
#include "flatbuf/json_parse_private.h"
#include "flatbuf/key_order.h"

typedef struct order {
    const fls_builder *builder;
    const flsi_field *field;
    uint8_t *from;
    uint8_t *to;
    size_t bytes; /* of an element */
    int is_struct;
} order;

static flsi_key key_of(const order *in, const uint8_t *element)
{
    if (in->is_struct) {
        return flsi_key_load(in->field, 1, element);
    }
    fls_ref ref;
    memcpy(&ref, element, sizeof ref);
    return flsi_key_load(in->field, 0, in->builder->end - flsi_ref_position(ref));
}

/* Whether the element b belongs before a. */
static int is_before(const order *in, const uint8_t *b, const uint8_t *a)
{
    flsi_key left = key_of(in, b);
    flsi_key right = key_of(in, a);
    return flsi_key_is_before(in->field, &left, &right);
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
    if (is_sorted(&in, count)) {
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
