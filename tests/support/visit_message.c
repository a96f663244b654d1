#include "support/visit_message.h"

static uint64_t visit_table(const fls_schema *schema, uint32_t object, const uint8_t *at);

static uint64_t number(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static uint64_t sum(const uint8_t *at, uint64_t bytes)
{
    uint64_t result = bytes;
    for (uint64_t i = 0; i < bytes; i++) {
        result = result * 31 + at[i];
    }
    return result;
}

static const uint8_t *target_of(const uint8_t *reference)
{
    return reference + number(reference, 4);
}

/* A field's bytes in a table, or NULL. */
static const uint8_t *find(const uint8_t *table, uint32_t place)
{
    const uint8_t *vtable = table - (int64_t)(int32_t)(uint32_t)number(table, 4);
    uint64_t offset = place < number(vtable, 2) ? number(vtable + place, 2) : 0;
    return offset != 0 ? table + offset : NULL;
}

static uint32_t scalar_bytes(fls_type type)
{
    switch (type) {
    case FLS_TYPE_I16:
    case FLS_TYPE_U16: return 2;
    case FLS_TYPE_I32:
    case FLS_TYPE_U32:
    case FLS_TYPE_F32: return 4;
    case FLS_TYPE_I64:
    case FLS_TYPE_U64:
    case FLS_TYPE_F64: return 8;
    default: return 1;
    }
}

static uint64_t visit_string(const uint8_t *at)
{
    return sum(at, 4 + number(at, 4) + 1);
}

static uint64_t visit_member(const fls_schema *schema, uint32_t enumeration, uint64_t tag,
                             const uint8_t *at)
{
    fls_schema_enumeration info;
    fls_schema_get_enumeration(schema, enumeration, &info);
    for (uint32_t i = 0; i < info.value_count; i++) {
        fls_schema_value member;
        fls_schema_get_value(schema, enumeration, i, &member);
        if ((uint64_t)member.value == tag && member.type == FLS_TYPE_TABLE) {
            return visit_table(schema, member.object, at);
        }
        if ((uint64_t)member.value == tag && member.type == FLS_TYPE_STRING) {
            return visit_string(at);
        }
        if ((uint64_t)member.value == tag && member.type == FLS_TYPE_STRUCT) {
            fls_schema_object object;
            fls_schema_get_object(schema, member.object, &object);
            return sum(at, object.bytes);
        }
    }
    return tag;
}

static uint64_t visit_vector(const fls_schema *schema, const fls_schema_field *field,
                             const uint8_t *table, const uint8_t *at)
{
    uint64_t count = number(at, 4);
    uint64_t result = count;
    fls_schema_object object;
    if (field->nested != FLS_SCHEMA_NONE) {
        return visit_message(schema, field->nested, at + 4);
    }
    switch (field->element) {
    case FLS_TYPE_STRUCT:
        fls_schema_get_object(schema, field->object, &object);
        return sum(at + 4, count * object.bytes);
    case FLS_TYPE_STRING:
        for (uint64_t i = 0; i < count; i++) {
            result += visit_string(target_of(at + 4 + 4 * i));
        }
        return result;
    case FLS_TYPE_TABLE:
        for (uint64_t i = 0; i < count; i++) {
            result += visit_table(schema, field->object, target_of(at + 4 + 4 * i));
        }
        return result;
    case FLS_TYPE_UNION: {
        const uint8_t *tags = target_of(find(table, field->offset - 2));
        for (uint64_t i = 0; i < count; i++) {
            result +=
                visit_member(schema, field->enumeration, tags[4 + i], target_of(at + 4 + 4 * i));
        }
        return result;
    }
    default: return sum(at + 4, count * scalar_bytes(field->element));
    }
}

static uint64_t visit_field(const fls_schema *schema, const fls_schema_field *field,
                            const uint8_t *table, const uint8_t *at)
{
    const uint8_t *tag = NULL;
    switch (field->type) {
    case FLS_TYPE_STRING: return visit_string(target_of(at));
    case FLS_TYPE_TABLE: return visit_table(schema, field->object, target_of(at));
    case FLS_TYPE_VECTOR: return visit_vector(schema, field, table, target_of(at));
    case FLS_TYPE_UNION:
        tag = find(table, field->offset - 2);
        return tag != NULL ? visit_member(schema, field->enumeration, tag[0], target_of(at)) : 0;
    default: return sum(at, field->bytes);
    }
}

static uint64_t visit_table(const fls_schema *schema, uint32_t object, const uint8_t *at)
{
    fls_schema_object info;
    uint64_t result = 0;
    fls_schema_get_object(schema, object, &info);
    for (uint32_t i = 0; i < info.field_count; i++) {
        fls_schema_field field;
        fls_schema_get_field(schema, object, i, &field);
        const uint8_t *place = find(at, field.offset);
        if (place != NULL && (field.flags & FLS_FIELD_DEPRECATED) == 0) {
            result += visit_field(schema, &field, at, place);
        }
    }
    return result;
}

uint64_t visit_message(const fls_schema *schema, uint32_t root, const void *payload)
{
    return visit_table(schema, root, target_of(payload));
}
