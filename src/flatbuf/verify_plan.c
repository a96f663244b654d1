/* Lays out a schema for the quick walk; see verify_plan.h. */
#include "flatbuf/verify_plan.h"

#define LANES_ALIGNMENT 16u

/* What is being laid out: where the next of each kind goes. */
typedef struct layout {
    const fls_schema *schema;
    flsi_verify_lanes *lanes;
    flsi_verify_table *tables;
    flsi_verify_reference *references;
    const flsi_verify_table **members; /* one for each value of the schema */
} layout;

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

/* One more a table, for its end. */
static uint64_t most_references(const fls_schema *counted)
{
    return (uint64_t)counted->field_count + counted->object_count;
}

uint64_t flsi_verify_plan_bytes(const fls_schema *counted)
{
    return LANES_ALIGNMENT + most_blocks(counted) * sizeof(flsi_verify_lanes) +
           counted->object_count * sizeof(flsi_verify_table) +
           most_references(counted) * sizeof(flsi_verify_reference) +
           counted->value_count * sizeof(flsi_verify_table *);
}

static layout lay(const fls_schema *schema, void *memory)
{
    layout l = {schema, NULL, NULL, NULL, NULL};
    uint8_t *at = memory;
    at += (LANES_ALIGNMENT - (uintptr_t)at % LANES_ALIGNMENT) % LANES_ALIGNMENT;
    l.lanes = (flsi_verify_lanes *)(void *)at;
    l.tables = (flsi_verify_table *)(void *)(l.lanes + most_blocks(schema));
    l.references = (flsi_verify_reference *)(void *)(l.tables + schema->object_count);
    l.members = (const flsi_verify_table **)(void *)(l.references + most_references(schema));
    return l;
}

static void fill_lane(flsi_verify_lanes *lanes, const flsi_field *field)
{
    uint32_t index = field->place / 2;
    uint32_t lane = index % FLSI_LANES;
    lanes += index / FLSI_LANES;
    /* A vtable that reaches further is left to the full walk. */
    lanes->place[lane] = (uint16_t)(field->place < INT16_MAX ? field->place : INT16_MAX);
    lanes->bytes[lane] = (uint16_t)(field->bytes < UINT16_MAX ? field->bytes : UINT16_MAX);
    lanes->mask[lane] = (uint16_t)(field->alignment - 1);
    lanes->required[lane] = (field->flags & FLS_FIELD_REQUIRED) != 0 ? UINT16_MAX : 0;
}

static void fill_reference(const layout *l, flsi_verify_reference *reference,
                           const flsi_field *field)
{
    reference->place = (uint16_t)field->place;
    reference->kind = field->kind;
    if (field->kind == FLSI_UNION || field->kind == FLSI_UNION_VECTOR) {
        const flsi_field *tag = field - 1;
        const flsi_enumeration *type = &l->schema->enumerations[field->enumeration];
        reference->tag_bytes =
            (uint8_t)(field->kind == FLSI_UNION ? tag->bytes : tag->element_bytes);
        reference->enumeration = field->enumeration;
        /* Where tags leave gaps, members are looked up. */
        if (type->is_dense && l->schema->values[type->first_value].value == 0) {
            reference->of.members = l->members + type->first_value;
            reference->member_count = type->value_count;
        }
    } else if ((field->flags & FLS_FIELD_FLEXBUFFER) != 0) {
        reference->kind = FLSI_NESTED;
    } else if (field->kind == FLSI_SCALAR_VECTOR || field->kind == FLSI_STRUCT_VECTOR) {
        reference->element_bytes = field->element_bytes;
    } else if (field->object != FLS_SCHEMA_NONE) {
        reference->of.table = &l->tables[field->object];
    }
}

/* Whether what a reference leads to holds no references but those to strings. */
static uint32_t is_plain(const flsi_verify_reference *reference)
{
    return reference->element_bytes != 0 || reference->kind == FLSI_STRING ||
           reference->kind == FLSI_STRING_VECTOR;
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

static void fill_table(layout *l, const flsi_object *object, flsi_verify_table *table)
{
    uint64_t blocks = block_count(object);
    table->lanes = l->lanes;
    table->lanes_bytes = (uint32_t)(blocks * FLSI_LANES * sizeof(uint16_t));
    table->references = l->references;
    table->is_leaf = 1;
    for (uint64_t lane = 0; lane < blocks * FLSI_LANES; lane++) {
        l->lanes[lane / FLSI_LANES].place[lane % FLSI_LANES] = INT16_MAX;
    }
    for (uint32_t f = 0; f < object->field_count; f++) {
        const flsi_field *field = &l->schema->fields[object->first_field + f];
        if (is_looked_at(object, field)) {
            fill_lane(l->lanes, field);
            if (field->kind >= FLSI_STRING) {
                fill_reference(l, l->references, field);
                table->is_leaf &= is_plain(l->references++);
            }
        }
    }
    l->references++->place = UINT16_MAX;
    l->lanes += blocks;
}

const flsi_verify_table *flsi_verify_plan_make(const fls_schema *schema, void *memory)
{
    layout l = lay(schema, memory);
    for (uint32_t i = 0; i < schema->value_count; i++) {
        const flsi_value *value = &schema->values[i];
        if (value->kind == FLSI_TABLE) {
            l.members[i] = &l.tables[value->object];
        }
    }
    for (uint32_t i = 0; i < schema->object_count; i++) {
        if (!schema->objects[i].is_struct) {
            fill_table(&l, &schema->objects[i], &l.tables[i]);
        }
    }
    return l.tables;
}
