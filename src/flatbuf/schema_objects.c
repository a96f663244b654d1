/* Tables and structs and their fields, from the .bfbs to their arrays: each field at the place of
 * its id, of a type that there is, with a default that its type can have.
 */
#include <float.h>

#include "flatbuf/schema_load.h"

/* ---- tables and structs ---- */

static fls_status load_object(flsi_schema_load *load, uint32_t index, uint32_t *next)
{
    flsi_bfbs *file = &load->file;
    flsi_object *object = &load->objects[index];
    flsi_bfbs_table table = flsi_bfbs_element(file, &load->object_tables, index);
    flsi_bfbs_vector fields = flsi_bfbs_references(file, &table, OBJECT_FIELDS);
    flsi_bfbs_text name;
    flsi_schema_at_object(load, index);
    fls_status status = flsi_schema_read_name(load, &table, OBJECT_NAME, 1, &name);
    if (status != FLS_OK) {
        return status;
    }
    object->name = load->owner = name.text;
    object->is_struct = flsi_bfbs_bits(file, &table, OBJECT_IS_STRUCT, 1, 0) != 0;
    object->key = FLS_SCHEMA_NONE;
    object->first_field = *next;
    object->field_count = fields.count;
    if (object->is_struct) { /* as the file says; held against the fields later */
        object->alignment = (uint32_t)flsi_bfbs_bits(file, &table, OBJECT_MINALIGN, 4, 0);
        object->bytes = (uint32_t)flsi_bfbs_bits(file, &table, OBJECT_BYTESIZE, 4, 0);
    }
    status = flsi_schema_intact(load);
    if (status == FLS_OK && fields.count > load->schema->field_count - *next) {
        status = flsi_schema_refuse(load, "the .bfbs changed while it was read");
    }
    *next += fields.count;
    return status;
}

fls_status flsi_schema_load_objects(flsi_schema_load *load)
{
    uint32_t next = 0;
    fls_status status = FLS_OK;
    for (uint32_t i = 0; i < load->schema->object_count && status == FLS_OK; i++) {
        status = load_object(load, i, &next);
    }
    return status == FLS_OK ? flsi_schema_index_objects(load) : status;
}

/* ---- types ---- */

/* A reference to a table or struct, alone or as an element. */
static fls_status take_object(flsi_schema_load *load, const flsi_schema_type *type,
                              flsi_kind of_table, flsi_kind of_struct, flsi_field *field)
{
    if (type->index < 0 || (uint32_t)type->index >= load->schema->object_count) {
        return flsi_schema_refuse(load, "of a table or struct that is not there");
    }
    field->object = (uint32_t)type->index;
    int is_struct = load->objects[field->object].is_struct;
    field->kind = (uint8_t)(is_struct ? of_struct : of_table);
    field->type = is_struct ? FLS_TYPE_STRUCT : FLS_TYPE_TABLE;
    return FLS_OK;
}

/* A union or its tag, alone or as an element. */
static fls_status take_union(flsi_schema_load *load, const flsi_schema_type *type, flsi_kind kind,
                             fls_type what, flsi_field *field)
{
    if (type->index < 0 || (uint32_t)type->index >= load->schema->enumeration_count ||
        !load->enumerations[type->index].is_union) {
        return flsi_schema_refuse(load, "of a union that is not there");
    }
    field->enumeration = (uint32_t)type->index;
    field->kind = (uint8_t)kind;
    field->type = (uint8_t)what;
    return FLS_OK;
}

/* A scalar, alone or as an element, maybe with names for its values. */
static fls_status take_scalar(flsi_schema_load *load, const flsi_schema_type *type, flsi_kind kind,
                              uint8_t what, flsi_field *field)
{
    field->kind = (uint8_t)kind;
    field->type = what;
    if (type->index == -1) {
        return FLS_OK;
    }
    if (type->index < 0 || (uint32_t)type->index >= load->schema->enumeration_count ||
        load->enumerations[type->index].is_union) {
        return flsi_schema_refuse(load, "of an enum that is not there");
    }
    if (load->enumerations[type->index].type != what) {
        return flsi_schema_refuse(load, "of another type than its enum");
    }
    field->enumeration = (uint32_t)type->index;
    return FLS_OK;
}

static int is_scalar(uint8_t type)
{
    return type >= FLS_TYPE_BOOL && type <= FLS_TYPE_F64;
}

static fls_status take_vector(flsi_schema_load *load, const flsi_schema_type *type,
                              flsi_field *field)
{
    if (is_scalar(type->element)) {
        return take_scalar(load, type, FLSI_SCALAR_VECTOR, type->element, field);
    }
    switch (type->element) {
    case FLS_TYPE_UNION_TAG:
        return take_union(load, type, FLSI_SCALAR_VECTOR, FLS_TYPE_UNION_TAG, field);
    case FLS_TYPE_UNION: return take_union(load, type, FLSI_UNION_VECTOR, FLS_TYPE_UNION, field);
    case FLS_TYPE_TABLE:
        return take_object(load, type, FLSI_TABLE_VECTOR, FLSI_STRUCT_VECTOR, field);
    case FLS_TYPE_STRING:
        field->kind = FLSI_STRING_VECTOR;
        field->type = FLS_TYPE_STRING;
        return FLS_OK;
    default: return flsi_schema_refuse(load, "a vector of what cannot be in one");
    }
}

static fls_status take_array(flsi_schema_load *load, const flsi_schema_type *type,
                             flsi_field *field)
{
    if (type->length == 0) {
        return flsi_schema_refuse(load, "an array of no elements");
    }
    field->length = type->length;
    if (is_scalar(type->element)) {
        return take_scalar(load, type, FLSI_SCALAR_ARRAY, type->element, field);
    }
    if (type->element != FLS_TYPE_TABLE) {
        return flsi_schema_refuse(load, "an array of what cannot be in one");
    }
    return take_object(load, type, FLSI_TABLE, FLSI_STRUCT_ARRAY, field);
}

static fls_status take_type(flsi_schema_load *load, const flsi_schema_type *type, flsi_field *field)
{
    field->object = FLS_SCHEMA_NONE;
    field->enumeration = FLS_SCHEMA_NONE;
    if (is_scalar(type->base)) {
        return take_scalar(load, type, FLSI_SCALAR, type->base, field);
    }
    switch (type->base) {
    case FLS_TYPE_UNION_TAG: return take_union(load, type, FLSI_SCALAR, FLS_TYPE_UNION_TAG, field);
    case FLS_TYPE_UNION: return take_union(load, type, FLSI_UNION, FLS_TYPE_UNION, field);
    case FLS_TYPE_TABLE: return take_object(load, type, FLSI_TABLE, FLSI_STRUCT, field);
    case FLS_TYPE_VECTOR: return take_vector(load, type, field);
    case FLS_TYPE_ARRAY: return take_array(load, type, field);
    case FLS_TYPE_STRING:
        field->kind = FLSI_STRING;
        field->type = FLS_TYPE_STRING;
        return FLS_OK;
    default: return flsi_schema_refuse(load, "of no type");
    }
}

/* ---- defaults ---- */

static fls_status take_real(flsi_schema_load *load, uint64_t bits, flsi_field *field)
{
    double real;
    memcpy(&real, &bits, sizeof real);
    if (field->type == FLS_TYPE_F64) {
        field->default_bits = bits;
        return FLS_OK;
    }
    /* From here on a double rounds to infinity: FLT_MAX and half of its last place. */
    const double beyond = (double)FLT_MAX + 0x1p103;
    if ((real >= beyond && real <= DBL_MAX) || (real <= -beyond && real >= -DBL_MAX)) {
        return flsi_schema_refuse(load, "a default outside its type");
    }
    float narrow = (float)real;
    uint32_t narrow_bits;
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    field->default_bits = narrow_bits;
    return FLS_OK;
}

static fls_status take_default(flsi_schema_load *load, const flsi_bfbs_table *table,
                               flsi_field *field)
{
    if (field->kind != FLSI_SCALAR || (field->flags & FLS_FIELD_OPTIONAL) != 0) {
        return FLS_OK;
    }
    if (field->type == FLS_TYPE_F32 || field->type == FLS_TYPE_F64) {
        return take_real(load, flsi_bfbs_bits(&load->file, table, FIELD_DEFAULT_REAL, 8, 0), field);
    }
    uint64_t bits = flsi_bfbs_bits(&load->file, table, FIELD_DEFAULT_INTEGER, 8, 0);
    if (!flsi_schema_value_fits((int64_t)bits, (fls_type)field->type)) {
        return flsi_schema_refuse(load, "a default outside its type");
    }
    field->default_bits = bits;
    return FLS_OK;
}

/* ---- attributes ---- */

/* The table that a name means where it is written: in the namespace of its object, or the nearest
 * around that. */
static uint32_t resolve(const flsi_schema_load *load, const char *from, const flsi_bfbs_text *name)
{
    char whole[FLSI_SCHEMA_NAME_MOST + 1];
    size_t space = strlen(from);
    do {
        while (space > 0 && from[space - 1] != '.') {
            space--;
        }
        if (space + name->bytes <= FLSI_SCHEMA_NAME_MOST) {
            memcpy(whole, from, space);
            memcpy(whole + space, name->text, name->bytes);
            whole[space + name->bytes] = '\0';
            uint32_t found = flsi_schema_object_named(load->schema, whole);
            if (found != FLS_SCHEMA_NONE) {
                return found;
            }
        }
    } while (space-- > 0);
    return FLS_SCHEMA_NONE;
}

static fls_status take_nested(flsi_schema_load *load, const flsi_object *owner,
                              const flsi_bfbs_text *name, flsi_field *field)
{
    uint32_t object = memchr(name->text, 0, name->bytes) == NULL ? resolve(load, owner->name, name)
                                                                 : FLS_SCHEMA_NONE;
    if (object == FLS_SCHEMA_NONE) {
        return flsi_schema_refuse(load, "a nested buffer of a table that is not there");
    }
    if (load->objects[object].is_struct) {
        return flsi_schema_refuse(load, "a nested buffer of a struct");
    }
    field->kind = FLSI_NESTED;
    field->object = object;
    return FLS_OK;
}

/* Decimal digits; 0 for what is no power of two below 2^16. */
static uint32_t read_alignment(const flsi_bfbs_text *text)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < text->bytes; i++) {
        if (text->text[i] < '0' || text->text[i] > '9' || number > UINT16_MAX) {
            return 0;
        }
        number = number * 10 + (uint32_t)(text->text[i] - '0');
    }
    return (number & (number - 1)) == 0 && number <= UINT16_MAX ? number : 0;
}

static fls_status take_alignment(flsi_schema_load *load, const flsi_bfbs_text *text,
                                 flsi_field *field)
{
    field->content_alignment = read_alignment(text);
    if (field->content_alignment == 0) {
        return flsi_schema_refuse(load, "a force_align that is none");
    }
    if (field->content_alignment > FLSI_SCHEMA_ALIGN_MOST) {
        return flsi_schema_refuse_as(load, FLS_UNSUPPORTED, "an alignment of more than 64");
    }
    return FLS_OK;
}

static fls_status take_attributes(flsi_schema_load *load, const flsi_bfbs_table *table,
                                  const flsi_object *owner, flsi_field *field)
{
    flsi_bfbs_text text;
    int is_bytes = field->kind == FLSI_SCALAR_VECTOR && field->type == FLS_TYPE_U8 &&
                   field->enumeration == FLS_SCHEMA_NONE;
    fls_status status =
        flsi_schema_read_attribute(load, table, FIELD_ATTRIBUTES, "force_align", &text);
    if (status == FLS_OK && text.text != NULL &&
        (field->kind == FLSI_SCALAR_VECTOR || field->kind == FLSI_STRUCT_VECTOR)) {
        status = take_alignment(load, &text, field);
    }
    if (status == FLS_OK && is_bytes) {
        status = flsi_schema_read_attribute(load, table, FIELD_ATTRIBUTES, "flexbuffer", &text);
        field->flags |= text.text == NULL ? 0 : FLS_FIELD_FLEXBUFFER;
    }
    if (status == FLS_OK && is_bytes) {
        status =
            flsi_schema_read_attribute(load, table, FIELD_ATTRIBUTES, "nested_flatbuffer", &text);
        if (status == FLS_OK && text.text != NULL) {
            status = take_nested(load, owner, &text, field);
        }
    }
    return status;
}

/* ---- fields ---- */

static uint8_t read_flags(flsi_bfbs *file, const flsi_bfbs_table *table, const flsi_field *field)
{
    uint8_t flags = 0;
    if (flsi_bfbs_bits(file, table, FIELD_REQUIRED, 1, 0) != 0) {
        flags |= FLS_FIELD_REQUIRED;
    }
    /* flatc says "optional" of all that is not required, but only of scalars it means anything. */
    if (flsi_bfbs_bits(file, table, FIELD_OPTIONAL, 1, 0) != 0 && field->kind == FLSI_SCALAR &&
        field->type != FLS_TYPE_UNION_TAG) {
        flags |= FLS_FIELD_OPTIONAL;
    }
    if (flsi_bfbs_bits(file, table, FIELD_KEY, 1, 0) != 0) {
        flags |= FLS_FIELD_KEY;
    }
    if (flsi_bfbs_bits(file, table, FIELD_DEPRECATED, 1, 0) != 0) {
        flags |= FLS_FIELD_DEPRECATED;
    }
    return flags;
}

/* Finds the place of a field in its object; NULL with a status when it has none. */
static flsi_field *take_id(flsi_schema_load *load, const flsi_bfbs_table *table,
                           const flsi_object *owner, fls_status *status)
{
    uint32_t id = (uint32_t)flsi_bfbs_bits(&load->file, table, FIELD_ID, 2, 0);
    *status = flsi_schema_intact(load);
    if (*status != FLS_OK) {
        return NULL;
    }
    if (id >= owner->field_count) {
        *status = flsi_schema_refuse(load, "an id beyond the number of fields");
        return NULL;
    }
    flsi_field *field = &load->fields[owner->first_field + id];
    if (field->kind != 0) {
        *status = flsi_schema_refuse(load, "two fields of one id");
        return NULL;
    }
    field->id = id;
    return field;
}

static fls_status load_field(flsi_schema_load *load, const flsi_bfbs_table *table,
                             const flsi_object *owner)
{
    flsi_bfbs *file = &load->file;
    flsi_bfbs_text name;
    flsi_schema_type type;
    fls_status status = flsi_schema_read_name(load, table, FIELD_NAME, 0, &name);
    if (status != FLS_OK) {
        return status;
    }
    load->member = name.text;
    flsi_field *field = take_id(load, table, owner, &status);
    if (field == NULL) {
        return status;
    }
    field->name = name.text;
    field->name_bytes = name.bytes;
    status = flsi_schema_read_type(load, table, FIELD_TYPE, &type);
    if (status == FLS_OK && flsi_bfbs_bits(file, table, FIELD_OFFSET64, 1, 0) != 0) {
        status = flsi_schema_refuse_as(load, FLS_UNSUPPORTED,
                                       "of a 64-bit offset, which this version does not know");
    }
    if (status == FLS_OK) {
        status = take_type(load, &type, field);
    }
    if (status != FLS_OK) {
        return status;
    }
    field->place = (uint32_t)flsi_bfbs_bits(file, table, FIELD_OFFSET, 2, 0);
    field->flags = read_flags(file, table, field);
    status = take_default(load, table, field);
    if (status == FLS_OK) {
        status = take_attributes(load, table, owner, field);
    }
    return status == FLS_OK ? flsi_schema_intact(load) : status;
}

fls_status flsi_schema_load_fields(flsi_schema_load *load)
{
    fls_status status = FLS_OK;
    for (uint32_t i = 0; i < load->schema->object_count && status == FLS_OK; i++) {
        flsi_bfbs_table table = flsi_bfbs_element(&load->file, &load->object_tables, i);
        flsi_bfbs_vector fields = flsi_bfbs_references(&load->file, &table, OBJECT_FIELDS);
        const flsi_object *object = &load->objects[i];
        flsi_schema_at_object(load, i);
        for (uint32_t f = 0; f < object->field_count && status == FLS_OK; f++) {
            flsi_bfbs_table field = flsi_bfbs_element(&load->file, &fields, f);
            flsi_schema_at_member(load, f, NULL);
            status = load_field(load, &field, object);
        }
        if (status == FLS_OK) {
            load->member_index = FLS_SCHEMA_NONE;
            status = flsi_schema_index_fields(load, i);
        }
    }
    return status;
}
