/* A FlatBuffers schema at run time: loaded from a .bfbs, checked, and open to be walked.
 *
 * A schema is outside input. It is verified before anything of it is believed, then compiled to
 * flat arrays; its own bytes are not needed afterwards. A schema that was loaded cannot make any
 * function of this library read outside a message. It never changes, so that any number of threads
 * may use it.
 */
#ifndef FLATSTREAM_SCHEMA_H
#define FLATSTREAM_SCHEMA_H

#include "flatstream/allocator.h"
#include "flatstream/status.h"

FLS_BEGIN_DECLS

typedef struct fls_schema fls_schema;

/* "There is none", where an index of an object, enumeration or field is given. */
#define FLS_SCHEMA_NONE UINT32_MAX

/* What a value is. The numbers 1 to 17 are those of reflection.fbs, but for structs, which it does
 * not tell from tables. */
typedef enum fls_type {
    FLS_TYPE_NONE = 0,
    FLS_TYPE_UNION_TAG = 1, /* u8: which member of a union there is */
    FLS_TYPE_BOOL = 2,
    FLS_TYPE_I8 = 3,
    FLS_TYPE_U8 = 4,
    FLS_TYPE_I16 = 5,
    FLS_TYPE_U16 = 6,
    FLS_TYPE_I32 = 7,
    FLS_TYPE_U32 = 8,
    FLS_TYPE_I64 = 9,
    FLS_TYPE_U64 = 10,
    FLS_TYPE_F32 = 11,
    FLS_TYPE_F64 = 12,
    FLS_TYPE_STRING = 13,
    FLS_TYPE_VECTOR = 14,
    FLS_TYPE_TABLE = 15,
    FLS_TYPE_UNION = 16,
    FLS_TYPE_ARRAY = 17, /* of fixed length, in structs only */
    FLS_TYPE_STRUCT = 18
} fls_type;

/* Bits of fls_schema_field.flags. */
#define FLS_FIELD_REQUIRED   1u  /* an error when absent */
#define FLS_FIELD_OPTIONAL   2u  /* a scalar that may be absent: null */
#define FLS_FIELD_KEY        4u  /* vectors of its table are sorted by it */
#define FLS_FIELD_DEPRECATED 8u  /* neither written nor looked at */
#define FLS_FIELD_FLEXBUFFER 16u /* bytes with a type of their own inside */

/* A table or struct. Strings and arrays here and below are the schema's own and live as long. */
typedef struct fls_schema_object {
    const char *name; /* with its namespace: "telemetry.Sample" */
    uint32_t index;
    uint32_t field_count;
    int is_struct;
    uint32_t bytes;     /* of a struct; 0 for a table */
    uint32_t alignment; /* of a struct; of a table at least 4 */
    uint64_t reserved[2];
} fls_schema_object;

/* A field of a table or struct, in the order of ids, which is that of the .fbs but for explicit
 * ids. */
typedef struct fls_schema_field {
    const char *name;
    uint32_t id; /* 0-based; the slot of a builder's table */
    fls_type type;
    fls_type element;     /* of vectors and arrays, else FLS_TYPE_NONE */
    uint32_t object;      /* of tables and structs, also as elements; else FLS_SCHEMA_NONE */
    uint32_t enumeration; /* of unions, their tags, and scalars with names; else FLS_SCHEMA_NONE */
    uint32_t nested;      /* root table of a nested buffer; else FLS_SCHEMA_NONE */
    uint32_t length;      /* of arrays */
    uint32_t flags;       /* FLS_FIELD_... */
    uint32_t
        offset;     /* struct: from its first byte; table: of its entry in the vtable, 4 + 2 * id */
    uint32_t bytes; /* that the field takes in its struct or table: 4 for references */
    uint32_t alignment;         /* of those bytes */
    uint32_t content_alignment; /* of a vector's first element: at least the element's, more with
                                   force_align; 0 for others */
    union {
        int64_t i; /* of bool and whole numbers; of u64 to be read as unsigned */
        double f;  /* of f32 and f64 */
    } default_value;
    uint64_t reserved[2];
} fls_schema_field;

typedef struct fls_schema_enumeration {
    const char *name; /* with its namespace */
    uint32_t index;
    uint32_t value_count;
    int is_union;
    int is_bit_flags; /* values are masks that can be or-ed; known only from a .bfbs with builtins
                       */
    fls_type type;    /* of the value; of a union's tag */
    uint64_t reserved[2];
} fls_schema_enumeration;

typedef struct fls_schema_value {
    const char *name; /* without that of its enumeration; of a union's member also the type's */
    int64_t value;    /* of u64 to be read as unsigned */
    fls_type type;    /* of a union's member: TABLE, STRUCT or STRING; NONE for its NONE */
    uint32_t object;  /* of a union's member */
    uint64_t reserved;
} fls_schema_value;

/* Loads the .bfbs in data, which is not needed afterwards. allocator may be NULL.
 * FLS_SCHEMA_INVALID: what is wrong, with the path in it; FLS_UNSUPPORTED: it uses what this
 * version does not know (64-bit offsets and vectors, unions whose tag is wider than a byte), or
 * more than it takes (names of over 1,024 bytes, structs nested more than 64 deep, alignments of
 * more than 64: flatc stops at 32). */
FLS_API FLS_MUST_USE fls_status fls_schema_new(fls_schema **schema, const void *data, size_t size,
                                               const fls_allocator *allocator, fls_error *err);

/* Loads a file: a .bfbs, or a .fbs, which is compiled by the flatc of the PATH with the directories
 * of the file and of include_directories (NULL-terminated, at most 64; NULL for none). What flatc
 * says when it refuses is in err; FLS_UNSUPPORTED when there is no flatc. What it makes lies in a
 * directory below $TMPDIR, else /tmp, until the call returns. */
FLS_API FLS_MUST_USE fls_status fls_schema_new_file(fls_schema **schema, const char *path,
                                                    const char *const *include_directories,
                                                    const fls_allocator *allocator, fls_error *err);

/* The compiled schema of such a file as bytes, for whoever stores or sends it: of a .bfbs what is
 * in it, of a .fbs what flatc makes of it. Nothing but flatc has looked whether it is a schema. The
 * bytes are the caller's: allocator's free with *size. */
FLS_API FLS_MUST_USE fls_status fls_schema_compile_file(void **bfbs, size_t *size, const char *path,
                                                        const char *const *include_directories,
                                                        const fls_allocator *allocator,
                                                        fls_error *err);

FLS_API void fls_schema_free(fls_schema *schema); /* NULL is harmless */

/* The root type that the schema names, or FLS_SCHEMA_NONE; its file identifier, "" or 4 bytes. */
FLS_API uint32_t fls_schema_root(const fls_schema *schema);
FLS_API const char *fls_schema_identifier(const fls_schema *schema);

/* A hash of everything that bears on messages, and of names: equal for schemas that differ in
 * comments, file names, order of declarations and builtins only. XXH3-64 of a canonical form
 * (docs/SCHEMA_HASH.md). */
FLS_API uint64_t fls_schema_hash(const fls_schema *schema);

FLS_API uint32_t fls_schema_object_count(const fls_schema *schema);
FLS_API uint32_t fls_schema_enumeration_count(const fls_schema *schema);

/* Each fills what is asked for; indices have to be below the counts. */
FLS_API void fls_schema_get_object(const fls_schema *schema, uint32_t object,
                                   fls_schema_object *info);
FLS_API void fls_schema_get_field(const fls_schema *schema, uint32_t object, uint32_t field,
                                  fls_schema_field *info);
FLS_API void fls_schema_get_enumeration(const fls_schema *schema, uint32_t enumeration,
                                        fls_schema_enumeration *info);
FLS_API void fls_schema_get_value(const fls_schema *schema, uint32_t enumeration, uint32_t value,
                                  fls_schema_value *info);

/* Finds a table or struct, or an enumeration or union, by its name with its namespace, or without
 * where that is unambiguous; FLS_SCHEMA_NONE when there is none. */
FLS_API uint32_t fls_schema_find_object(const fls_schema *schema, const char *name);
FLS_API uint32_t fls_schema_find_enumeration(const fls_schema *schema, const char *name);
FLS_API uint32_t fls_schema_find_field(const fls_schema *schema, uint32_t object, const char *name);

FLS_END_DECLS

#endif
