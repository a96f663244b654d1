/* Lays out a schema for the quick walk; see verify_plan.h. */
#include "flatbuf/verify_plan.h"

/* The two sizes at the start of a vtable, and the entries. */
static uint64_t block_count(const flsi_object *object)
{
    return ((uint64_t)object->field_count + 2 + FLSI_LANES - 1) / FLSI_LANES;
}

/* No fewer than the blocks of all objects, each of which may leave one block nearly empty. */
static uint64_t most_blocks(const fls_schema *counted)
{
    return counted->field_count / FLSI_LANES + (uint64_t)counted->object_count * 2;
}

uint64_t flsi_verify_plan_bytes(const fls_schema *counted)
{
    return counted->object_count * sizeof(flsi_verify_table) +
           most_blocks(counted) * sizeof(flsi_verify_lanes) +
           counted->field_count * sizeof(flsi_verify_reference);
}

static void fill_lane(flsi_verify_lanes *lanes, uint32_t index, const flsi_field *field)
{
    lanes += index / FLSI_LANES;
    uint32_t lane = index % FLSI_LANES;
    lanes->index[lane] = (int16_t)index;
    lanes->bytes[lane] = (int16_t)(field->bytes < INT16_MAX ? field->bytes : INT16_MAX);
    lanes->mask[lane] = (int16_t)(field->alignment - 1);
    lanes->required[lane] = (field->flags & FLS_FIELD_REQUIRED) != 0 ? -1 : 0;
}

static void fill_reference(flsi_verify_reference *reference, const flsi_verify_table *tables,
                           const flsi_field *field)
{
    reference->place = (uint16_t)field->place;
    reference->kind = field->kind;
    reference->element_bytes = field->element_bytes;
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        const flsi_field *tag = field - 1;
        reference->tag_bytes =
            (uint8_t)(field->kind == FLSI_UNION ? tag->bytes : tag->element_bytes);
        reference->of.enumeration = field->enumeration;
    } else if ((field->flags & FLS_FIELD_FLEXBUFFER) != 0) {
        reference->kind = FLSI_NESTED;
    } else if (field->object != FLS_SCHEMA_NONE) {
        reference->of.table = &tables[field->object];
    }
}

/* Whether the verifier looks at a field: also at the tag of a union that is looked at itself. */
static int is_looked_at(const flsi_object *object, const flsi_field *field)
{
    if ((field->flags & FLS_FIELD_DEPRECATED) == 0) {
        return 1;
    }
    return field->id + 1 < object->field_count && (field[1].flags & FLS_FIELD_DEPRECATED) == 0 &&
           (field[1].kind == FLSI_UNION || field[1].kind == FLSI_UNION_VECTOR);
}

const flsi_verify_table *flsi_verify_plan_make(const fls_schema *schema, void *memory)
{
    flsi_verify_table *tables = memory;
    flsi_verify_lanes *lanes = (flsi_verify_lanes *)(void *)(tables + schema->object_count);
    flsi_verify_reference *references =
        (flsi_verify_reference *)(void *)(lanes + most_blocks(schema));
    for (uint32_t i = 0; i < schema->object_count; i++) {
        const flsi_object *object = &schema->objects[i];
        if (object->is_struct) {
            continue;
        }
        uint64_t blocks = block_count(object);
        for (uint64_t lane = 0; lane < blocks * FLSI_LANES; lane++) {
            lanes[lane / FLSI_LANES].index[lane % FLSI_LANES] = INT16_MAX;
        }
        tables[i].lanes = lanes;
        tables[i].lanes_bytes = blocks * FLSI_LANES * sizeof(uint16_t);
        tables[i].references = references;
        for (uint32_t f = 0; f < object->field_count; f++) {
            const flsi_field *field = &schema->fields[object->first_field + f];
            if (!is_looked_at(object, field)) {
                continue;
            }
            fill_lane(lanes, f + 2, field);
            if (field->kind >= FLSI_STRING) {
                fill_reference(references++, tables, field);
            }
        }
        tables[i].references_end = references;
        lanes += blocks;
    }
    return tables;
}
