/* What the files of the schema loader share. The steps, in their order, each on what the ones
 * before it left:
 *
 *   schema.c          counts, takes the block, copies the .bfbs into it, and calls the rest
 *   schema_objects.c  tables and structs and their fields, as they stand in the .bfbs
 *   schema_values.c   enumerations, unions and their values
 *   schema_layout.c   what follows from those: places and sizes, unions and their tags, keys
 *   schema_names.c    the rules for names, and the indices by name
 */
#ifndef FLSI_FLATBUF_SCHEMA_LOAD_H
#define FLSI_FLATBUF_SCHEMA_LOAD_H

#include "flatbuf/schema_bytes.h"
#include "flatbuf/schema_private.h"

/* Slots of the tables of reflection.fbs, as far as they are read. */
enum { SCHEMA_OBJECTS = 0, SCHEMA_ENUMS = 1, SCHEMA_FILE_IDENT = 2, SCHEMA_ROOT_TABLE = 4 };
enum { OBJECT_NAME = 0, OBJECT_FIELDS, OBJECT_IS_STRUCT, OBJECT_MINALIGN, OBJECT_BYTESIZE };
enum {
    FIELD_NAME = 0,
    FIELD_TYPE,
    FIELD_ID,
    FIELD_OFFSET,
    FIELD_DEFAULT_INTEGER,
    FIELD_DEFAULT_REAL,
    FIELD_DEPRECATED,
    FIELD_REQUIRED,
    FIELD_KEY,
    FIELD_ATTRIBUTES,
    FIELD_OPTIONAL = 11,
    FIELD_OFFSET64 = 13
};
enum { TYPE_BASE_TYPE = 0, TYPE_ELEMENT, TYPE_INDEX, TYPE_FIXED_LENGTH };
enum { ENUM_NAME = 0, ENUM_VALUES, ENUM_IS_UNION, ENUM_UNDERLYING_TYPE, ENUM_ATTRIBUTES };
enum { VALUE_NAME = 0, VALUE_VALUE = 1, VALUE_UNION_TYPE = 3 };
enum { ATTRIBUTE_KEY = 0, ATTRIBUTE_VALUE = 1 };

typedef struct flsi_schema_load {
    flsi_bfbs file;
    fls_schema *schema;
    flsi_object *objects; /* the arrays of schema, to be written */
    flsi_field *fields;
    flsi_enumeration *enumerations;
    flsi_value *values;
    uint32_t *objects_by_name;
    uint32_t *fields_by_name;
    uint32_t *enumerations_by_name;
    uint32_t *values_by_name;
    void *plan; /* of the verifier */
    flsi_bfbs_vector object_tables;
    flsi_bfbs_vector enumeration_tables;
    /* How many more things may be looked at. An honest file has each of its things once, so that it
     * never runs out; one in which many vectors share what they hold could take for ever. */
    uint64_t budget;
    /* What is being looked at, for errors: an object or enumeration by name, or if it has none yet
     * by array and index; in it a field or value, the same way. */
    const char *array;
    const char *owner;
    const char *member;
    uint32_t index;
    uint32_t member_index; /* FLS_SCHEMA_NONE: no member */
    fls_error *err;
} flsi_schema_load;

/* What a type of reflection.fbs says. */
typedef struct flsi_schema_type {
    uint8_t base; /* fls_type; 18 and more: what this version does not know */
    uint8_t element;
    uint16_t length;
    int32_t index; /* -1: none */
} flsi_schema_type;

/* fls_schema_new without the verifier before it: as safe, but with less to say of what is wrong. */
fls_status flsi_schema_compile(fls_schema **schema, const void *data, size_t size,
                               const fls_allocator *allocator, fls_error *err);

/* Sets err to "where: text". Returns FLS_SCHEMA_INVALID, or what status is. */
fls_status flsi_schema_refuse(const flsi_schema_load *load, const char *text);
fls_status flsi_schema_refuse_as(const flsi_schema_load *load, fls_status status, const char *text);

/* FLS_OK, or a refusal when a step left the file. */
fls_status flsi_schema_intact(const flsi_schema_load *load);

/* Says what is looked at from now on; the names follow when they are known to be names. */
void flsi_schema_at_object(flsi_schema_load *load, uint32_t object);
void flsi_schema_at_enumeration(flsi_schema_load *load, uint32_t enumeration);
void flsi_schema_at_member(flsi_schema_load *load, uint32_t index, const char *name);

/* FLS_OK, or a refusal when count more things are not left in the budget. */
fls_status flsi_schema_spend(flsi_schema_load *load, uint64_t count);

/* Reads a name and checks that it is one; dots says whether it may have some. */
fls_status flsi_schema_read_name(flsi_schema_load *load, const flsi_bfbs_table *table,
                                 uint32_t slot, int dots, flsi_bfbs_text *name);

/* Reads a Type. FLS_UNSUPPORTED for one of a newer reflection.fbs. */
fls_status flsi_schema_read_type(flsi_schema_load *load, const flsi_bfbs_table *table,
                                 uint32_t slot, flsi_schema_type *type);

/* The value of an attribute, or NULL text when it is not there. */
fls_status flsi_schema_read_attribute(flsi_schema_load *load, const flsi_bfbs_table *table,
                                      uint32_t slot, const char *key, flsi_bfbs_text *value);

fls_status flsi_schema_load_objects(flsi_schema_load *load);
fls_status flsi_schema_load_values(flsi_schema_load *load);
fls_status flsi_schema_load_fields(flsi_schema_load *load);
fls_status flsi_schema_lay_out(flsi_schema_load *load);

/* Fills an index and looks for two of one name. */
fls_status flsi_schema_index_objects(flsi_schema_load *load);
fls_status flsi_schema_index_enumerations(flsi_schema_load *load);
fls_status flsi_schema_index_fields(flsi_schema_load *load, uint32_t object);
fls_status flsi_schema_index_values(flsi_schema_load *load, uint32_t enumeration);

/* Sorts indices (heapsort: no memory, never quadratic). before(self, a, b): a belongs in front. */
void flsi_schema_sort(uint32_t *indices, uint32_t count,
                      int (*before)(const void *self, uint32_t a, uint32_t b), const void *self);

#endif
