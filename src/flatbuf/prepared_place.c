/* Where the parts of a message lie, by path. The message was verified, so that every offset in it
 * leads to what the schema says, but for those in deprecated fields: no path leads there.
 */
#include <stdio.h>

#include "flatbuf/prepared_private.h"

fls_status flsi_place_refuse(const char *path, const char *why, fls_error *err)
{
    char text[sizeof err->text];
    (void)snprintf(text, sizeof text, "%.90s: %s", path, why);
    return fls_error_set(err, FLS_INVALID_ARGUMENT, 0, text);
}

/* The offset in a message that stands at a place of it. */
static uint32_t follow(const flsi_model *model, uint32_t at)
{
    return at + flsi_load_le32(model->bytes + at);
}

static uint32_t vtable_of(const flsi_model *model, uint32_t table)
{
    return table - flsi_load_le32(model->bytes + table);
}

/* Where a field's value or reference stands; 0 when it is absent. */
static uint32_t field_at(const flsi_model *model, uint32_t table, const flsi_field *field)
{
    uint32_t vtable = vtable_of(model, table);
    if (field->place >= flsi_load_le16(model->bytes + vtable)) {
        return 0;
    }
    uint32_t offset = flsi_load_le16(model->bytes + vtable + field->place);
    return offset == 0 ? 0 : table + offset;
}

/* Makes the part the member of a union that a tag says, whose reference stands at `at`. 0 for none
 * and for members that the schema does not know. */
static int enter_member(const flsi_model *model, const flsi_field *field, uint8_t tag, uint32_t at,
                        flsi_part *part)
{
    const flsi_value *member = flsi_schema_value(model->schema, field->enumeration, tag);
    if (member == NULL || member->kind == 0) {
        return 0;
    }
    part->kind = member->kind;
    part->object = member->object;
    part->at = follow(model, at);
    if (member->kind == FLSI_STRUCT) {
        part->bytes = model->schema->objects[member->object].bytes;
    } else if (member->kind == FLSI_STRING) {
        part->count = flsi_load_le32(model->bytes + part->at);
    }
    return 1;
}

/* What a field declares, at the value or reference that stands at `at`. */
static int enter_field(const flsi_model *model, const flsi_field *field, uint32_t at,
                       flsi_part *part)
{
    uint32_t table = part->table;
    part->kind = field->kind;
    part->type = field->type;
    part->at = at;
    part->bytes = field->bytes;
    part->object = field->object;
    switch (field->kind) {
    case FLSI_SCALAR:
    case FLSI_STRUCT: return 1;
    case FLSI_SCALAR_ARRAY:
    case FLSI_STRUCT_ARRAY: part->count = field->length; return 1;
    case FLSI_UNION: {
        uint32_t tag = field_at(model, table, field - 1);
        return tag != 0 && enter_member(model, field, model->bytes[tag], at, part);
    }
    case FLSI_TABLE: part->at = follow(model, at); return 1;
    case FLSI_UNION_VECTOR: {
        uint32_t tags = field_at(model, table, field - 1);
        if (tags == 0) {
            return 0;
        }
        part->tags = follow(model, tags);
        break;
    }
    default: break;
    }
    part->at = follow(model, at);
    part->count = flsi_load_le32(model->bytes + part->at);
    return 1;
}

static const char *step_into(const flsi_model *model, const char *name, size_t length,
                             flsi_part *part)
{
    if (part->kind != FLSI_TABLE && part->kind != FLSI_STRUCT) {
        return "has no fields where the path goes on";
    }
    uint32_t number = flsi_schema_field_named(model->schema, part->object, name, length);
    if (number == FLS_SCHEMA_NONE) {
        return "there is no such field";
    }
    const flsi_field *field = &model->schema->fields[number];
    if ((field->flags & FLS_FIELD_DEPRECATED) != 0) {
        return "is deprecated"; /* nothing is known of what stands there: it was not verified */
    }
    uint32_t at = part->at + field->place;
    part->field = field;
    part->table = 0;
    if (part->kind == FLSI_TABLE) {
        part->table = part->at;
        at = field_at(model, part->at, field);
    }
    if (at == 0 || !enter_field(model, field, at, part)) {
        return "is not in the message";
    }
    return NULL;
}

/* Element `index` of a vector or array. */
static const char *step_to(const flsi_model *model, uint32_t index, flsi_part *part)
{
    const flsi_field *field = part->field;
    uint32_t first = part->at + 4;
    if (part->kind == FLSI_SCALAR_ARRAY || part->kind == FLSI_STRUCT_ARRAY) {
        first = part->at;
    } else if (part->kind < FLSI_SCALAR_VECTOR || part->kind > FLSI_UNION_VECTOR ||
               (field->flags & FLS_FIELD_FLEXBUFFER) != 0) {
        return "is no vector or array where the path has an index";
    }
    if (index >= part->count) {
        return "has an index beyond the last element";
    }
    uint32_t at = first + index * field->element_bytes;
    part->table = 0;
    part->bytes = field->element_bytes;
    switch (part->kind) {
    case FLSI_SCALAR_VECTOR:
    case FLSI_SCALAR_ARRAY:
        part->kind = FLSI_SCALAR;
        part->at = at;
        return NULL;
    case FLSI_STRUCT_VECTOR:
    case FLSI_STRUCT_ARRAY:
        part->kind = FLSI_STRUCT;
        part->at = at;
        return NULL;
    case FLSI_TABLE_VECTOR:
        part->kind = FLSI_TABLE;
        part->at = follow(model, at);
        return NULL;
    case FLSI_STRING_VECTOR:
        part->kind = FLSI_STRING;
        part->at = follow(model, at);
        part->count = flsi_load_le32(model->bytes + part->at);
        return NULL;
    default:
        if (index >= flsi_load_le32(model->bytes + part->tags) ||
            !enter_member(model, field, model->bytes[part->tags + 4 + index], at, part)) {
            return "is not in the message";
        }
        return NULL;
    }
}

/* A decimal number and its bracket; 0 when it is none. */
static int read_index(const char **text, uint32_t *index)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++) {
        value = 10 * value + (uint64_t)(*at - '0');
    }
    if (at == *text || *at != ']' || value > UINT32_MAX) {
        return 0;
    }
    *index = (uint32_t)value;
    *text = at + 1;
    return 1;
}

fls_status flsi_place_find(const flsi_model *model, const char *path, flsi_part *part,
                           fls_error *err)
{
    const char *text = path;
    const char *why = NULL;
    *part = (flsi_part){.kind = FLSI_TABLE, .object = model->root, .at = follow(model, 0)};
    while (why == NULL) {
        size_t length = strcspn(text, ".[");
        why = step_into(model, text, length, part);
        text += length;
        while (why == NULL && *text == '[') {
            uint32_t index;
            text++;
            if (!read_index(&text, &index)) {
                why = "has an index that is no number in brackets";
            } else {
                why = step_to(model, index, part);
            }
        }
        if (why == NULL && *text == '\0') {
            return FLS_OK;
        }
        if (why == NULL && *text++ != '.') {
            why = "goes on with what is no field";
        }
    }
    return flsi_place_refuse(path, why, err);
}

static uint32_t count_in(const flsi_model *model, uint32_t table, uint32_t object, uint32_t vtable);

static uint32_t count_in_elements(const flsi_model *model, const flsi_part *vector, uint32_t vtable)
{
    uint32_t count = 0;
    if (vector->kind != FLSI_TABLE_VECTOR && vector->kind != FLSI_UNION_VECTOR) {
        return 0;
    }
    for (uint32_t i = 0; i < vector->count; i++) {
        flsi_part element = *vector;
        if (step_to(model, i, &element) == NULL && element.kind == FLSI_TABLE) {
            count += count_in(model, element.at, element.object, vtable);
        }
    }
    return count;
}

/* The depth is limited, because the message was verified. */
static uint32_t count_in(const flsi_model *model, uint32_t table, uint32_t object, uint32_t vtable)
{
    const flsi_object *type = &model->schema->objects[object];
    uint32_t count = vtable_of(model, table) == vtable;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const flsi_field *field = &model->schema->fields[type->first_field + i];
        uint32_t at = field_at(model, table, field);
        flsi_part part = {.table = table, .field = field};
        if (at == 0 || (field->flags & FLS_FIELD_DEPRECATED) != 0 ||
            !enter_field(model, field, at, &part)) {
            continue;
        }
        if (part.kind == FLSI_TABLE) {
            count += count_in(model, part.at, part.object, vtable);
        } else {
            count += count_in_elements(model, &part, vtable);
        }
    }
    return count;
}

uint32_t flsi_place_count_vtable(const flsi_model *model, uint32_t vtable)
{
    return count_in(model, follow(model, 0), model->root, vtable);
}
