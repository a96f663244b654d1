/* Values out of messages by path, and conditions on them, compiled once from a schema.
 *
 * Only the fields named are read. Every step is checked against the message's bounds, so that a
 * message that was not verified can do no harm: what cannot be reached is absent. Nothing allocates
 * but the compilers. docs/QUERIES.md has the grammar.
 */
#ifndef FLATSTREAM_QUERY_H
#define FLATSTREAM_QUERY_H

#include "flatstream/schema.h"

FLS_BEGIN_DECLS

/* A path such as pose.position.x, levels[0].price, levels.length, or extra.Radio.peer for a union's
 * member. */
typedef struct fls_path fls_path;

typedef enum fls_value_kind {
    FLS_VALUE_ABSENT = 0, /* not there, or not reachable */
    FLS_VALUE_BOOL = 1,
    FLS_VALUE_I64 = 2,
    FLS_VALUE_U64 = 3,
    FLS_VALUE_F64 = 4,
    FLS_VALUE_STRING = 5, /* bytes, borrowed from the message */
    FLS_VALUE_OBJECT = 6  /* a table, struct or vector that is there */
} fls_value_kind;

typedef struct fls_value {
    fls_value_kind kind;
    uint32_t is_default;  /* absent in the message, so the schema's default stands here */
    uint32_t enumeration; /* whose names the value has, or FLS_SCHEMA_NONE */
    uint32_t is_f32;      /* f came from 32 bits */
    union {
        int64_t i;
        uint64_t u; /* also of bool: 0 or 1 */
        double f;
        struct {
            const char *text;
            size_t size;
        } string;
    } as;
} fls_value;

FLS_API FLS_MUST_USE fls_status fls_path_new(fls_path **path, const fls_schema *schema,
                                             uint32_t root, const char *text,
                                             const fls_allocator *allocator, fls_error *err);
FLS_API void fls_path_free(fls_path *path); /* NULL is harmless */
/* Scalars, strings and lengths give their kind; whether values are expected as numbers or text. */
FLS_API fls_value_kind fls_path_kind(const fls_path *path);
FLS_API void fls_path_get(const fls_path *path, const void *payload, size_t size, fls_value *value);

/* A condition such as: price > 100 && (symbol == "AAPL" || size in 1..500) */
typedef struct fls_predicate fls_predicate;

FLS_API FLS_MUST_USE fls_status fls_predicate_new(fls_predicate **predicate,
                                                  const fls_schema *schema, uint32_t root,
                                                  const char *text, const fls_allocator *allocator,
                                                  fls_error *err);
FLS_API void fls_predicate_free(fls_predicate *predicate); /* NULL is harmless */
FLS_API int fls_predicate_holds(const fls_predicate *predicate, const void *payload, size_t size);

FLS_END_DECLS

#endif
