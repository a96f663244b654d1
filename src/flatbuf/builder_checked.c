/* The end of a table that a schema describes: each slot that was set holds what its field is, and
 * each required field was set. A table that repeats one that was checked is not checked again.
 */
#include <stdio.h>

#include "flatbuf/builder_private.h"
#include "flatbuf/schema_private.h"

static void refuse(fls_builder *b, const flsi_object *object, const char *field, const char *what)
{
    if (b->status == FLS_OK) {
        (void)snprintf(b->reason, sizeof b->reason, "%s: %s %s", object->name, field, what);
    }
    flsi_builder_fail(b, FLS_VALIDATION_FAILED, NULL);
}

static uint32_t expected_place(const flsi_field *field)
{
    switch (field->kind) {
    case FLSI_SCALAR: return field->bytes;
    case FLSI_STRUCT: return FLSI_PLACED_STRUCT;
    default: return FLSI_PLACED_REFERENCE;
    }
}

static int is_as_described(fls_builder *b, const fls_schema *schema, const flsi_object *object)
{
    const flsi_field *fields = schema->fields + object->first_field;
    for (uint32_t slot = 0; slot < object->field_count; slot++) {
        uint32_t placed = slot < b->used_slots ? b->placed[slot] : 0;
        uint32_t must = FLS_FIELD_REQUIRED | FLS_FIELD_DEPRECATED;
        if (placed == 0 && (fields[slot].flags & must) == FLS_FIELD_REQUIRED) {
            refuse(b, object, fields[slot].name, "is required and was not set");
            return 0;
        }
        if (placed != 0 && placed >> 16 != expected_place(&fields[slot])) {
            refuse(b, object, fields[slot].name, "was set to a value of another kind or width");
            return 0;
        }
    }
    if (b->used_slots > object->field_count) {
        refuse(b, object, "a slot", "was set that no field has");
        return 0;
    }
    return 1;
}

fls_ref fls_builder_end_checked(fls_builder *builder, fls_table table, const fls_schema *schema,
                                uint32_t object)
{
    fls_builder *b = builder;
    flsi_memo *memo = &b->memo;
    if (FLS_LIKELY(b->front.last == b->front.last_set && memo->schema == schema &&
                   memo->object == object && memo->schema_hash == schema->hash)) {
        return fls_builder_end(b, table);
    }
    flsi_builder_stop_repeating(b);
    if (object >= schema->object_count || schema->objects[object].is_struct) {
        flsi_builder_misuse(b, "a table was ended that is none of the schema's");
    } else if (b->front.open != 0 && table.serial == b->front.open &&
               !is_as_described(b, schema, &schema->objects[object])) {
        return (fls_ref){0};
    }
    fls_ref ref = fls_builder_end_slow(b, table);
    if (b->is_learned && ref.position == b->front.table) {
        memo->schema = schema;
        memo->schema_hash = schema->hash;
        memo->object = object;
    }
    return ref;
}
