/* Vectors, and messages in messages. */
#include "flatbuf/json_parse_private.h"
#include "flatbuf/verify_private.h"

/* What the verifier may visit, in all. */
#define FLEX_APPARENT_BYTES (UINT64_C(1) << 31)

static const uint8_t *scalar_vector(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                    fls_ref *ref)
{
    size_t place = p->used;
    size_t count;
    const uint8_t *next = flsi_parse_scalars(p, at + 1, field, &count);
    if (next == NULL) {
        return NULL;
    }
    const uint8_t *elements = p->stack + place;
    if (FLSI_UNLIKELY((field->flags & FLS_FIELD_FLEXBUFFER) != 0)) {
        uint64_t apparent_left = FLEX_APPARENT_BYTES;
        fls_rule rule;
        if (!flsi_verify_flex(elements, count, &apparent_left, &rule)) {
            return flsi_parse_fail(p, at, "bytes that are not a sound FlexBuffer");
        }
    }
    *ref = field->content_alignment > field->element_bytes
               ? fls_builder_aligned_vector(p->builder, elements, count, field->element_bytes,
                                            field->content_alignment)
               : fls_builder_vector(p->builder, elements, count, field->element_bytes);
    p->used = place;
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}

/* ---- elements on the stack ---- */

/* Pushes the next struct, or reference to a string or table. */
static const uint8_t *push_struct(fls_json_parser *p, const uint8_t *at, const flsi_field *field)
{
    size_t place = p->used;
    if (!flsi_parse_ensure(p, field->element_bytes, at)) {
        return NULL;
    }
    memset(p->stack + place, 0, field->element_bytes);
    p->used = place + field->element_bytes;
    return flsi_parse_struct(p, at, field->object, place);
}

static int push_ref(fls_json_parser *p, fls_ref ref, const uint8_t *at)
{
    if (!flsi_parse_ensure(p, sizeof ref, at)) {
        return 0;
    }
    memcpy(p->stack + p->used, &ref, sizeof ref);
    p->used += sizeof ref;
    return 1;
}

static const uint8_t *push_reference(fls_json_parser *p, const uint8_t *at, const flsi_field *field)
{
    fls_ref ref = {0};
    at = field->kind == FLSI_STRING_VECTOR ? flsi_parse_text(p, at, &ref)
                                           : flsi_parse_table(p, at, field->object, &ref);
    return at != NULL && push_ref(p, ref, at) ? at : NULL;
}

/* From the opening bracket to behind the closing one. */
static const uint8_t *push_elements(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                    size_t *count)
{
    flsi_parse_frame frame;
    flsi_parse_enter(p, &frame);
    frame.name = NULL;
    at = flsi_parse_space(at + 1);
    int more = *at != ']';
    at += !more;
    while (more > 0) {
        at = field->kind == FLSI_STRUCT_VECTOR ? push_struct(p, at, field)
                                               : push_reference(p, at, field);
        if (at == NULL) {
            return NULL;
        }
        frame.number++;
        more = flsi_parse_more(p, &at, ']');
    }
    *count = frame.number;
    flsi_parse_leave(p, &frame);
    return more < 0 ? NULL : at;
}

/* References are looked at where they lie. */
static int align_stack(fls_json_parser *p, const uint8_t *at)
{
    size_t gap = (0 - p->used) & (sizeof(fls_ref) - 1);
    if (!flsi_parse_ensure(p, gap, at)) {
        return 0;
    }
    p->used += gap;
    return 1;
}

static const fls_ref *refs_at(const fls_json_parser *p, size_t place)
{
    return (const fls_ref *)(const void *)(p->stack + place);
}

const uint8_t *flsi_parse_vector(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 fls_ref *ref)
{
    if (*at != '[') {
        return flsi_parse_unexpected(p, at, "not an array in brackets");
    }
    if (field->kind == FLSI_SCALAR_VECTOR || field->kind == FLSI_NESTED) {
        return scalar_vector(p, at, field, ref);
    }
    size_t used = p->used;
    if (!align_stack(p, at)) {
        return NULL;
    }
    size_t place = p->used;
    size_t count;
    const uint8_t *next = push_elements(p, at, field, &count);
    if (next == NULL || !flsi_parse_sort(p, field, place, count, at)) {
        return NULL;
    }
    *ref = field->kind == FLSI_STRUCT_VECTOR
               ? fls_builder_struct_vector(p->builder, p->stack + place, count,
                                           field->element_bytes, field->content_alignment)
               : fls_builder_ref_vector(p->builder, refs_at(p, place), count);
    p->used = used;
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}

/* ---- unions ---- */

/* null stands for NONE, and for a member that the schema does not know: then what was there is
 * lost, and the reference leads to itself, which no reader of this schema follows. */
static const uint8_t *push_union(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 size_t tag)
{
    fls_ref ref = {0};
    if (*at == 'n' && flsi_parse_is_null(at)) {
        const flsi_value *member = flsi_schema_value(p->schema, field->enumeration, p->stack[tag]);
        if (member != NULL && member->kind != 0) {
            return flsi_parse_fail(p, at, "null for a member of a union");
        }
        at += 4;
    } else {
        at = flsi_parse_union(p, at, field->enumeration, p->stack[tag], &ref);
    }
    return at != NULL && push_ref(p, ref, at) ? at : NULL;
}

const uint8_t *flsi_parse_unions(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 size_t tags, size_t count, fls_ref *ref)
{
    flsi_parse_frame frame;
    size_t used = p->used;
    const uint8_t *next = at;
    if (*at != '[') {
        return flsi_parse_unexpected(p, at, "not an array in brackets");
    }
    if (!align_stack(p, at)) {
        return NULL;
    }
    size_t place = p->used;
    flsi_parse_enter(p, &frame);
    frame.name = NULL;
    next = flsi_parse_space(at + 1);
    int more = *next != ']';
    next += !more;
    for (; more > 0; frame.number++) {
        next = frame.number < count
                   ? push_union(p, next, field, tags + frame.number)
                   : flsi_parse_fail(p, next, "more elements than the union has types");
        if (next == NULL) {
            return NULL;
        }
        more = flsi_parse_more(p, &next, ']');
    }
    if (more < 0) {
        return NULL;
    }
    if (frame.number != count) {
        return flsi_parse_fail(p, next - 1, "fewer elements than the union has types");
    }
    flsi_parse_leave(p, &frame);
    *ref = fls_builder_union_vector(p->builder, refs_at(p, place), count);
    p->used = used;
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}

/* ---- messages in messages ---- */

/* As bytes; then they have to be a sound message, like those that are read as an object. */
static const uint8_t *nested_bytes(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                   fls_ref *ref)
{
    size_t place = p->used;
    size_t count;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    const uint8_t *next = flsi_parse_scalars(p, at + 1, field, &count);
    if (next == NULL) {
        return NULL;
    }
    options.max_depth = p->max_depth - p->depth;
    if (options.max_depth == 0 ||
        fls_verify(p->schema, field->object, p->stack + place, count, &options, NULL) != FLS_OK) {
        return flsi_parse_fail(p, at, "bytes that are not a sound message of the nested type");
    }
    *ref = fls_builder_nested(p->builder, p->stack + place, count, p->message_alignment);
    p->used = place;
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}

/* Starts a message in a builder of its own. */
static int open_level(fls_json_parser *p, const uint8_t *at)
{
    uint32_t level = p->level + 1;
    if (level > p->max_depth) {
        (void)flsi_parse_fail(p, at, "tables nested too deeply");
        return 0;
    }
    if (level == p->level_count) {
        if (fls_builder_new(&p->builders[level], p->allocator, NULL) != FLS_OK) {
            (void)flsi_parse_fail_status(p, at, FLS_NO_MEMORY,
                                         "out of memory for a nested message");
            return 0;
        }
        p->level_count++;
    }
    fls_builder_reset(p->builders[level]);
    p->level = level;
    p->builder = p->builders[level];
    return 1;
}

const uint8_t *flsi_parse_nested(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                 fls_ref *ref)
{
    const void *message;
    size_t bytes;
    fls_ref root;
    if (*at == '[') {
        return nested_bytes(p, at, field, ref);
    }
    if (!open_level(p, at)) {
        return NULL;
    }
    const uint8_t *next = flsi_parse_table(p, at, field->object, &root);
    if (next == NULL) {
        return NULL;
    }
    fls_status status = fls_builder_finish(p->builder, root, NULL, &message, &bytes, NULL);
    p->builder = p->builders[--p->level];
    if (status != FLS_OK) {
        return flsi_parse_fail_status(p, at,
                                      status == FLS_NO_MEMORY ? status : FLS_VALIDATION_FAILED,
                                      "a nested message that is too large");
    }
    *ref = fls_builder_nested(p->builder, message, bytes, p->message_alignment);
    return ref->position != 0 ? next : flsi_parse_fail_builder(p, at);
}
