/* Binary schemas by the library's own builder, slot by slot. */
#include "support/bfbs.h"

#include <stdlib.h>
#include <string.h>

#include "flatstream/builder.h"

static fls_ref text(fls_builder *builder, const char *string)
{
    return fls_builder_string(builder, string, strlen(string));
}

static fls_ref build_type(fls_builder *builder, const bfbs_type *type)
{
    fls_table table = fls_builder_table(builder, 4);
    fls_builder_i8(builder, table, 0, (int8_t)type->base);
    fls_builder_i8(builder, table, 1, (int8_t)type->element);
    fls_builder_i32(builder, table, 2, type->index - 1);
    fls_builder_u16(builder, table, 3, (uint16_t)type->length);
    return fls_builder_end(builder, table);
}

static fls_ref build_attributes(fls_builder *builder, const bfbs_field *field)
{
    fls_ref key = text(builder, field->attribute);
    fls_ref value = text(builder, field->attribute_value);
    fls_table table = fls_builder_table(builder, 2);
    fls_builder_ref(builder, table, 0, key);
    fls_builder_ref(builder, table, 1, value);
    fls_ref attribute = fls_builder_end(builder, table);
    return fls_builder_ref_vector(builder, &attribute, 1);
}

static fls_ref build_field(fls_builder *builder, const bfbs_field *field, int is_struct)
{
    fls_ref name = text(builder, field->name);
    fls_ref type = build_type(builder, &field->type);
    fls_ref attributes = {0};
    if (field->attribute != NULL) {
        attributes = build_attributes(builder, field);
    }
    int offset = field->offset != 0 || is_struct ? field->offset : 4 + 2 * field->id;
    fls_table table = fls_builder_table(builder, 14);
    fls_builder_ref(builder, table, 0, name);
    fls_builder_ref(builder, table, 1, type);
    fls_builder_u16(builder, table, 2, (uint16_t)field->id);
    fls_builder_u16(builder, table, 3, (uint16_t)offset);
    fls_builder_i64(builder, table, 4, field->default_integer);
    fls_builder_f64(builder, table, 5, field->default_real);
    fls_builder_bool(builder, table, 6, field->deprecated);
    fls_builder_bool(builder, table, 7, field->required);
    fls_builder_bool(builder, table, 8, field->key);
    if (field->attribute != NULL) {
        fls_builder_ref(builder, table, 9, attributes);
    }
    fls_builder_bool(builder, table, 11, field->optional);
    fls_builder_bool(builder, table, 13, field->offset64);
    return fls_builder_end(builder, table);
}

static fls_ref build_object(fls_builder *builder, const bfbs_object *object)
{
    fls_ref refs[BFBS_MOST];
    size_t count = 0;
    fls_ref name = text(builder, object->name);
    while (count < BFBS_MOST && object->fields[count].name != NULL) {
        refs[count] = build_field(builder, &object->fields[count], object->is_struct);
        count++;
    }
    fls_ref fields = fls_builder_ref_vector(builder, refs, count);
    fls_table table = fls_builder_table(builder, 5);
    fls_builder_ref(builder, table, 0, name);
    fls_builder_ref(builder, table, 1, fields);
    fls_builder_bool(builder, table, 2, object->is_struct);
    fls_builder_i32(builder, table, 3, object->minalign);
    fls_builder_i32(builder, table, 4, object->bytesize);
    return fls_builder_end(builder, table);
}

static fls_ref build_value(fls_builder *builder, const bfbs_value *value, int is_union)
{
    fls_ref name = text(builder, value->name);
    fls_ref type = {0};
    if (is_union) {
        type = build_type(builder, &value->type);
    }
    fls_table table = fls_builder_table(builder, 4);
    fls_builder_ref(builder, table, 0, name);
    fls_builder_i64(builder, table, 1, value->value);
    if (is_union) {
        fls_builder_ref(builder, table, 3, type);
    }
    return fls_builder_end(builder, table);
}

static fls_ref build_enum(fls_builder *builder, const bfbs_enum *enumeration)
{
    fls_ref refs[BFBS_MOST];
    size_t count = 0;
    bfbs_type underlying = {enumeration->base, 0, 0, 0};
    fls_ref name = text(builder, enumeration->name);
    fls_ref type = build_type(builder, &underlying);
    while (count < BFBS_MOST && enumeration->values[count].name != NULL) {
        refs[count] = build_value(builder, &enumeration->values[count], enumeration->is_union);
        count++;
    }
    fls_ref values = fls_builder_ref_vector(builder, refs, count);
    fls_table table = fls_builder_table(builder, 4);
    fls_builder_ref(builder, table, 0, name);
    fls_builder_ref(builder, table, 1, values);
    fls_builder_bool(builder, table, 2, enumeration->is_union);
    fls_builder_ref(builder, table, 3, type);
    return fls_builder_end(builder, table);
}

void bfbs_build(const bfbs_schema *schema, byte_buffer *to)
{
    fls_builder *builder = NULL;
    fls_ref objects[BFBS_MOST];
    fls_ref enums[BFBS_MOST];
    size_t object_count = 0;
    size_t enum_count = 0;
    const void *data = NULL;
    size_t size = 0;
    if (fls_builder_new(&builder, NULL, NULL) != FLS_OK) {
        abort();
    }
    while (object_count < BFBS_MOST && schema->objects[object_count].name != NULL) {
        objects[object_count] = build_object(builder, &schema->objects[object_count]);
        object_count++;
    }
    while (enum_count < BFBS_MOST && schema->enums[enum_count].name != NULL) {
        enums[enum_count] = build_enum(builder, &schema->enums[enum_count]);
        enum_count++;
    }
    fls_ref object_vector = fls_builder_ref_vector(builder, objects, object_count);
    fls_ref enum_vector = fls_builder_ref_vector(builder, enums, enum_count);
    fls_ref identifier = {0};
    if (schema->identifier != NULL) {
        identifier = text(builder, schema->identifier);
    }
    fls_table table = fls_builder_table(builder, 5);
    fls_builder_ref(builder, table, 0, object_vector);
    fls_builder_ref(builder, table, 1, enum_vector);
    if (schema->identifier != NULL) {
        fls_builder_ref(builder, table, 2, identifier);
    }
    if (schema->root != 0) {
        fls_builder_ref(builder, table, 4, objects[schema->root - 1]);
    }
    fls_ref root = fls_builder_end(builder, table);
    if (fls_builder_finish(builder, root, "BFBS", &data, &size, NULL) != FLS_OK) {
        abort();
    }
    bytes_clear(to);
    bytes_append(to, data, size);
    fls_builder_free(builder);
}
