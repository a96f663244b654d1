/* The canonical form of a schema: text, a line each of its types, fields and values, in an order
 * that follows from names and ids alone. docs/SCHEMA_HASH.md says it in full; what is written here
 * and there must never change, or stored hashes lose their meaning.
 */
#include "flatbuf/schema_hash.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/bytes.h"
#include "core/xxh3_stream.h"

typedef struct output {
    const fls_schema *schema;
    void (*take)(void *self, const char *text, size_t bytes);
    void *self;
} output;

static void put(const output *to, const char *text)
{
    to->take(to->self, text, strlen(text));
}

static void put_number(const output *to, const char *before, uint64_t number)
{
    char text[24];
    put(to, before);
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    put(to, text);
}

/* ---- types ---- */

static const char *scalar_name(uint8_t type)
{
    static const char *const names[] = {"none", "tag", "bool", "i8",  "u8",  "i16", "u16",
                                        "i32",  "u32", "i64",  "u64", "f32", "f64"};
    return type < sizeof names / sizeof names[0] ? names[type] : "none";
}

/* "u8", "enum a.Color", "tag a.Any", "string", "table a.T", "struct a.S", "union a.Any". */
static void put_element(const output *to, const flsi_field *field)
{
    switch (field->type) {
    case FLS_TYPE_STRING: put(to, "string"); return;
    case FLS_TYPE_TABLE:
    case FLS_TYPE_STRUCT:
        put(to, field->type == FLS_TYPE_TABLE ? "table " : "struct ");
        put(to, to->schema->objects[field->object].name);
        return;
    default: break;
    }
    if (field->enumeration == FLS_SCHEMA_NONE) {
        put(to, scalar_name(field->type));
        return;
    }
    put(to, field->type == FLS_TYPE_UNION       ? "union "
            : field->type == FLS_TYPE_UNION_TAG ? "tag "
                                                : "enum ");
    put(to, to->schema->enumerations[field->enumeration].name);
}

static void put_type(const output *to, const flsi_field *field)
{
    int has_elements = field->kind >= FLSI_SCALAR_VECTOR;
    put(to, has_elements ? "[" : "");
    put_element(to, field);
    if (field->length > 0) {
        put_number(to, ":", field->length);
    }
    put(to, has_elements ? "]" : "");
}

/* ---- lines ---- */

/* All that is not a number is one. */
static uint64_t default_bits(const flsi_field *field)
{
    uint64_t bits = field->default_bits;
    if (field->type == FLS_TYPE_F32 && (bits & 0x7FFFFFFFu) > 0x7F800000u) {
        return 0x7FC00000u;
    }
    if (field->type == FLS_TYPE_F64 &&
        (bits & UINT64_C(0x7FFFFFFFFFFFFFFF)) > UINT64_C(0x7FF0000000000000)) {
        return UINT64_C(0x7FF8000000000000);
    }
    return bits;
}

static void put_field(const output *to, const flsi_field *field, int in_struct)
{
    static const struct {
        uint8_t flag;
        const char *text;
    } flags[] = {{FLS_FIELD_DEPRECATED, " deprecated"},
                 {FLS_FIELD_KEY, " key"},
                 {FLS_FIELD_OPTIONAL, " optional"},
                 {FLS_FIELD_REQUIRED, " required"}};
    put_number(to, " ", in_struct ? field->place : field->id);
    put(to, " ");
    put(to, field->name);
    put(to, " ");
    put_type(to, field);
    if (default_bits(field) != 0) {
        char text[24];
        (void)snprintf(text, sizeof text, " =%016" PRIx64, default_bits(field));
        put(to, text);
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((field->flags & flags[i].flag) != 0) {
            put(to, flags[i].text);
        }
    }
    put(to, "\n");
}

static void put_object(const output *to, const flsi_object *object)
{
    put(to, object->is_struct ? "struct " : "table ");
    put(to, object->name);
    if (object->is_struct) {
        put_number(to, " ", object->bytes);
        put_number(to, " ", object->alignment);
    }
    put(to, "\n");
    for (uint32_t i = 0; i < object->field_count; i++) {
        put_field(to, &to->schema->fields[object->first_field + i], object->is_struct);
    }
}

static void put_value(const output *to, const flsi_value *value, uint8_t type)
{
    char text[24];
    if (type == FLS_TYPE_U64) {
        (void)snprintf(text, sizeof text, " %" PRIu64, (uint64_t)value->value);
    } else {
        (void)snprintf(text, sizeof text, " %" PRId64, value->value);
    }
    put(to, text);
    put(to, " ");
    put(to, value->name);
    if (value->kind == FLSI_STRING) {
        put(to, " string");
    } else if (value->kind != 0) {
        put(to, value->kind == FLSI_TABLE ? " table " : " struct ");
        put(to, to->schema->objects[value->object].name);
    }
    put(to, "\n");
}

static void put_enumeration(const output *to, const flsi_enumeration *enumeration)
{
    put(to, enumeration->is_union ? "union " : "enum ");
    put(to, enumeration->name);
    if (!enumeration->is_union) {
        put(to, " ");
        put(to, scalar_name(enumeration->type));
    }
    put(to, "\n");
    for (uint32_t i = 0; i < enumeration->value_count; i++) {
        put_value(to, &to->schema->values[enumeration->first_value + i], enumeration->type);
    }
}

/* ---- all of it ---- */

/* The entry of an index by name; of a schema without indices, whose arrays have that order. */
static uint32_t nth(const uint32_t *by_name, uint32_t n)
{
    return by_name == NULL ? n : by_name[n];
}

void flsi_schema_canonical(const fls_schema *schema,
                           void (*take)(void *self, const char *text, size_t bytes), void *self)
{
    output to = {schema, take, self};
    put(&to, "flatstream schema 1\n");
    if (schema->root != FLS_SCHEMA_NONE) {
        put(&to, "root ");
        put(&to, schema->objects[schema->root].name);
        put(&to, "\n");
    }
    if (schema->identifier[0] != '\0') {
        put(&to, "identifier ");
        put(&to, schema->identifier);
        put(&to, "\n");
    }
    for (uint32_t i = 0; i < schema->object_count; i++) {
        put_object(&to, &schema->objects[nth(schema->objects_by_name, i)]);
    }
    for (uint32_t i = 0; i < schema->enumeration_count; i++) {
        put_enumeration(&to, &schema->enumerations[nth(schema->enumerations_by_name, i)]);
    }
}

static void add(void *self, const char *text, size_t bytes)
{
    flsi_xxh3_stream_add(self, text, bytes);
}

uint64_t flsi_schema_hash_compute(const fls_schema *schema)
{
    flsi_xxh3_stream stream;
    flsi_xxh3_stream_init(&stream);
    flsi_schema_canonical(schema, add, &stream);
    return flsi_xxh3_stream_digest(&stream);
}
