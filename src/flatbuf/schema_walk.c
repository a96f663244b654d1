/* Walking a schema: what the flat arrays hold, in the words of the public header. */
#include <string.h>

#include "core/bytes.h"
#include "flatbuf/schema_private.h"

uint32_t fls_schema_root(const fls_schema *schema)
{
    return schema->root;
}

const char *fls_schema_identifier(const fls_schema *schema)
{
    return schema->identifier;
}

uint64_t fls_schema_hash(const fls_schema *schema)
{
    return schema->hash;
}

uint32_t fls_schema_object_count(const fls_schema *schema)
{
    return schema->object_count;
}

uint32_t fls_schema_enumeration_count(const fls_schema *schema)
{
    return schema->enumeration_count;
}

void fls_schema_get_object(const fls_schema *schema, uint32_t object, fls_schema_object *info)
{
    const flsi_object *from = &schema->objects[object];
    memset(info, 0, sizeof *info);
    info->name = from->name;
    info->index = object;
    info->field_count = from->field_count;
    info->is_struct = from->is_struct;
    info->bytes = from->bytes;
    info->alignment = from->alignment;
}

/* The type of a whole field, and whether field->type is that of its elements. */
static fls_type field_type(const flsi_field *field, int *has_elements)
{
    *has_elements = field->kind >= FLSI_SCALAR_VECTOR;
    switch (field->kind) {
    case FLSI_SCALAR: return (fls_type)field->type;
    case FLSI_STRUCT: return FLS_TYPE_STRUCT;
    case FLSI_STRING: return FLS_TYPE_STRING;
    case FLSI_TABLE: return FLS_TYPE_TABLE;
    case FLSI_UNION: return FLS_TYPE_UNION;
    case FLSI_SCALAR_ARRAY:
    case FLSI_STRUCT_ARRAY: return FLS_TYPE_ARRAY;
    default: return FLS_TYPE_VECTOR;
    }
}

void fls_schema_get_field(const fls_schema *schema, uint32_t object, uint32_t field,
                          fls_schema_field *info)
{
    const flsi_field *from = &schema->fields[schema->objects[object].first_field + field];
    int has_elements;
    memset(info, 0, sizeof *info);
    info->name = from->name;
    info->id = from->id;
    info->type = field_type(from, &has_elements);
    info->element = has_elements ? (fls_type)from->type : FLS_TYPE_NONE;
    info->object = from->kind == FLSI_NESTED ? FLS_SCHEMA_NONE : from->object;
    info->nested = from->kind == FLSI_NESTED ? from->object : FLS_SCHEMA_NONE;
    info->enumeration = from->enumeration;
    info->length = from->length;
    info->flags = from->flags;
    info->offset = from->place;
    info->bytes = from->bytes;
    info->alignment = from->alignment;
    info->content_alignment = from->content_alignment;
    if (from->kind != FLSI_SCALAR) {
        return;
    }
    if (from->type == FLS_TYPE_F64) {
        memcpy(&info->default_value.f, &from->default_bits, sizeof info->default_value.f);
    } else if (from->type == FLS_TYPE_F32) {
        uint32_t bits = (uint32_t)from->default_bits;
        float narrow;
        memcpy(&narrow, &bits, sizeof narrow);
        info->default_value.f = narrow;
    } else {
        info->default_value.i = (int64_t)from->default_bits;
    }
}

void fls_schema_get_enumeration(const fls_schema *schema, uint32_t enumeration,
                                fls_schema_enumeration *info)
{
    const flsi_enumeration *from = &schema->enumerations[enumeration];
    memset(info, 0, sizeof *info);
    info->name = from->name;
    info->index = enumeration;
    info->value_count = from->value_count;
    info->is_union = from->is_union;
    info->is_bit_flags = from->is_bit_flags;
    info->type = (fls_type)from->type;
}

void fls_schema_get_value(const fls_schema *schema, uint32_t enumeration, uint32_t value,
                          fls_schema_value *info)
{
    const flsi_value *from = &schema->values[schema->enumerations[enumeration].first_value + value];
    memset(info, 0, sizeof *info);
    info->name = from->name;
    info->value = from->value;
    info->object = from->object;
    switch (from->kind) {
    case FLSI_TABLE: info->type = FLS_TYPE_TABLE; break;
    case FLSI_STRUCT: info->type = FLS_TYPE_STRUCT; break;
    case FLSI_STRING: info->type = FLS_TYPE_STRING; break;
    default: info->type = FLS_TYPE_NONE; break;
    }
}

/* ---- finding by name ---- */

/* The name of an entry of an array, by what the array is of. */
typedef const char *name_of(const fls_schema *schema, uint32_t entry);

static const char *object_name(const fls_schema *schema, uint32_t entry)
{
    return schema->objects[entry].name;
}

static const char *enumeration_name(const fls_schema *schema, uint32_t entry)
{
    return schema->enumerations[entry].name;
}

static const char *field_name(const fls_schema *schema, uint32_t entry)
{
    return schema->fields[entry].name;
}

static const char *value_name(const fls_schema *schema, uint32_t entry)
{
    return schema->values[entry].name;
}

/* As strcmp, of a name that need not be terminated with one that is. */
static int compare(const char *name, size_t bytes, const char *with)
{
    int order = strncmp(name, with, bytes);
    return order != 0 || with[bytes] == '\0' ? order : -1;
}

/* Looks through the entries first .. first + count - 1, by their index where there is one. */
static uint32_t find(const fls_schema *schema, const uint32_t *by_name, uint32_t first,
                     uint32_t count, name_of *entry_name, const char *name, size_t bytes)
{
    if (by_name == NULL) {
        for (uint32_t i = first; i < first + count; i++) {
            if (compare(name, bytes, entry_name(schema, i)) == 0) {
                return i;
            }
        }
        return FLS_SCHEMA_NONE;
    }
    uint32_t low = first;
    uint32_t high = first + count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(name, bytes, entry_name(schema, by_name[middle]));
        if (order == 0) {
            return by_name[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return FLS_SCHEMA_NONE;
}

uint32_t flsi_schema_object_named(const fls_schema *schema, const char *name)
{
    return find(schema, schema->objects_by_name, 0, schema->object_count, object_name, name,
                strlen(name));
}

uint32_t flsi_schema_field_named(const fls_schema *schema, uint32_t object, const char *name,
                                 size_t name_bytes)
{
    const flsi_object *owner = &schema->objects[object];
    return find(schema, schema->fields_by_name, owner->first_field, owner->field_count, field_name,
                name, name_bytes);
}

uint32_t flsi_schema_value_named(const fls_schema *schema, uint32_t enumeration, const char *name,
                                 size_t name_bytes)
{
    const flsi_enumeration *owner = &schema->enumerations[enumeration];
    return find(schema, schema->values_by_name, owner->first_value, owner->value_count, value_name,
                name, name_bytes);
}

/* The one entry whose name without its namespace is name; NONE when there is none or more. */
static uint32_t find_last_part(const fls_schema *schema, uint32_t count, name_of *entry_name,
                               const char *name)
{
    size_t bytes = strlen(name);
    uint32_t found = FLS_SCHEMA_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const char *whole = entry_name(schema, i);
        size_t whole_bytes = strlen(whole);
        if (whole_bytes > bytes && whole[whole_bytes - bytes - 1] == '.' &&
            strcmp(whole + whole_bytes - bytes, name) == 0) {
            if (found != FLS_SCHEMA_NONE) {
                return FLS_SCHEMA_NONE;
            }
            found = i;
        }
    }
    return found;
}

uint32_t fls_schema_find_object(const fls_schema *schema, const char *name)
{
    uint32_t found = flsi_schema_object_named(schema, name);
    return found != FLS_SCHEMA_NONE
               ? found
               : find_last_part(schema, schema->object_count, object_name, name);
}

uint32_t fls_schema_find_enumeration(const fls_schema *schema, const char *name)
{
    uint32_t found = find(schema, schema->enumerations_by_name, 0, schema->enumeration_count,
                          enumeration_name, name, strlen(name));
    return found != FLS_SCHEMA_NONE
               ? found
               : find_last_part(schema, schema->enumeration_count, enumeration_name, name);
}

uint32_t fls_schema_find_field(const fls_schema *schema, uint32_t object, const char *name)
{
    uint32_t found = flsi_schema_field_named(schema, object, name, strlen(name));
    return found == FLS_SCHEMA_NONE ? found : found - schema->objects[object].first_field;
}

/* ---- what the rest of the library asks ---- */

const flsi_value *flsi_schema_value(const fls_schema *schema, uint32_t enumeration, int64_t value)
{
    const flsi_enumeration *owner = &schema->enumerations[enumeration];
    const flsi_value *values = schema->values + owner->first_value;
    uint32_t low = 0;
    uint32_t high = owner->value_count;
    if (owner->is_dense) {
        uint64_t place = (uint64_t)value - (uint64_t)values[0].value;
        return place < owner->value_count ? &values[place] : NULL;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (values[middle].value < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < owner->value_count && values[low].value == value ? &values[low] : NULL;
}

uint32_t flsi_schema_scalar_bytes(fls_type type)
{
    switch (type) {
    case FLS_TYPE_UNION_TAG:
    case FLS_TYPE_BOOL:
    case FLS_TYPE_I8:
    case FLS_TYPE_U8: return 1;
    case FLS_TYPE_I16:
    case FLS_TYPE_U16: return 2;
    case FLS_TYPE_I32:
    case FLS_TYPE_U32:
    case FLS_TYPE_F32: return 4;
    case FLS_TYPE_I64:
    case FLS_TYPE_U64:
    case FLS_TYPE_F64: return 8;
    default: return 0;
    }
}

int flsi_schema_value_fits(int64_t value, fls_type type)
{
    switch (type) {
    case FLS_TYPE_BOOL: return value == 0 || value == 1;
    case FLS_TYPE_I8: return value >= INT8_MIN && value <= INT8_MAX;
    case FLS_TYPE_UNION_TAG:
    case FLS_TYPE_U8: return value >= 0 && value <= UINT8_MAX;
    case FLS_TYPE_I16: return value >= INT16_MIN && value <= INT16_MAX;
    case FLS_TYPE_U16: return value >= 0 && value <= UINT16_MAX;
    case FLS_TYPE_I32: return value >= INT32_MIN && value <= INT32_MAX;
    case FLS_TYPE_U32: return value >= 0 && value <= UINT32_MAX;
    default: return 1; /* a u64 comes as signed */
    }
}
