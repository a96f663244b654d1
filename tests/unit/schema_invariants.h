/* What holds of every schema that was loaded (schema_private.h), looked at in all of it. */
#ifndef TESTS_UNIT_SCHEMA_INVARIANTS_H
#define TESTS_UNIT_SCHEMA_INVARIANTS_H

#include <string.h>

#include "flatbuf/schema_private.h"
#include "support/testing.h"

static int invariant_name(const char *name, int dots)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        int letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                     name[i] == '_';
        int digit = name[i] >= '0' && name[i] <= '9';
        if (!letter && !digit && !(dots && name[i] == '.')) {
            return 0;
        }
    }
    return length > 0 && length <= FLSI_SCHEMA_NAME_MOST;
}

static void invariant_index(const uint32_t *by_name, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        assert_in_range(by_name[i], first, first + count - 1);
    }
}

static void invariant_inline(const fls_schema *schema, const flsi_field *field)
{
    uint32_t scalar = flsi_schema_scalar_bytes((fls_type)field->type);
    switch (field->kind) {
    case FLSI_SCALAR:
        assert_true(scalar > 0 && field->bytes == scalar && field->alignment == scalar);
        break;
    case FLSI_SCALAR_ARRAY:
        assert_true(scalar > 0 && field->alignment == scalar && field->element_bytes == scalar);
        assert_int_equal(field->bytes, scalar * field->length);
        break;
    case FLSI_STRUCT:
    case FLSI_STRUCT_ARRAY: {
        const flsi_object *inner = &schema->objects[field->object];
        assert_true(inner->is_struct);
        assert_int_equal(field->alignment, inner->alignment);
        uint32_t length = field->kind == FLSI_STRUCT ? 1 : field->length;
        assert_true(length > 0 && length <= UINT16_MAX);
        assert_int_equal(field->bytes, (uint64_t)inner->bytes * length);
        break;
    }
    default: assert_true(field->bytes == 4 && field->alignment == 4); break;
    }
}

static void invariant_reference(const fls_schema *schema, const flsi_field *field)
{
    int names_object = field->kind == FLSI_STRUCT || field->kind == FLSI_STRUCT_ARRAY ||
                       field->kind == FLSI_STRUCT_VECTOR || field->kind == FLSI_TABLE ||
                       field->kind == FLSI_TABLE_VECTOR || field->kind == FLSI_NESTED;
    if (names_object) {
        assert_true(field->object < schema->object_count);
        int is_struct = field->kind == FLSI_STRUCT || field->kind == FLSI_STRUCT_ARRAY ||
                        field->kind == FLSI_STRUCT_VECTOR;
        assert_int_equal(schema->objects[field->object].is_struct, is_struct);
    } else {
        assert_int_equal(field->object, FLS_SCHEMA_NONE);
    }
    if (field->enumeration != FLS_SCHEMA_NONE) {
        assert_true(field->enumeration < schema->enumeration_count);
        const flsi_enumeration *named = &schema->enumerations[field->enumeration];
        int is_union = field->type == FLS_TYPE_UNION || field->type == FLS_TYPE_UNION_TAG;
        assert_int_equal(named->is_union, is_union);
        assert_true(is_union || named->type == field->type);
    } else {
        assert_true(field->type != FLS_TYPE_UNION && field->type != FLS_TYPE_UNION_TAG);
    }
}

static void invariant_vector(const fls_schema *schema, const flsi_field *field)
{
    uint32_t bytes = 4;
    uint32_t alignment = 4;
    switch (field->kind) {
    case FLSI_SCALAR_VECTOR:
    case FLSI_NESTED: bytes = alignment = flsi_schema_scalar_bytes((fls_type)field->type); break;
    case FLSI_STRUCT_VECTOR:
        bytes = schema->objects[field->object].bytes;
        alignment = schema->objects[field->object].alignment;
        break;
    case FLSI_STRING_VECTOR:
    case FLSI_TABLE_VECTOR:
    case FLSI_UNION_VECTOR: break;
    default: return;
    }
    assert_true(bytes > 0 && field->element_bytes == bytes);
    assert_true(field->content_alignment >= alignment &&
                field->content_alignment <= FLSI_SCHEMA_ALIGN_MOST &&
                (field->content_alignment & (field->content_alignment - 1)) == 0);
    assert_true(field->kind != FLSI_NESTED || field->type == FLS_TYPE_U8);
}

static void invariant_table_field(const flsi_object *object, const flsi_field *field)
{
    assert_int_equal(field->place, 4 + 2 * field->id);
    assert_true(field->kind != FLSI_SCALAR_ARRAY && field->kind != FLSI_STRUCT_ARRAY);
    assert_true((field->flags & FLS_FIELD_REQUIRED) == 0 || field->kind != FLSI_SCALAR);
    assert_true((field->flags & FLS_FIELD_REQUIRED) == 0 ||
                (field->flags & FLS_FIELD_DEPRECATED) == 0);
    assert_true((field->flags & FLS_FIELD_REQUIRED) == 0 || object->has_required);
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        assert_true(field->id > 0);
        assert_int_equal(field[-1].kind,
                         field->kind == FLSI_UNION ? FLSI_SCALAR : FLSI_SCALAR_VECTOR);
        assert_int_equal(field[-1].type, FLS_TYPE_UNION_TAG);
        assert_int_equal(field[-1].enumeration, field->enumeration);
    }
    if (field->type == FLS_TYPE_UNION_TAG) {
        assert_true(field->id + 1 < object->field_count);
        assert_int_equal(field[1].kind,
                         field->kind == FLSI_SCALAR ? FLSI_UNION : FLSI_UNION_VECTOR);
    }
}

static void invariant_struct(const fls_schema *schema, const flsi_object *object)
{
    uint64_t end = 0;
    assert_in_range(object->depth, 1, FLSI_SCHEMA_STRUCT_DEPTH);
    assert_true(object->bytes > 0 && object->bytes <= INT32_MAX);
    assert_true(object->alignment > 0 && object->alignment <= FLSI_SCHEMA_ALIGN_MOST &&
                (object->alignment & (object->alignment - 1)) == 0);
    assert_int_equal(object->bytes % object->alignment, 0);
    for (uint32_t i = 0; i < object->field_count; i++) {
        const flsi_field *field = &schema->fields[object->first_field + i];
        assert_true(field->place >= end);
        assert_int_equal(field->place % field->alignment, 0);
        assert_true(object->alignment >= field->alignment);
        end = (uint64_t)field->place + field->bytes;
        assert_true(end <= object->bytes);
        assert_true(field->kind == FLSI_SCALAR || field->kind == FLSI_STRUCT ||
                    field->kind == FLSI_SCALAR_ARRAY || field->kind == FLSI_STRUCT_ARRAY);
        assert_true(field->type != FLS_TYPE_UNION_TAG);
        if (field->object != FLS_SCHEMA_NONE) {
            assert_true(schema->objects[field->object].depth < object->depth);
        }
    }
}

static void invariant_objects(const fls_schema *schema)
{
    uint32_t next = 0;
    invariant_index(schema->objects_by_name, 0, schema->object_count);
    for (uint32_t o = 0; o < schema->object_count; o++) {
        const flsi_object *object = &schema->objects[o];
        assert_true(invariant_name(object->name, 1));
        assert_int_equal(object->first_field, next);
        next += object->field_count;
        assert_true(next <= schema->field_count);
        invariant_index(schema->fields_by_name, object->first_field, object->field_count);
        if (object->key != FLS_SCHEMA_NONE) {
            assert_true(object->key < object->field_count);
            const flsi_field *key = &schema->fields[object->first_field + object->key];
            assert_true(key->kind == FLSI_SCALAR || key->kind == FLSI_STRING);
            assert_int_equal(key->flags & (FLS_FIELD_KEY | FLS_FIELD_DEPRECATED), FLS_FIELD_KEY);
        }
        assert_int_equal(flsi_schema_object_named(schema, object->name), o);
        assert_int_equal(fls_schema_find_object(schema, object->name), o);
        for (uint32_t i = 0; i < object->field_count; i++) {
            const flsi_field *field = &schema->fields[object->first_field + i];
            assert_int_equal(field->id, i);
            assert_true(invariant_name(field->name, 0));
            assert_int_equal(field->name_bytes, strlen(field->name));
            assert_in_range(field->kind, FLSI_SCALAR, FLSI_STRUCT_ARRAY);
            invariant_reference(schema, field);
            invariant_inline(schema, field);
            invariant_vector(schema, field);
            if (!object->is_struct) {
                invariant_table_field(object, field);
            }
            assert_int_equal(fls_schema_find_field(schema, o, field->name), i);
        }
        if (object->is_struct) {
            invariant_struct(schema, object);
        } else {
            assert_int_equal(object->depth, 0);
            assert_true(object->field_count <= 32765);
        }
    }
    assert_int_equal(next, schema->field_count);
}

static void invariant_value(const fls_schema *schema, const flsi_enumeration *owner,
                            const flsi_value *value)
{
    assert_true(invariant_name(value->name, owner->is_union));
    assert_int_equal(value->name_bytes, strlen(value->name));
    assert_true(flsi_schema_value_fits(value->value, (fls_type)owner->type));
    if (!owner->is_union || value->value == 0) {
        assert_int_equal(value->kind, 0);
        assert_int_equal(value->object, FLS_SCHEMA_NONE);
    } else if (value->kind == FLSI_STRING) {
        assert_int_equal(value->object, FLS_SCHEMA_NONE);
    } else {
        assert_true(value->kind == FLSI_TABLE || value->kind == FLSI_STRUCT);
        assert_true(value->object < schema->object_count);
        assert_int_equal(schema->objects[value->object].is_struct, value->kind == FLSI_STRUCT);
    }
}

static void invariant_enumerations(const fls_schema *schema)
{
    uint32_t next = 0;
    invariant_index(schema->enumerations_by_name, 0, schema->enumeration_count);
    for (uint32_t e = 0; e < schema->enumeration_count; e++) {
        const flsi_enumeration *owner = &schema->enumerations[e];
        assert_true(invariant_name(owner->name, 1));
        assert_int_equal(owner->first_value, next);
        next += owner->value_count;
        assert_true(next <= schema->value_count);
        invariant_index(schema->values_by_name, owner->first_value, owner->value_count);
        assert_int_equal(fls_schema_find_enumeration(schema, owner->name), e);
        assert_true(owner->is_union ? owner->type == FLS_TYPE_UNION_TAG
                                    : owner->type >= FLS_TYPE_BOOL && owner->type <= FLS_TYPE_U64);
        assert_true(!owner->is_union || flsi_schema_value(schema, e, 0) != NULL);
        for (uint32_t i = 0; i < owner->value_count; i++) {
            const flsi_value *value = &schema->values[owner->first_value + i];
            assert_true(i == 0 || value[-1].value < value->value);
            invariant_value(schema, owner, value);
            assert_ptr_equal(flsi_schema_value(schema, e, value->value), value);
            assert_int_equal(flsi_schema_value_named(schema, e, value->name, value->name_bytes),
                             owner->first_value + i);
        }
    }
    assert_int_equal(next, schema->value_count);
}

/* Fails the test when something does not hold. */
static void check_invariants(const fls_schema *schema)
{
    invariant_objects(schema);
    invariant_enumerations(schema);
    assert_true(schema->root == FLS_SCHEMA_NONE || schema->root < schema->object_count);
    assert_true(schema->root == FLS_SCHEMA_NONE || !schema->objects[schema->root].is_struct);
    size_t identifier_bytes = strlen(schema->identifier);
    assert_true(identifier_bytes == 0 || identifier_bytes == 4);
}

#endif
