/* Where the parts of a message lie, by path. The message was verified, so that every offset in it
 * leads to what the schema says.
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

/* Makes the spot the member of a union that a tag says, whose reference stands at `at`. 0 for none
 * and for members that the schema does not know. */
static int enter_member(const flsi_model *model, const flsi_field *field, uint8_t tag, uint32_t at,
                        flsi_spot *spot)
{
    const flsi_value *member = flsi_schema_value(model->schema, field->enumeration, tag);
    if (member == NULL || member->kind == 0) {
        return 0;
    }
    spot->kind = member->kind;
    spot->object = member->object;
    spot->at = follow(model, at);
    if (member->kind == FLSI_STRUCT) {
        spot->bytes = model->schema->objects[member->object].bytes;
    } else if (member->kind == FLSI_STRING) {
        spot->count = flsi_load_le32(model->bytes + spot->at);
    }
    return 1;
}

/* What a field declares, at the value or reference that stands at `at`. */
static int enter_field(const flsi_model *model, const flsi_field *field, uint32_t at,
                       flsi_spot *spot)
{
    uint32_t table = spot->table;
    spot->kind = field->kind;
    spot->type = field->type;
    spot->at = at;
    spot->bytes = field->bytes;
    spot->object = field->object;
    switch (field->kind) {
    case FLSI_SCALAR:
    case FLSI_STRUCT: return 1;
    case FLSI_SCALAR_ARRAY:
    case FLSI_STRUCT_ARRAY: spot->count = field->length; return 1;
    case FLSI_UNION: {
        uint32_t tag = field_at(model, table, field - 1);
        return tag != 0 && enter_member(model, field, model->bytes[tag], at, spot);
    }
    case FLSI_TABLE: spot->at = follow(model, at); return 1;
    case FLSI_UNION_VECTOR: {
        uint32_t tags = field_at(model, table, field - 1);
        if (tags == 0) {
            return 0;
        }
        spot->tags = follow(model, tags);
        break;
    }
    default: break;
    }
    spot->at = follow(model, at);
    spot->count = flsi_load_le32(model->bytes + spot->at);
    return 1;
}

static const char *step_into(const flsi_model *model, const char *name, size_t length,
                             flsi_spot *spot)
{
    if (spot->kind != FLSI_TABLE && spot->kind != FLSI_STRUCT) {
        return "has no fields where the path goes on";
    }
    uint32_t number = flsi_schema_field_named(model->schema, spot->object, name, length);
    if (number == FLS_SCHEMA_NONE) {
        return "there is no such field";
    }
    const flsi_field *field = &model->schema->fields[number];
    uint32_t at = spot->at + field->place;
    spot->field = field;
    spot->table = 0;
    if (spot->kind == FLSI_TABLE) {
        spot->table = spot->at;
        at = field_at(model, spot->at, field);
    }
    if (at == 0 || !enter_field(model, field, at, spot)) {
        return "is not in the message";
    }
    return NULL;
}

/* Element `index` of a vector or array. */
static const char *step_to(const flsi_model *model, uint32_t index, flsi_spot *spot)
{
    const flsi_field *field = spot->field;
    uint32_t first = spot->at + 4;
    if (spot->kind == FLSI_SCALAR_ARRAY || spot->kind == FLSI_STRUCT_ARRAY) {
        first = spot->at;
    } else if (spot->kind < FLSI_SCALAR_VECTOR || spot->kind > FLSI_UNION_VECTOR) {
        return "is no vector or array where the path has an index";
    }
    if (index >= spot->count) {
        return "has an index beyond the last element";
    }
    uint32_t at = first + index * field->element_bytes;
    spot->table = 0;
    spot->bytes = field->element_bytes;
    switch (spot->kind) {
    case FLSI_SCALAR_VECTOR:
    case FLSI_SCALAR_ARRAY:
        spot->kind = FLSI_SCALAR;
        spot->at = at;
        return NULL;
    case FLSI_STRUCT_VECTOR:
    case FLSI_STRUCT_ARRAY:
        spot->kind = FLSI_STRUCT;
        spot->at = at;
        return NULL;
    case FLSI_TABLE_VECTOR:
        spot->kind = FLSI_TABLE;
        spot->at = follow(model, at);
        return NULL;
    case FLSI_STRING_VECTOR:
        spot->kind = FLSI_STRING;
        spot->at = follow(model, at);
        spot->count = flsi_load_le32(model->bytes + spot->at);
        return NULL;
    default:
        if (index >= flsi_load_le32(model->bytes + spot->tags) ||
            !enter_member(model, field, model->bytes[spot->tags + 4 + index], at, spot)) {
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

fls_status flsi_place_find(const flsi_model *model, const char *path, flsi_spot *spot,
                           fls_error *err)
{
    const char *text = path;
    const char *why = NULL;
    *spot = (flsi_spot){.kind = FLSI_TABLE, .object = model->root, .at = follow(model, 0)};
    while (why == NULL) {
        size_t length = strcspn(text, ".[");
        why = step_into(model, text, length, spot);
        text += length;
        while (why == NULL && *text == '[') {
            uint32_t index;
            text++;
            if (!read_index(&text, &index)) {
                why = "has an index that is no number in brackets";
            } else {
                why = step_to(model, index, spot);
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

static uint32_t count_in_elements(const flsi_model *model, const flsi_spot *vector, uint32_t vtable)
{
    uint32_t count = 0;
    if (vector->kind != FLSI_TABLE_VECTOR && vector->kind != FLSI_UNION_VECTOR) {
        return 0;
    }
    for (uint32_t i = 0; i < vector->count; i++) {
        flsi_spot element = *vector;
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
        flsi_spot spot = {.table = table, .field = field};
        if (at == 0 || (field->flags & FLS_FIELD_DEPRECATED) != 0 ||
            !enter_field(model, field, at, &spot)) {
            continue;
        }
        if (spot.kind == FLSI_TABLE) {
            count += count_in(model, spot.at, spot.object, vtable);
        } else {
            count += count_in_elements(model, &spot, vtable);
        }
    }
    return count;
}

uint32_t flsi_place_count_vtable(const flsi_model *model, uint32_t vtable)
{
    return count_in(model, follow(model, 0), model->root, vtable);
}
