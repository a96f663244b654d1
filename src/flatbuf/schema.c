/* Loading a schema: from the bytes of a .bfbs to the flat arrays of schema_private.h.
 *
 * All memory is one block: the object, the arrays, the indices by name, and a copy of the .bfbs, in
 * which the names stay where they are. A file is refused or believed as a whole; nothing of a
 * schema that is refused is seen by anyone.
 */
#include "flatstream/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "flatbuf/schema_hash.h"
#include "flatbuf/schema_load.h"
#include "flatbuf/verify_plan.h"
#include "flatstream/verify.h"

/* More than any path and rule; err->text takes the end of the one and all of the other. */
#define WHERE_BYTES (2 * FLSI_SCHEMA_NAME_MOST + 32)

static const char not_bfbs[] = "not a .bfbs: there is no BFBS in its bytes 4 to 7";

/* ---- errors ---- */

static void describe(const flsi_schema_load *load, char where[WHERE_BYTES])
{
    int length = 0;
    where[0] = '\0';
    if (load->owner != NULL) {
        length = snprintf(where, WHERE_BYTES, "%s", load->owner);
    } else if (load->array != NULL) {
        length = snprintf(where, WHERE_BYTES, "%s[%" PRIu32 "]", load->array, load->index);
    }
    if (length < 0 || load->member_index == FLS_SCHEMA_NONE) {
        return;
    }
    if (load->member != NULL) {
        (void)snprintf(where + length, WHERE_BYTES - (size_t)length, ".%s", load->member);
    } else {
        (void)snprintf(where + length, WHERE_BYTES - (size_t)length, "[%" PRIu32 "]",
                       load->member_index);
    }
}

fls_status flsi_schema_refuse_as(const flsi_schema_load *load, fls_status status, const char *text)
{
    if (load->err == NULL) {
        return status;
    }
    char where[WHERE_BYTES];
    char whole[sizeof load->err->text];
    describe(load, where);
    size_t text_bytes = strlen(text);
    size_t length = strlen(where);
    size_t room = sizeof whole - sizeof ": " - text_bytes; /* every text is short */
    const char *start = where;
    if (length > room) { /* its end says more */
        start = where + (length - room);
        length = room;
    }
    memcpy(whole, start, length);
    if (length > 0) {
        whole[length++] = ':';
        whole[length++] = ' ';
    }
    memcpy(whole + length, text, text_bytes + 1);
    return fls_error_set(load->err, status, 0, whole);
}

fls_status flsi_schema_refuse(const flsi_schema_load *load, const char *text)
{
    return flsi_schema_refuse_as(load, FLS_SCHEMA_INVALID, text);
}

fls_status flsi_schema_intact(const flsi_schema_load *load)
{
    return load->file.damaged ? flsi_schema_refuse(load, "the .bfbs leads outside itself") : FLS_OK;
}

void flsi_schema_at_object(flsi_schema_load *load, uint32_t object)
{
    load->array = "objects";
    load->owner = load->objects == NULL ? NULL : load->objects[object].name;
    load->index = object;
    load->member_index = FLS_SCHEMA_NONE;
}

void flsi_schema_at_enumeration(flsi_schema_load *load, uint32_t enumeration)
{
    load->array = "enums";
    load->owner = load->enumerations == NULL ? NULL : load->enumerations[enumeration].name;
    load->index = enumeration;
    load->member_index = FLS_SCHEMA_NONE;
}

void flsi_schema_at_member(flsi_schema_load *load, uint32_t index, const char *name)
{
    load->member_index = index;
    load->member = name;
}

fls_status flsi_schema_spend(flsi_schema_load *load, uint64_t count)
{
    if (count > load->budget) {
        return flsi_schema_refuse(load, "the .bfbs refers to the same things too many times");
    }
    load->budget -= count;
    return FLS_OK;
}

/* ---- what several steps read ---- */

fls_status flsi_schema_read_type(flsi_schema_load *load, const flsi_bfbs_table *table,
                                 uint32_t slot, flsi_schema_type *type)
{
    flsi_bfbs *file = &load->file;
    flsi_bfbs_table found = flsi_bfbs_subtable(file, table, slot);
    type->base = (uint8_t)flsi_bfbs_bits(file, &found, TYPE_BASE_TYPE, 1, 0);
    type->element = (uint8_t)flsi_bfbs_bits(file, &found, TYPE_ELEMENT, 1, 0);
    type->index = (int32_t)(uint32_t)flsi_bfbs_bits(file, &found, TYPE_INDEX, 4, UINT32_MAX);
    type->length = (uint16_t)flsi_bfbs_bits(file, &found, TYPE_FIXED_LENGTH, 2, 0);
    fls_status status = flsi_schema_intact(load);
    if (status == FLS_OK && (type->base > FLS_TYPE_ARRAY || type->element > FLS_TYPE_ARRAY)) {
        status = flsi_schema_refuse_as(load, FLS_UNSUPPORTED,
                                       "of a type that this version does not know, such as a "
                                       "64-bit vector");
    }
    return status;
}

fls_status flsi_schema_read_attribute(flsi_schema_load *load, const flsi_bfbs_table *table,
                                      uint32_t slot, const char *key, flsi_bfbs_text *value)
{
    flsi_bfbs *file = &load->file;
    flsi_bfbs_vector attributes = flsi_bfbs_references(file, table, slot);
    size_t key_bytes = strlen(key);
    value->text = NULL;
    value->bytes = 0;
    fls_status status = flsi_schema_spend(load, attributes.count);
    for (uint32_t i = 0; i < attributes.count && status == FLS_OK; i++) {
        flsi_bfbs_table attribute = flsi_bfbs_element(file, &attributes, i);
        flsi_bfbs_text name = flsi_bfbs_string(file, &attribute, ATTRIBUTE_KEY);
        if (name.text != NULL && name.bytes == key_bytes &&
            memcmp(name.text, key, key_bytes) == 0) {
            *value = flsi_bfbs_string(file, &attribute, ATTRIBUTE_VALUE);
            if (value->text == NULL) {
                value->text = "";
            }
            break;
        }
    }
    return status == FLS_OK ? flsi_schema_intact(load) : status;
}

/* ---- counting ---- */

static fls_status count_members(flsi_schema_load *load, const flsi_bfbs_vector *owners,
                                uint32_t slot, void (*at)(flsi_schema_load *load, uint32_t index),
                                uint32_t *count)
{
    uint64_t sum = 0;
    fls_status status = flsi_schema_spend(load, owners->count);
    for (uint32_t i = 0; i < owners->count && status == FLS_OK; i++) {
        at(load, i);
        flsi_bfbs_table owner = flsi_bfbs_element(&load->file, owners, i);
        uint32_t members = flsi_bfbs_references(&load->file, &owner, slot).count;
        sum += members;
        status = flsi_schema_intact(load);
        if (status == FLS_OK) {
            status = flsi_schema_spend(load, members);
        }
    }
    load->array = NULL;
    *count = (uint32_t)sum; /* the budget is below 2^28 */
    return status;
}

/* Fills the counts of *counted. */
static fls_status count_all(flsi_schema_load *load, fls_schema *counted)
{
    flsi_bfbs *file = &load->file;
    load->member_index = FLS_SCHEMA_NONE;
    if (file->size > INT32_MAX) {
        return flsi_schema_refuse(load, "a .bfbs of 2^31 bytes or more");
    }
    if (file->size < 8 || memcmp(file->bytes + 4, "BFBS", 4) != 0) {
        return flsi_schema_refuse(load, not_bfbs);
    }
    /* Each thing takes an entry of 4 bytes in a vector, and a table of at least as many. */
    load->budget = file->size / 8;
    flsi_bfbs_table root = flsi_bfbs_table_at(file, flsi_bfbs_follow(file, 0));
    load->object_tables = flsi_bfbs_references(file, &root, SCHEMA_OBJECTS);
    load->enumeration_tables = flsi_bfbs_references(file, &root, SCHEMA_ENUMS);
    counted->object_count = load->object_tables.count;
    counted->enumeration_count = load->enumeration_tables.count;
    fls_status status = flsi_schema_intact(load);
    if (status == FLS_OK) {
        status = count_members(load, &load->object_tables, OBJECT_FIELDS, flsi_schema_at_object,
                               &counted->field_count);
    }
    if (status == FLS_OK) {
        status = count_members(load, &load->enumeration_tables, ENUM_VALUES,
                               flsi_schema_at_enumeration, &counted->value_count);
    }
    return status;
}

/* ---- the block ---- */

/* Takes bytes from the block, for things of at most 8 bytes' alignment. block NULL only counts. */
static void *carve(uint8_t *block, uint64_t *used, uint64_t count, size_t each)
{
    void *place = block == NULL ? NULL : block + *used;
    *used += (count * each + 7) / 8 * 8;
    return place;
}

/* Every count is below 2^28, and so is the sum of all: no overflow in 64 bits. */
static uint64_t carve_all(flsi_schema_load *load, const fls_schema *counted, uint8_t *block)
{
    uint64_t used = 0;
    load->schema = carve(block, &used, 1, sizeof *load->schema);
    load->objects = carve(block, &used, counted->object_count, sizeof *load->objects);
    load->fields = carve(block, &used, counted->field_count, sizeof *load->fields);
    load->enumerations =
        carve(block, &used, counted->enumeration_count, sizeof *load->enumerations);
    load->values = carve(block, &used, counted->value_count, sizeof *load->values);
    load->objects_by_name = carve(block, &used, counted->object_count, sizeof(uint32_t));
    load->fields_by_name = carve(block, &used, counted->field_count, sizeof(uint32_t));
    load->enumerations_by_name = carve(block, &used, counted->enumeration_count, sizeof(uint32_t));
    load->values_by_name = carve(block, &used, counted->value_count, sizeof(uint32_t));
    load->plan = carve(block, &used, flsi_verify_plan_bytes(counted), 1);
    uint8_t *copy = carve(block, &used, load->file.size, 1);
    if (block != NULL) {
        memset(block, 0, (size_t)used - (load->file.size + 7u) / 8 * 8);
        memcpy(copy, load->file.bytes, load->file.size);
        load->file.bytes = copy;
    }
    return used;
}

static fls_status take_block(flsi_schema_load *load, const fls_schema *counted,
                             const fls_allocator *allocator)
{
    uint64_t bytes = carve_all(load, counted, NULL);
    uint8_t *block = NULL;
    if (bytes <= SIZE_MAX / 2) {
        block = allocator->resize(allocator->self, NULL, 0, (size_t)bytes);
    }
    if (block == NULL) {
        return fls_error_set(load->err, FLS_NO_MEMORY, 0, "no memory for a schema");
    }
    carve_all(load, counted, block);
    *load->schema = *counted;
    load->schema->objects = load->objects;
    load->schema->fields = load->fields;
    load->schema->enumerations = load->enumerations;
    load->schema->values = load->values;
    load->schema->objects_by_name = load->objects_by_name;
    load->schema->fields_by_name = load->fields_by_name;
    load->schema->enumerations_by_name = load->enumerations_by_name;
    load->schema->values_by_name = load->values_by_name;
    load->schema->root = FLS_SCHEMA_NONE;
    load->schema->allocator = allocator;
    load->schema->block = block;
    load->schema->block_bytes = (size_t)bytes;
    return FLS_OK;
}

/* ---- the root ---- */

/* root_table is the same table as one of the objects, or one of the same name. */
static uint32_t find_root(flsi_schema_load *load, const flsi_bfbs_table *root)
{
    for (uint32_t i = 0; i < load->object_tables.count; i++) {
        if (flsi_bfbs_element(&load->file, &load->object_tables, i).at == root->at) {
            return i;
        }
    }
    flsi_bfbs_text name = flsi_bfbs_string(&load->file, root, OBJECT_NAME);
    return name.text == NULL ? FLS_SCHEMA_NONE : fls_schema_find_object(load->schema, name.text);
}

static fls_status load_root(flsi_schema_load *load)
{
    flsi_bfbs *file = &load->file;
    load->array = NULL;
    load->owner = NULL;
    load->member_index = FLS_SCHEMA_NONE;
    flsi_bfbs_table schema = flsi_bfbs_table_at(file, flsi_bfbs_follow(file, 0));
    flsi_bfbs_table root = flsi_bfbs_subtable(file, &schema, SCHEMA_ROOT_TABLE);
    flsi_bfbs_text identifier = flsi_bfbs_string(file, &schema, SCHEMA_FILE_IDENT);
    fls_status status = flsi_schema_intact(load);
    if (status != FLS_OK) {
        return status;
    }
    if (identifier.bytes != 0) {
        if (identifier.bytes != 4 || memchr(identifier.text, 0, 4) != NULL) {
            return flsi_schema_refuse(load, "a file identifier that is not of 4 bytes");
        }
        memcpy(load->schema->identifier, identifier.text, 4);
    }
    if (root.at != 0) {
        load->schema->root = find_root(load, &root);
        if (load->schema->root == FLS_SCHEMA_NONE || file->damaged) {
            return flsi_schema_refuse(load, "the root table is none of the objects");
        }
        if (load->objects[load->schema->root].is_struct) {
            flsi_schema_at_object(load, load->schema->root);
            return flsi_schema_refuse(load, "the root is a struct");
        }
    }
    return FLS_OK;
}

/* ---- all of it ---- */

static fls_status load_all(flsi_schema_load *load)
{
    fls_status status = flsi_schema_load_objects(load);
    if (status == FLS_OK) {
        status = flsi_schema_load_values(load);
    }
    if (status == FLS_OK) {
        status = flsi_schema_load_fields(load);
    }
    if (status == FLS_OK) {
        status = flsi_schema_lay_out(load);
    }
    if (status == FLS_OK) {
        status = load_root(load);
    }
    return status;
}

/* Whether the bytes are a FlatBuffer of reflection.fbs at all. */
static fls_status verify(const void *data, size_t size, fls_error *err)
{
    fls_violation violation;
    fls_error found;
    fls_verify_options options = FLS_VERIFY_OPTIONS_INIT;
    options.checks = FLS_VERIFY_IDENTIFIER;
    if (fls_verify(&flsi_reflection_schema, flsi_reflection_schema.root, data, size, &options,
                   &violation) == FLS_OK) {
        return FLS_OK;
    }
    if (violation.rule == FLS_RULE_TOO_SHORT || violation.rule == FLS_RULE_IDENTIFIER) {
        return fls_error_set(err, FLS_SCHEMA_INVALID, 0, not_bfbs);
    }
    (void)fls_violation_to_error(&violation, &found);
    return fls_error_set(err, FLS_SCHEMA_INVALID, 0, found.text);
}

fls_status fls_schema_new(fls_schema **schema, const void *data, size_t size,
                          const fls_allocator *allocator, fls_error *err)
{
    *schema = NULL;
    fls_status status = verify(data, size, err);
    return status == FLS_OK ? flsi_schema_compile(schema, data, size, allocator, err) : status;
}

fls_status flsi_schema_compile(fls_schema **schema, const void *data, size_t size,
                               const fls_allocator *allocator, fls_error *err)
{
    flsi_schema_load load = {.err = err, .member_index = FLS_SCHEMA_NONE};
    fls_schema counted = {0};
    *schema = NULL;
    load.file.bytes = data;
    load.file.size = size > INT32_MAX ? UINT32_MAX : (uint32_t)size;
    if (allocator == NULL) {
        allocator = fls_allocator_libc();
    }
    fls_status status = count_all(&load, &counted);
    if (status == FLS_OK) {
        status = take_block(&load, &counted, allocator);
    }
    if (status != FLS_OK) {
        return status;
    }
    /* What was counted is copied byte for byte, so it need not be counted again; what is looked at
     * again is paid for again. */
    load.budget = load.file.size / 8;
    status = load_all(&load);
    if (status != FLS_OK) {
        fls_schema_free(load.schema);
        return status;
    }
    load.schema->hash = flsi_schema_hash_compute(load.schema);
    load.schema->verify_plan = flsi_verify_plan_make(load.schema, load.plan);
    *schema = load.schema;
    return FLS_OK;
}

void fls_schema_free(fls_schema *schema)
{
    if (schema != NULL) {
        const fls_allocator *allocator = schema->allocator;
        allocator->free(allocator->self, schema->block, schema->block_bytes);
    }
}
