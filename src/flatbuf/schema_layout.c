/* What follows from the fields that stand in the arrays: how many bytes each takes and where, what
 * belongs together, and what is allowed of it. Here the file's own numbers for a struct are held
 * against those that follow from its fields.
 */
#include "flatbuf/schema_load.h"

/* With one field more the vtable's own size would not fit its 16 bits. */
#define MOST_TABLE_FIELDS 32765u

/* While a struct is being laid out; its depth afterwards is at least 1. */
#define OPEN UINT8_MAX

static int is_union_tag(const flsi_field *field)
{
    return field->type == FLS_TYPE_UNION_TAG;
}

static int is_struct_kind(const flsi_field *field)
{
    return field->kind == FLSI_STRUCT || field->kind == FLSI_STRUCT_ARRAY;
}

/* ---- structs ---- */

static fls_status check_struct_field(flsi_schema_load *load, const flsi_field *field)
{
    int is_inline = (field->kind == FLSI_SCALAR && !is_union_tag(field)) ||
                    field->kind == FLSI_STRUCT || field->kind == FLSI_SCALAR_ARRAY ||
                    field->kind == FLSI_STRUCT_ARRAY;
    if (!is_inline) {
        return flsi_schema_refuse(load, "cannot be in a struct");
    }
    if ((field->flags & (FLS_FIELD_REQUIRED | FLS_FIELD_OPTIONAL | FLS_FIELD_DEPRECATED)) != 0) {
        return flsi_schema_refuse(load, "a field of a struct is always there");
    }
    if (field->default_bits != 0) {
        return flsi_schema_refuse(load, "a field of a struct has no default");
    }
    return FLS_OK;
}

/* The bytes and alignment of a struct's field, whose struct, if it is one, is laid out. */
static void measure(const flsi_schema_load *load, flsi_field *field)
{
    uint32_t bytes = flsi_schema_scalar_bytes((fls_type)field->type);
    uint32_t alignment = bytes;
    if (is_struct_kind(field)) {
        bytes = load->objects[field->object].bytes;
        alignment = load->objects[field->object].alignment;
    }
    field->alignment = alignment;
    if (field->length > 0) {
        field->element_bytes = bytes;
    }
    field->bytes = bytes; /* times the length, once that is known to fit */
}

/* Puts a field behind the `end` of those before it. */
static fls_status place(flsi_schema_load *load, flsi_field *field, uint64_t *end)
{
    measure(load, field);
    uint64_t at = (*end + field->alignment - 1) / field->alignment * field->alignment;
    uint64_t bytes = (uint64_t)field->bytes * (field->length > 0 ? field->length : 1);
    *end = at + bytes;
    if (*end > INT32_MAX) {
        return flsi_schema_refuse(load, "ends beyond 2^31 bytes");
    }
    if (field->place != (at & UINT16_MAX)) { /* all that the file has room for */
        return flsi_schema_refuse(load, "at another offset than it has to be");
    }
    field->place = (uint32_t)at;
    field->bytes = (uint32_t)bytes;
    return FLS_OK;
}

static fls_status check_struct(flsi_schema_load *load, const flsi_object *object, uint64_t end,
                               uint32_t least_alignment)
{
    uint32_t alignment = object->alignment;
    if (end == 0) {
        return flsi_schema_refuse(load, "a struct of no bytes");
    }
    if (alignment < least_alignment || (alignment & (alignment - 1)) != 0) {
        return flsi_schema_refuse(load, "a struct whose alignment is not its fields'");
    }
    if (alignment > FLSI_SCHEMA_ALIGN_MOST) {
        return flsi_schema_refuse_as(load, FLS_UNSUPPORTED, "an alignment of more than 64");
    }
    if (object->bytes != (end + alignment - 1) / alignment * alignment ||
        object->bytes > INT32_MAX) {
        return flsi_schema_refuse(load, "a struct whose size is not that of its fields");
    }
    return FLS_OK;
}

/* depth is how many structs are being laid out around this one. It bounds the recursion. */
static fls_status lay_out_struct(flsi_schema_load *load, uint32_t index, uint32_t depth)
{
    flsi_object *object = &load->objects[index];
    uint64_t end = 0;
    uint32_t alignment = 1;
    uint8_t below = 0;
    fls_status status = FLS_OK;
    flsi_schema_at_object(load, index);
    if (depth >= FLSI_SCHEMA_STRUCT_DEPTH) {
        return flsi_schema_refuse_as(load, FLS_UNSUPPORTED, "structs nested more than 64 deep");
    }
    object->depth = OPEN;
    for (uint32_t i = 0; i < object->field_count && status == FLS_OK; i++) {
        flsi_field *field = &load->fields[object->first_field + i];
        flsi_schema_at_member(load, i, field->name);
        status = check_struct_field(load, field);
        if (status != FLS_OK) {
            break;
        }
        if (is_struct_kind(field)) {
            const flsi_object *inner = &load->objects[field->object];
            if (inner->depth == OPEN) {
                return flsi_schema_refuse(load, "a struct that contains itself");
            }
            status = inner->depth == 0 ? lay_out_struct(load, field->object, depth + 1) : FLS_OK;
            if (status != FLS_OK) {
                return status;
            }
            below = inner->depth > below ? inner->depth : below;
            flsi_schema_at_object(load, index);
            flsi_schema_at_member(load, i, field->name);
        }
        status = place(load, field, &end);
        alignment = field->alignment > alignment ? field->alignment : alignment;
    }
    load->member_index = FLS_SCHEMA_NONE;
    object->depth = (uint8_t)(below + 1);
    if (status == FLS_OK && object->depth > FLSI_SCHEMA_STRUCT_DEPTH) {
        status = flsi_schema_refuse_as(load, FLS_UNSUPPORTED, "structs nested more than 64 deep");
    }
    return status == FLS_OK ? check_struct(load, object, end, alignment) : status;
}

/* ---- tables ---- */

/* How wide a vector's elements are, and how aligned the first one is. */
static fls_status measure_elements(flsi_schema_load *load, flsi_field *field)
{
    uint32_t bytes = 4;
    uint32_t alignment = 4;
    if (field->kind == FLSI_SCALAR_VECTOR || field->kind == FLSI_NESTED) {
        bytes = flsi_schema_scalar_bytes((fls_type)field->type);
        alignment = bytes;
    } else if (field->kind == FLSI_STRUCT_VECTOR) {
        bytes = load->objects[field->object].bytes;
        alignment = load->objects[field->object].alignment;
    }
    field->element_bytes = bytes;
    if (field->content_alignment == 0) {
        field->content_alignment = alignment;
    }
    if (field->content_alignment < alignment) {
        return flsi_schema_refuse(load, "a force_align below the natural alignment");
    }
    return FLS_OK;
}

static fls_status measure_table_field(flsi_schema_load *load, flsi_field *field)
{
    field->bytes = 4;
    field->alignment = 4;
    switch (field->kind) {
    case FLSI_SCALAR:
    case FLSI_STRUCT: measure(load, field); return FLS_OK;
    case FLSI_STRING:
    case FLSI_TABLE:
    case FLSI_UNION: return FLS_OK;
    case FLSI_SCALAR_ARRAY:
    case FLSI_STRUCT_ARRAY: return flsi_schema_refuse(load, "an array outside a struct");
    default: return measure_elements(load, field);
    }
}

/* A union and the tag before it, or vectors of both. */
static fls_status check_union(flsi_schema_load *load, const flsi_object *object, uint32_t i)
{
    const flsi_field *field = &load->fields[object->first_field + i];
    int is_vector = field->kind == FLSI_UNION_VECTOR || field->kind == FLSI_SCALAR_VECTOR;
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        const flsi_field *tag = field - 1;
        flsi_kind wanted = is_vector ? FLSI_SCALAR_VECTOR : FLSI_SCALAR;
        if (i == 0 || tag->kind != wanted || !is_union_tag(tag) ||
            tag->enumeration != field->enumeration) {
            return flsi_schema_refuse(load, "a union without its tag in front of it");
        }
    } else if (is_union_tag(field)) {
        const flsi_field *value = field + 1;
        flsi_kind wanted = is_vector ? FLSI_UNION_VECTOR : FLSI_UNION;
        if (i + 1 == object->field_count || value->kind != wanted) {
            return flsi_schema_refuse(load, "a tag without its union behind it");
        }
    }
    return FLS_OK;
}

static fls_status finish_table_field(flsi_schema_load *load, flsi_object *object, uint32_t i)
{
    flsi_field *field = &load->fields[object->first_field + i];
    if (field->place != 4 + 2 * i) {
        return flsi_schema_refuse(load, "at another offset than that of its id");
    }
    if ((field->flags & FLS_FIELD_REQUIRED) != 0 && field->kind == FLSI_SCALAR) {
        return flsi_schema_refuse(load, "a scalar that is required");
    }
    if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
        field->flags &= (uint8_t)~FLS_FIELD_REQUIRED; /* nobody writes it any more */
    }
    fls_status status = measure_table_field(load, field);
    if (status == FLS_OK) {
        status = check_union(load, object, i);
    }
    object->has_required |= (field->flags & FLS_FIELD_REQUIRED) != 0;
    object->alignment = field->alignment > object->alignment ? field->alignment : object->alignment;
    return status;
}

static fls_status lay_out_table(flsi_schema_load *load, uint32_t index)
{
    flsi_object *object = &load->objects[index];
    fls_status status = FLS_OK;
    flsi_schema_at_object(load, index);
    object->alignment = 4;
    if (object->field_count > MOST_TABLE_FIELDS) {
        return flsi_schema_refuse(load, "more fields than a table can have");
    }
    for (uint32_t i = 0; i < object->field_count && status == FLS_OK; i++) {
        flsi_schema_at_member(load, i, load->fields[object->first_field + i].name);
        status = finish_table_field(load, object, i);
    }
    return status;
}

/* ---- keys ---- */

/* Scalars and strings. Newer compilers also take structs and arrays, by which nothing here sorts:
 * then the object has no key. Neither does it when its key is deprecated: the verifier does not
 * look at such a field, so nobody may read it. */
static fls_status find_key(flsi_schema_load *load, uint32_t index)
{
    flsi_object *object = &load->objects[index];
    int has_key = 0;
    flsi_schema_at_object(load, index);
    for (uint32_t i = 0; i < object->field_count; i++) {
        const flsi_field *field = &load->fields[object->first_field + i];
        if ((field->flags & FLS_FIELD_KEY) == 0) {
            continue;
        }
        flsi_schema_at_member(load, i, field->name);
        if (has_key) {
            return flsi_schema_refuse(load, "a second key");
        }
        has_key = 1;
        if (field->kind == FLSI_STRING || (field->kind == FLSI_SCALAR && !is_union_tag(field))) {
            int is_deprecated = (field->flags & FLS_FIELD_DEPRECATED) != 0;
            object->key = is_deprecated ? FLS_SCHEMA_NONE : i;
        } else if (!is_struct_kind(field) && field->kind != FLSI_SCALAR_ARRAY) {
            return flsi_schema_refuse(load, "a key of what cannot be one");
        }
    }
    return FLS_OK;
}

fls_status flsi_schema_lay_out(flsi_schema_load *load)
{
    fls_status status = FLS_OK;
    for (uint32_t i = 0; i < load->schema->object_count && status == FLS_OK; i++) {
        if (load->objects[i].is_struct && load->objects[i].depth == 0) {
            status = lay_out_struct(load, i, 0);
        }
    }
    for (uint32_t i = 0; i < load->schema->object_count && status == FLS_OK; i++) {
        if (!load->objects[i].is_struct) {
            status = lay_out_table(load, i);
        }
    }
    for (uint32_t i = 0; i < load->schema->object_count && status == FLS_OK; i++) {
        status = find_key(load, i);
    }
    return status;
}
