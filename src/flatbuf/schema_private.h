/* The compiled schema: flat arrays, which is all that verifying, JSON and queries look at.
 *
 *   objects        tables and structs, in the order of the .bfbs
 *   fields         of all objects, each object's together, in the order of ids
 *   enumerations   enums and unions
 *   values         of all enumerations, each one's together, ascending by value
 *
 * What holds of a loaded schema, whatever bytes it came from, and what everything here relies on:
 *
 * 1. Every index is within its array, or FLS_SCHEMA_NONE where that is allowed.
 * 2. A struct's fields lie within its bytes, do not overlap, ascend, and are aligned; a struct
 * never contains itself.
 * 3. kind, type, element, bytes and alignment of a field fit each other and the target.
 * 4. fields[i].id == i within its object; a vtable entry's offset is 4 + 2 * id.
 * 5. The field before a union's (or vector of unions') is its tag (or vector of tags) with the same
 *    enumeration.
 * 6. A union's members are tables, structs or strings; no two values of an enumeration are equal.
 *    A union has the value 0, which is its NONE.
 * 7. Every name is of letters, digits and underscores (those of objects and enumerations, and of
 *    union members, with dots between), at most FLSI_SCHEMA_NAME_MOST bytes, and unlike its
 *    siblings'.
 * 8. Structs nest at most FLSI_SCHEMA_STRUCT_DEPTH deep, and take 1 to 2^31 - 1 bytes.
 * 9. A field that is deprecated is not required, and not its object's key.
 * 10. Every alignment is a power of two up to FLSI_SCHEMA_ALIGN_MOST.
 */
#ifndef FLSI_FLATBUF_SCHEMA_PRIVATE_H
#define FLSI_FLATBUF_SCHEMA_PRIVATE_H

#include "flatstream/schema.h"

#define FLSI_SCHEMA_NAME_MOST    1024u
#define FLSI_SCHEMA_STRUCT_DEPTH 64u
#define FLSI_SCHEMA_ALIGN_MOST   64u /* of the builder too; flatc stops at 32 */

/* What stands at a field's place: what a visitor does with it. */
typedef enum flsi_kind {
    FLSI_SCALAR = 1, /* a scalar, also a union's tag */
    FLSI_STRUCT = 2, /* a struct, inline */
    FLSI_STRING = 3, /* from here on: a reference */
    FLSI_TABLE = 4,
    FLSI_UNION = 5, /* the tag is the field before */
    FLSI_SCALAR_VECTOR = 6,
    FLSI_STRUCT_VECTOR = 7,
    FLSI_STRING_VECTOR = 8,
    FLSI_TABLE_VECTOR = 9,
    FLSI_UNION_VECTOR = 10,
    FLSI_NESTED = 11,       /* a vector of u8 that holds a message of its own */
    FLSI_SCALAR_ARRAY = 12, /* inline again; in structs only */
    FLSI_STRUCT_ARRAY = 13
} flsi_kind;

/* 64 bytes. */
typedef struct flsi_field {
    uint32_t place; /* of its vtable entry, or in its struct */
    uint8_t kind;   /* flsi_kind */
    uint8_t type;   /* fls_type of the scalar, or of a vector's or array's elements */
    uint8_t flags;  /* FLS_FIELD_... */
    uint8_t reserved;
    uint32_t bytes; /* inline: 1..8 for scalars, a struct's or array's bytes, 4 for references */
    uint32_t alignment;         /* of those */
    uint32_t element_bytes;     /* of vectors and arrays: 4 for references */
    uint32_t content_alignment; /* of a vector's first element */
    uint32_t object; /* table, struct, elements' table or struct, nested root; or FLS_SCHEMA_NONE */
    uint32_t
        enumeration; /* of unions, tags, named scalars (also as elements); or FLS_SCHEMA_NONE */
    uint32_t length; /* of arrays */
    uint32_t id;
    uint64_t default_bits; /* of scalars: as stored, in the low bytes; sign- or zero-extended to 64
                              bits for whole numbers; the bits of the f32 or f64 */
    const char *name;
    uint32_t name_bytes;
    uint32_t quoted_name; /* room for JSON out: unused by the loader */
} flsi_field;

typedef struct flsi_object {
    uint32_t first_field; /* in fields */
    uint32_t field_count;
    uint32_t bytes;     /* of a struct */
    uint32_t alignment; /* of a struct; of a table what its fields need, at least 4 */
    uint8_t is_struct;
    uint8_t has_required; /* some field is required */
    uint8_t depth;        /* of a struct: 1 without a struct in it; of a table 0 */
    uint8_t reserved;
    uint32_t key; /* field that its vectors are sorted by: a scalar or string; or FLS_SCHEMA_NONE */
    const char *name;
} flsi_object;

typedef struct flsi_enumeration {
    uint32_t first_value; /* in values */
    uint32_t value_count;
    uint8_t type; /* fls_type */
    uint8_t is_union;
    uint8_t is_bit_flags;
    uint8_t is_dense; /* values are n, n + 1, ... without a gap */
    uint32_t reserved;
    const char *name;
} flsi_enumeration;

typedef struct flsi_value {
    int64_t value;
    uint32_t object; /* of a union's member: its table or struct; else FLS_SCHEMA_NONE */
    uint8_t kind;    /* of a union's member: FLSI_TABLE, FLSI_STRUCT or FLSI_STRING; 0 for NONE */
    uint8_t reserved[3];
    const char *name;
    uint32_t name_bytes;
} flsi_value;

struct fls_schema {
    const flsi_object *objects;
    const flsi_field *fields;
    const flsi_enumeration *enumerations;
    const flsi_value *values;
    /* The indices of the four arrays above by name, those of fields and values within their object
     * or enumeration. NULL where there is no index (flsi_reflection_schema). */
    const uint32_t *objects_by_name;
    const uint32_t *fields_by_name;
    const uint32_t *enumerations_by_name;
    const uint32_t *values_by_name;
    uint32_t object_count;
    uint32_t field_count;
    uint32_t enumeration_count;
    uint32_t value_count;
    uint32_t root;      /* or FLS_SCHEMA_NONE */
    char identifier[8]; /* "" or 4 bytes */
    uint64_t hash;
    const fls_allocator *allocator;
    void *block; /* holds all of the above */
    size_t block_bytes;
    const struct flsi_verify_table *verify_plan; /* verify_plan.h; in the block; may be NULL */
};

/* The value of an enumeration, or NULL. */
const flsi_value *flsi_schema_value(const fls_schema *schema, uint32_t enumeration, int64_t value);

/* An index in fields or values, by a name that need not be terminated; FLS_SCHEMA_NONE when there
 * is none. Takes time logarithmic in their number. */
uint32_t flsi_schema_field_named(const fls_schema *schema, uint32_t object, const char *name,
                                 size_t name_bytes);
uint32_t flsi_schema_value_named(const fls_schema *schema, uint32_t enumeration, const char *name,
                                 size_t name_bytes);

/* The index of an object by its name with its namespace. */
uint32_t flsi_schema_object_named(const fls_schema *schema, const char *name);

/* The bytes of a scalar type; 0 for others. */
uint32_t flsi_schema_scalar_bytes(fls_type type);

/* Whether a whole number is one of a type's: a u64 comes as signed. */
int flsi_schema_value_fits(int64_t value, fls_type type);

/* The schema of schemas, reflection.fbs: static, with the root reflection.Schema. */
extern const fls_schema flsi_reflection_schema;

#endif
