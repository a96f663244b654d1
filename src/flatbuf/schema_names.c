/* The names of a schema: which ones are names at all, and their order, by which things are found
 * and two of one name are told.
 *
 * Only what a .fbs can spell is let in. So a name can stand in JSON, in a path and on a terminal as
 * it is, and ends where its zero is.
 */
#include "flatbuf/characters.h"
#include "flatbuf/schema_load.h"

/* Words of a letter and then letters and digits, with single dots between them. */
static int is_name(const flsi_bfbs_text *name, int dots)
{
    int begins = 1;
    for (uint32_t i = 0; i < name->bytes; i++) {
        char c = name->text[i];
        if (flsi_is_letter(c) || (flsi_is_digit(c) && !begins)) {
            begins = 0;
        } else if (c == '.' && dots && !begins) {
            begins = 1;
        } else {
            return 0;
        }
    }
    return !begins;
}

fls_status flsi_schema_read_name(flsi_schema_load *load, const flsi_bfbs_table *table,
                                 uint32_t slot, int dots, flsi_bfbs_text *name)
{
    *name = flsi_bfbs_string(&load->file, table, slot);
    fls_status status = flsi_schema_intact(load);
    if (status != FLS_OK) {
        return status;
    }
    if (name->bytes > FLSI_SCHEMA_NAME_MOST) {
        return flsi_schema_refuse_as(load, FLS_UNSUPPORTED, "a name of more than 1024 bytes");
    }
    if (name->bytes == 0 || !is_name(name, dots)) {
        return flsi_schema_refuse(load, "has a name that is not one");
    }
    return FLS_OK;
}

/* ---- sorting ---- */

typedef int is_before(const void *self, uint32_t a, uint32_t b);

/* Lets the entry at `at` sink to where both below it belong in front of it. */
static void sink(uint32_t *indices, uint32_t at, uint32_t count, is_before *before,
                 const void *self)
{
    uint32_t entry = indices[at];
    while (at < count / 2) {
        uint32_t below = 2 * at + 1;
        if (below + 1 < count && before(self, indices[below], indices[below + 1])) {
            below++;
        }
        if (!before(self, entry, indices[below])) {
            break;
        }
        indices[at] = indices[below];
        at = below;
    }
    indices[at] = entry;
}

void flsi_schema_sort(uint32_t *indices, uint32_t count, is_before *before, const void *self)
{
    uint32_t sorted = 0;
    for (uint32_t i = 1; i < count; i++) {
        sorted += !before(self, indices[i], indices[i - 1]);
    }
    if (count < 2 || sorted == count - 1) {
        return; /* as flatc writes them */
    }
    for (uint32_t i = count / 2; i-- > 0;) {
        sink(indices, i, count, before, self);
    }
    for (uint32_t end = count; end-- > 1;) {
        uint32_t last = indices[end];
        indices[end] = indices[0];
        indices[0] = last;
        sink(indices, 0, end, before, self);
    }
}

/* ---- the indices ---- */

static int object_before(const void *self, uint32_t a, uint32_t b)
{
    const flsi_object *objects = self;
    return strcmp(objects[a].name, objects[b].name) < 0;
}

static int enumeration_before(const void *self, uint32_t a, uint32_t b)
{
    const flsi_enumeration *enumerations = self;
    return strcmp(enumerations[a].name, enumerations[b].name) < 0;
}

static int field_before(const void *self, uint32_t a, uint32_t b)
{
    const flsi_field *fields = self;
    return strcmp(fields[a].name, fields[b].name) < 0;
}

static int value_before(const void *self, uint32_t a, uint32_t b)
{
    const flsi_value *values = self;
    return strcmp(values[a].name, values[b].name) < 0;
}

/* Fills an index with first, first + 1, ... by name. Returns the first that has the name of another
 * one, or FLS_SCHEMA_NONE. */
static uint32_t fill(uint32_t *index, uint32_t first, uint32_t count, is_before *before,
                     const void *self)
{
    for (uint32_t i = 0; i < count; i++) {
        index[i] = first + i;
    }
    flsi_schema_sort(index, count, before, self);
    for (uint32_t i = 1; i < count; i++) {
        if (!before(self, index[i - 1], index[i])) {
            return index[i];
        }
    }
    return FLS_SCHEMA_NONE;
}

fls_status flsi_schema_index_objects(flsi_schema_load *load)
{
    uint32_t twice =
        fill(load->objects_by_name, 0, load->schema->object_count, object_before, load->objects);
    if (twice == FLS_SCHEMA_NONE) {
        return FLS_OK;
    }
    flsi_schema_at_object(load, twice);
    return flsi_schema_refuse(load, "two tables or structs of one name");
}

fls_status flsi_schema_index_enumerations(flsi_schema_load *load)
{
    uint32_t twice = fill(load->enumerations_by_name, 0, load->schema->enumeration_count,
                          enumeration_before, load->enumerations);
    if (twice == FLS_SCHEMA_NONE) {
        return FLS_OK;
    }
    flsi_schema_at_enumeration(load, twice);
    return flsi_schema_refuse(load, "two enums or unions of one name");
}

fls_status flsi_schema_index_fields(flsi_schema_load *load, uint32_t object)
{
    const flsi_object *owner = &load->objects[object];
    uint32_t twice = fill(load->fields_by_name + owner->first_field, owner->first_field,
                          owner->field_count, field_before, load->fields);
    if (twice == FLS_SCHEMA_NONE) {
        return FLS_OK;
    }
    flsi_schema_at_member(load, twice - owner->first_field, load->fields[twice].name);
    return flsi_schema_refuse(load, "two fields of one name");
}

fls_status flsi_schema_index_values(flsi_schema_load *load, uint32_t enumeration)
{
    const flsi_enumeration *owner = &load->enumerations[enumeration];
    uint32_t twice = fill(load->values_by_name + owner->first_value, owner->first_value,
                          owner->value_count, value_before, load->values);
    if (twice == FLS_SCHEMA_NONE) {
        return FLS_OK;
    }
    flsi_schema_at_member(load, twice - owner->first_value, load->values[twice].name);
    return flsi_schema_refuse(load, "two values of one name");
}
