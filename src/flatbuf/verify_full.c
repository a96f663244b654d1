/* The full walk over a message: every check, and where it is at each step.
 *
 * Sound if and only if, with positions counted from the buffer's first byte and sizes in bytes:
 *
 *  1. The buffer has at least 12 bytes and less than 2^31. Its root is a reference at 0 to a table.
 *  2. A reference (u32) is aligned to 4 and lies in the buffer. Read from a table's field or as the
 *     root it is not 0, less than 2^31, and leads to a byte of the buffer; read from a vector it
 * may lead anywhere, also to itself: what must lie there is checked there.
 *  3. A table is aligned to 4, and its vtable's position, table - soffset (i32), to 2. The vtable's
 *     size is even, less than the buffer's, and so many bytes lie there. Nothing is asked of the
 *     table's own size, which stands behind it.
 *  4. A field is absent when its entry lies beyond the vtable or is 0. One that is required is not.
 *     One that is not a reference is aligned to what its type asks and lies in the buffer. Fields
 *     that are deprecated, or that the schema does not know, are not looked at.
 *  5. A vector's length (u32) is aligned to 4 and lies in the buffer, as do its elements. Nothing
 * is asked of the elements' own alignment: builders leave it out for vectors without elements.
 *  6. A string is a vector of bytes with a zero behind it.
 *  7. A union's value is checked as the member that its tag says, which may be absent, but not if
 *     it is a struct; as none, or one that the schema does not know, only the reference is checked.
 *  8. Vectors of unions: both vectors are there, or neither; both have the same length.
 *  9. A nested buffer is sound by these rules. A FlexBuffer is sound by its own.
 * 10. Tables nest at most max_depth deep, and at most max_tables are met, each as often as it is
 *     referred to; for a nested buffer both count anew.
 *
 * These are the rules of the code that flatc 2.0.8 generates. Ours alone (docs/ERRATA.md):
 *
 * 11. All that is visited, as often as it is referred to, has at most max_apparent_bytes: a table
 * has the sizes of its vtable and, as that says, of itself, but at least 4; a string and a vector
 *     their own; a member of a union that is a struct its own.
 * 12. At most 512 tables lie within each other, with those of nested buffers.
 */
#include "flatbuf/characters.h"
#include "flatbuf/key_order.h"
#include "flatbuf/verify_private.h"

typedef struct walk {
    const fls_schema *schema;
    const uint8_t *bytes; /* of the buffer, which may be a nested one */
    uint64_t size;
    uint64_t origin; /* of the buffer in the outer payload */
    uint32_t depth;
    uint32_t tables;
    uint32_t stack;
    uint32_t checks;
    const flsi_verify_limits *limits;
    uint64_t apparent_left;
    uint64_t end;       /* behind all that was visited, in the outer payload */
    uint64_t alignment; /* the largest that was met */
    fls_violation *violation;
} walk;

typedef flsi_verify_step step;

/* A table whose vtable was found sound. */
typedef struct table {
    uint64_t at;
    uint64_t vtable;
    uint32_t vtable_bytes;
} table;

static int visit_table(walk *w, const step *here, uint32_t object, uint64_t at);

/* What lies outside the buffer is told as at its end. */
static int refuse(const walk *w, fls_rule rule, uint64_t at, const step *here)
{
    flsi_verify_tell(w->violation, rule, w->origin + (at < w->size ? at : w->size), here);
    return 0;
}

static int lies_within(const walk *w, uint64_t at, uint64_t bytes)
{
    return bytes < w->size && at <= w->size - bytes;
}

/* Takes account of bytes that were found to lie in the buffer. */
static int visit(walk *w, const step *here, uint64_t at, uint64_t bytes, uint64_t alignment)
{
    uint64_t end = w->origin + at + bytes;
    w->end = end > w->end ? end : w->end;
    w->alignment = alignment > w->alignment ? alignment : w->alignment;
    if (bytes > w->apparent_left) {
        return refuse(w, FLS_RULE_APPARENT_SIZE, at, here);
    }
    w->apparent_left -= bytes;
    return 1;
}

/* The position of a field's bytes, or 0 when it is absent. */
static uint64_t field_at(const walk *w, const table *t, const flsi_field *field)
{
    if (field->place >= t->vtable_bytes) {
        return 0;
    }
    uint32_t offset = flsi_load_le16(w->bytes + t->vtable + field->place);
    return offset != 0 ? t->at + offset : 0;
}

/* Rule 2, for a field. */
static int follow(const walk *w, const step *here, uint64_t at, uint64_t *target)
{
    if (at % 4 != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, here);
    }
    if (!lies_within(w, at, 4)) {
        return refuse(w, FLS_RULE_FIELD, at, here);
    }
    uint32_t offset = flsi_load_le32(w->bytes + at);
    if (offset == 0 || offset >> 31 != 0 || at + offset >= w->size) {
        return refuse(w, FLS_RULE_OFFSET, at, here);
    }
    *target = at + offset;
    return 1;
}

/* ---- strings and vectors ---- */

/* Rule 5. */
static int find_vector(const walk *w, const step *here, uint64_t at, const flsi_field *field,
                       uint64_t *count)
{
    if (at % 4 != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, here);
    }
    if (!lies_within(w, at, 4)) {
        return refuse(w, FLS_RULE_OFFSET, at, here);
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    uint64_t bytes = 4 + length * field->element_bytes;
    if (!lies_within(w, at, bytes)) {
        return refuse(w, FLS_RULE_VECTOR, at, here);
    }
    *count = length;
    return 1;
}

static int visit_vector(walk *w, const step *here, uint64_t at, const flsi_field *field,
                        uint64_t *count)
{
    return find_vector(w, here, at, field, count) &&
           visit(w, here, at, 4 + *count * field->element_bytes, field->content_alignment);
}

/* The position of the first byte that is not UTF-8, or size. */
static uint64_t find_not_utf8(const uint8_t *text, uint64_t size)
{
    uint64_t at = 0;
    while (at < size) {
        if (size - at >= 8 && (flsi_load_le64(text + at) & UINT64_C(0x8080808080808080)) == 0) {
            at += 8;
            continue;
        }
        uint32_t bytes = text[at] < 0x80 ? 1 : flsi_utf8_bytes(text + at, size - at);
        if (bytes == 0) {
            return at;
        }
        at += bytes;
    }
    return size;
}

/* Rule 6. */
static int visit_string(walk *w, const step *here, uint64_t at)
{
    if (at % 4 != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, here);
    }
    if (!lies_within(w, at, 4)) {
        return refuse(w, FLS_RULE_OFFSET, at, here);
    }
    uint64_t length = flsi_load_le32(w->bytes + at);
    if (!lies_within(w, at, length + 5) || w->bytes[at + 4 + length] != 0) {
        return refuse(w, FLS_RULE_STRING, at, here);
    }
    if ((w->checks & FLS_VERIFY_UTF8) != 0) {
        uint64_t wrong = find_not_utf8(w->bytes + at + 4, length);
        if (wrong < length) {
            return refuse(w, FLS_RULE_UTF8, at + 4 + wrong, here);
        }
    }
    return visit(w, here, at, length + 5, 4);
}

/* ---- sorted vectors ---- */

/* Of a vector of tables or structs whose elements were found sound. */
static int check_sorted(const walk *w, const step *here, const flsi_field *vector, uint64_t at,
                        uint64_t count)
{
    const flsi_object *object = &w->schema->objects[vector->object];
    if ((w->checks & FLS_VERIFY_SORTED) == 0 || object->key == FLS_SCHEMA_NONE) {
        return 1;
    }
    const flsi_field *field = &w->schema->fields[object->first_field + object->key];
    flsi_key before = {0, NULL, 0};
    for (uint64_t i = 0; i < count; i++) {
        uint64_t element = at + 4 + i * vector->element_bytes;
        if (!object->is_struct) {
            element += flsi_load_le32(w->bytes + element);
        }
        flsi_key now = flsi_key_load(field, object->is_struct, w->bytes + element);
        if (i > 0 && flsi_key_is_before(field, &now, &before)) {
            step wrong = {here->outer, here->field, i};
            return refuse(w, FLS_RULE_SORTED, element, &wrong);
        }
        before = now;
    }
    return 1;
}

/* ---- unions and nested buffers ---- */

/* Rule 7. at is 0 when there is no value. */
static int visit_member(walk *w, const step *here, uint32_t enumeration, uint64_t tag, uint64_t at)
{
    const flsi_value *member = flsi_schema_value(w->schema, enumeration, (int64_t)tag);
    if (member == NULL || member->kind == 0 || (at == 0 && member->kind != FLSI_STRUCT)) {
        return 1;
    }
    if (member->kind == FLSI_TABLE) {
        return visit_table(w, here, member->object, at);
    }
    if (member->kind == FLSI_STRING) {
        return visit_string(w, here, at);
    }
    const flsi_object *object = &w->schema->objects[member->object];
    if (at == 0) {
        return refuse(w, FLS_RULE_UNION, at, here);
    }
    if (at % object->alignment != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, here);
    }
    if (!lies_within(w, at, object->bytes)) {
        return refuse(w, FLS_RULE_FIELD, at, here);
    }
    return visit(w, here, at, object->bytes, object->alignment);
}

static int visit_union(walk *w, const step *here, const table *t, const flsi_field *field,
                       uint64_t at)
{
    const flsi_field *tag_field = field - 1;
    uint64_t tag_at = field_at(w, t, tag_field);
    uint64_t tag = 0;
    if (tag_at != 0) {
        if (!lies_within(w, tag_at, tag_field->bytes)) {
            return refuse(w, FLS_RULE_FIELD, tag_at, here);
        }
        tag = flsi_load_le_width(w->bytes + tag_at, tag_field->bytes);
    }
    return visit_member(w, here, field->enumeration, tag, at);
}

/* Rule 8. The vector of values was found sound, where it is there. */
static int visit_union_vector(walk *w, const step *here, const table *t, const flsi_field *field,
                              uint64_t at, uint64_t count)
{
    const flsi_field *tag_field = field - 1;
    uint64_t tags_at = field_at(w, t, tag_field);
    uint64_t tags = 0;
    uint64_t tag_count = 0;
    if ((at == 0) != (tags_at == 0)) {
        return refuse(w, FLS_RULE_UNION, t->at, here);
    }
    if (at == 0) {
        return 1;
    }
    if (!follow(w, here, tags_at, &tags) || !find_vector(w, here, tags, tag_field, &tag_count)) {
        return 0;
    }
    if (tag_count != count) {
        return refuse(w, FLS_RULE_UNION, at, here);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t element = at + 4 + 4 * i;
        uint64_t tag = flsi_load_le_width(w->bytes + tags + 4 + i * tag_field->element_bytes,
                                          tag_field->element_bytes);
        step inner = {here->outer, field, i};
        if (!visit_member(w, &inner, field->enumeration, tag,
                          element + flsi_load_le32(w->bytes + element))) {
            return 0;
        }
    }
    return 1;
}

/* Rule 1. */
static int visit_root(walk *w, const step *here, uint32_t object)
{
    uint64_t root = 0;
    if (w->size < FLSI_VERIFY_LEAST) {
        return refuse(w, FLS_RULE_TOO_SHORT, 0, here);
    }
    return follow(w, here, 0, &root) && visit(w, here, 0, 4, 4) &&
           visit_table(w, here, object, root);
}

/* Rule 9. at and size are those of the vector's elements. */
static int visit_nested(walk *w, const step *here, const flsi_field *field, uint64_t at,
                        uint64_t size)
{
    walk outer = *w;
    w->bytes += at;
    w->size = size;
    w->origin += at;
    w->depth = 0;
    w->tables = 0;
    int is_sound = visit_root(w, here, field->object);
    w->bytes = outer.bytes;
    w->size = outer.size;
    w->origin = outer.origin;
    w->depth = outer.depth;
    w->tables = outer.tables;
    return is_sound;
}

static int visit_flex(walk *w, const step *here, uint64_t at, uint64_t size)
{
    fls_rule rule = FLS_RULE_NESTED;
    return flsi_verify_flex(w->bytes + at, size, &w->apparent_left, &rule) ||
           refuse(w, rule, at, here);
}

/* ---- tables ---- */

static int visit_table_vector(walk *w, const step *here, const flsi_field *field, uint64_t at,
                              uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t element = at + 4 + 4 * i;
        step inner = {here->outer, field, i};
        uint64_t target = element + flsi_load_le32(w->bytes + element);
        if (field->kind == FLSI_STRING_VECTOR ? !visit_string(w, &inner, target)
                                              : !visit_table(w, &inner, field->object, target)) {
            return 0;
        }
    }
    return 1;
}

/* What a vector holds, after rule 5. */
static int visit_elements(walk *w, const step *here, const table *t, const flsi_field *field,
                          uint64_t at, uint64_t count)
{
    switch ((flsi_kind)field->kind) {
    case FLSI_STRING_VECTOR: return visit_table_vector(w, here, field, at, count);
    case FLSI_TABLE_VECTOR:
        return visit_table_vector(w, here, field, at, count) &&
               check_sorted(w, here, field, at, count);
    case FLSI_STRUCT_VECTOR: return check_sorted(w, here, field, at, count);
    case FLSI_UNION_VECTOR: return visit_union_vector(w, here, t, field, at, count);
    case FLSI_NESTED: return visit_nested(w, here, field, at + 4, count);
    default:
        return (field->flags & FLS_FIELD_FLEXBUFFER) == 0 || visit_flex(w, here, at + 4, count);
    }
}

/* A field that is a reference; at is its place, 0 when it is absent. */
static int visit_reference(walk *w, const step *here, const table *t, const flsi_field *field,
                           uint64_t at)
{
    uint64_t target = 0;
    uint64_t count = 0;
    if (at != 0 && !follow(w, here, at, &target)) {
        return 0;
    }
    if (field->kind == FLSI_UNION) {
        return visit_union(w, here, t, field, target);
    }
    if (at == 0) {
        return field->kind != FLSI_UNION_VECTOR || visit_union_vector(w, here, t, field, 0, 0);
    }
    if (field->kind == FLSI_STRING) {
        return visit_string(w, here, target);
    }
    if (field->kind == FLSI_TABLE) {
        return visit_table(w, here, field->object, target);
    }
    return visit_vector(w, here, target, field, &count) &&
           visit_elements(w, here, t, field, target, count);
}

/* Rule 4. */
static int visit_field(walk *w, const step *outer, const table *t, const flsi_field *field)
{
    step here = {outer, field, UINT64_MAX};
    uint64_t at = field_at(w, t, field);
    if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
        return 1;
    }
    if (at == 0 && (field->flags & FLS_FIELD_REQUIRED) != 0) {
        return refuse(w, FLS_RULE_REQUIRED, t->at, &here);
    }
    if (field->kind >= FLSI_STRING) {
        return visit_reference(w, &here, t, field, at);
    }
    if (at % field->alignment != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, &here);
    }
    if (at != 0 && !lies_within(w, at, field->bytes)) {
        return refuse(w, FLS_RULE_FIELD, at, &here);
    }
    w->alignment = at != 0 && field->alignment > w->alignment ? field->alignment : w->alignment;
    return 1;
}

/* Rules 3 and 10. */
static int enter_table(walk *w, const step *here, uint64_t at, table *t)
{
    if (at % 4 != 0) {
        return refuse(w, FLS_RULE_ALIGNMENT, at, here);
    }
    if (!lies_within(w, at, 4)) {
        return refuse(w, FLS_RULE_OFFSET, at, here);
    }
    uint64_t vtable = at - (uint64_t)(int64_t)(int32_t)flsi_load_le32(w->bytes + at);
    if (w->depth >= w->limits->max_depth || w->stack >= FLSI_VERIFY_STACK_MOST) {
        return refuse(w, FLS_RULE_DEPTH, at, here);
    }
    if (w->tables >= w->limits->max_tables) {
        return refuse(w, FLS_RULE_TABLES, at, here);
    }
    if (vtable % 2 != 0 || !lies_within(w, vtable, 2)) {
        return refuse(w, FLS_RULE_VTABLE, at, here);
    }
    uint32_t vtable_bytes = flsi_load_le16(w->bytes + vtable);
    if (vtable_bytes % 2 != 0 || !lies_within(w, vtable, vtable_bytes)) {
        return refuse(w, FLS_RULE_VTABLE, vtable, here);
    }
    uint32_t bytes = vtable_bytes >= 4 ? flsi_load_le16(w->bytes + vtable + 2) : 0;
    bytes = bytes < 4 ? 4 : bytes;
    *t = (table){at, vtable, vtable_bytes};
    return visit(w, here, vtable, vtable_bytes, 2) && visit(w, here, at, bytes, 4);
}

static int visit_table(walk *w, const step *here, uint32_t object, uint64_t at)
{
    const flsi_object *type = &w->schema->objects[object];
    table t;
    if (!enter_table(w, here, at, &t)) {
        return 0;
    }
    w->depth++;
    w->tables++;
    w->stack++;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!visit_field(w, here, &t, &w->schema->fields[type->first_field + i])) {
            return 0;
        }
    }
    w->depth--;
    w->stack--;
    return 1;
}

/* ---- the whole message ---- */

/* The zeros that a builder leaves behind the last object, if any, are fewer than the largest
 * alignment. */
static int check_end(const walk *w)
{
    uint64_t at = w->end;
    while (at < w->size && w->bytes[at] == 0) {
        at++;
    }
    if (at < w->size || w->end > w->size || w->size - w->end >= w->alignment) {
        return refuse(w, FLS_RULE_EXACT_END, w->end < w->size ? w->end : w->size, NULL);
    }
    return 1;
}

int flsi_verify_full(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                     const flsi_verify_limits *limits, uint32_t checks, fls_violation *violation)
{
    walk w = {schema, bytes, size,     0, 0, 0, 0, checks, limits, limits->max_apparent_bytes,
              0,      4,     violation};
    const step start = {NULL, NULL, UINT64_MAX};
    if ((checks & FLS_VERIFY_IDENTIFIER) != 0 && root == schema->root &&
        schema->identifier[0] != '\0' &&
        (size < 8 || memcmp(bytes + 4, schema->identifier, 4) != 0)) {
        return refuse(&w, size < FLSI_VERIFY_LEAST ? FLS_RULE_TOO_SHORT : FLS_RULE_IDENTIFIER,
                      size < FLSI_VERIFY_LEAST ? 0 : 4, &start);
    }
    return visit_root(&w, &start, root) && ((checks & FLS_VERIFY_EXACT_END) == 0 || check_end(&w));
}
