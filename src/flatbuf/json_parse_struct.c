/* Structs: objects whose members go straight to their place, and arrays of fixed length in them.
 *
 * In strict text every member of a struct has to be there: a struct has no way to say that one is
 * absent. In lenient text those that are not are zero.
 */
#include "flatbuf/json_parse_private.h"

/* Members seen, by id: the first 64 here, all of them on the stack when there are more. */
typedef struct seen {
    uint64_t few;
    size_t many;
} seen;

static const uint8_t *open_struct(fls_json_parser *p, const uint8_t *at, const flsi_object *object)
{
    if (*at != '{') {
        return flsi_parse_unexpected(p, at, "not an object in braces");
    }
    if (++p->struct_depth > FLSI_PARSE_MOST_STRUCTS) {
        return flsi_parse_fail(p, at, "structs nested too deeply");
    }
    if (FLSI_UNLIKELY(object->field_count > 64)) {
        size_t bytes = ((size_t)object->field_count + 7) / 8;
        if (!flsi_parse_ensure(p, bytes, at)) {
            return NULL;
        }
        memset(p->stack + p->used, 0, bytes);
        p->used += bytes;
    }
    return flsi_parse_space(at + 1);
}

static int was_seen(const fls_json_parser *p, const flsi_object *object, const seen *members,
                    uint32_t id)
{
    return object->field_count <= 64 ? (int)(members->few >> id & 1)
                                     : p->stack[members->many + id / 8] >> (id % 8) & 1;
}

static void set_seen(fls_json_parser *p, const flsi_object *object, seen *members, uint32_t id)
{
    if (object->field_count <= 64) {
        members->few |= UINT64_C(1) << id;
    } else {
        p->stack[members->many + id / 8] |= (uint8_t)(1u << (id % 8));
    }
}

/* `at` is behind the closing brace. */
static const uint8_t *close_struct(fls_json_parser *p, const uint8_t *at, const flsi_object *object,
                                   const seen *members, flsi_parse_frame *frame)
{
    uint32_t count = object->field_count;
    uint64_t all = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    if (FLSI_UNLIKELY((count > 64 || members->few != all) && !p->lenient)) {
        for (uint32_t i = 0; i < count; i++) {
            const flsi_field *field = &p->schema->fields[object->first_field + i];
            if (!was_seen(p, object, members, i) && (field->flags & FLS_FIELD_DEPRECATED) == 0) {
                flsi_parse_name(frame, field);
                return flsi_parse_fail(p, at - 1, "a struct's member is missing");
            }
        }
    }
    p->used = members->many;
    p->struct_depth--;
    return at;
}

static void store_scalar(uint8_t *to, uint64_t bits, uint32_t bytes)
{
    switch (bytes) {
    case 1: *to = (uint8_t)bits; break;
    case 2: flsi_store_le16(to, (uint16_t)bits); break;
    case 4: flsi_store_le32(to, (uint32_t)bits); break;
    default: flsi_store_le64(to, bits); break;
    }
}

static const uint8_t *scalar_at(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                uint32_t bytes, size_t place)
{
    uint64_t bits;
    at = flsi_parse_scalar(p, at, (fls_type)field->type, field->enumeration, &bits);
    if (at != NULL) {
        store_scalar(p->stack + place, bits, bytes);
    }
    return at;
}

/* An array has as many elements as the schema says; in lenient text it may have fewer. */
static const uint8_t *array_at(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                               size_t place)
{
    flsi_parse_frame frame;
    int more = 1;
    if (*at != '[') {
        return flsi_parse_unexpected(p, at, "not an array in brackets");
    }
    at = flsi_parse_space(at + 1);
    flsi_parse_enter(p, &frame);
    frame.name = NULL;
    if (*at == ']') {
        more = 0;
        at++;
    }
    for (; more > 0; frame.number++) {
        if (frame.number == field->length) {
            return flsi_parse_fail(p, at, "more elements than the array has");
        }
        size_t element = place + frame.number * field->element_bytes;
        at = field->kind == FLSI_STRUCT_ARRAY
                 ? flsi_parse_struct(p, at, field->object, element)
                 : scalar_at(p, at, field, field->element_bytes, element);
        if (at == NULL) {
            return NULL;
        }
        more = flsi_parse_more(p, &at, ']');
    }
    if (more < 0) {
        return NULL;
    }
    if (frame.number != field->length && !p->lenient) {
        return flsi_parse_fail(p, at - 1, "fewer elements than the array has");
    }
    flsi_parse_leave(p, &frame);
    return at;
}

static const uint8_t *member_at(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                size_t place)
{
    switch ((flsi_kind)field->kind) {
    case FLSI_SCALAR: return scalar_at(p, at, field, field->bytes, place);
    case FLSI_STRUCT: return flsi_parse_struct(p, at, field->object, place);
    default: return array_at(p, at, field, place);
    }
}

const uint8_t *flsi_parse_struct(fls_json_parser *p, const uint8_t *at, uint32_t index,
                                 size_t place)
{
    const flsi_object *object = &p->schema->objects[index];
    uint32_t *guess = &p->objects[index].first;
    flsi_parse_frame frame;
    seen members = {0, p->used};
    flsi_parse_enter(p, &frame);
    at = open_struct(p, at, object);
    if (at == NULL) {
        return NULL;
    }
    int more = *at != '}';
    at += !more;
    while (more > 0) {
        const flsi_field *field;
        const uint8_t *key = at;
        at = flsi_parse_member(p, at, index, &guess, &frame, &field);
        if (at != NULL && field == NULL) {
            at = flsi_parse_skip(p, at);
        } else if (at != NULL) {
            if (FLSI_UNLIKELY(was_seen(p, object, &members, field->id))) {
                return flsi_parse_fail(p, key, "a key that was there before");
            }
            set_seen(p, object, &members, field->id);
            at = member_at(p, at, field, place + field->place);
        }
        if (at == NULL) {
            return NULL;
        }
        more = flsi_parse_more(p, &at, '}');
    }
    if (more < 0) {
        return NULL;
    }
    at = close_struct(p, at, object, &members, &frame);
    flsi_parse_leave(p, &frame);
    return at;
}
