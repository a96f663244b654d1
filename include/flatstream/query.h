/* Values out of messages by path, and conditions on them, compiled once from a schema.
 *
 * Only the fields named are read. Every step is checked against the message's bounds, so that a
 * message that was not verified can do no harm: what cannot be reached is absent. What [*], any()
 * and all() visit is limited, since a small message can refer to the same elements many times over:
 * to 2^20 elements or 16 times the bytes of the message, whichever is more, where 16 bytes of text
 * looked at count as one. When that is used up, fls_path_each ends as if there were no more, and a
 * condition that still has elements to visit does not hold, whatever else is in it. Nothing
 * allocates but the compilers. What is compiled never changes, so that any number of threads may
 * use it; the schema has to outlive it. docs/QUERIES.md has the grammar.
 *
 * Compiling fails with FLS_UNSUPPORTED when the text names a field, member or enumerator that the
 * schema does not have, and with FLS_INVALID_ARGUMENT when it is wrong in another way. err->text
 * says what is wrong, and err->offset (FLS_ERROR_OFFSET) at which byte of the text.
 */
#ifndef FLATSTREAM_QUERY_H
#define FLATSTREAM_QUERY_H

#include "flatstream/schema.h"

FLS_BEGIN_DECLS

/* A path such as pose.position.x, levels[0].price, levels[-1] for the last, levels.length, or
 * extra.Radio.peer for a union's member. With levels[*].price it has many values. */
typedef struct fls_path fls_path;

/* The longest text of a path or condition. */
#define FLS_QUERY_MOST_BYTES 65536u

typedef enum fls_value_kind {
    FLS_VALUE_ABSENT = 0, /* not there, or not reachable */
    FLS_VALUE_BOOL = 1,
    FLS_VALUE_I64 = 2,
    FLS_VALUE_U64 = 3,
    FLS_VALUE_F64 = 4,
    FLS_VALUE_STRING = 5, /* bytes, borrowed from the message */
    FLS_VALUE_OBJECT = 6  /* a table, struct, vector or union that is there */
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
/* What its values are when they are there: never FLS_VALUE_ABSENT. */
FLS_API fls_value_kind fls_path_kind(const fls_path *path);
/* 1: there is a [*] in it. fls_path_get then gives the first value that is there. */
FLS_API int fls_path_is_many(const fls_path *path);
FLS_API void fls_path_get(const fls_path *path, const void *payload, size_t size, fls_value *value);

/* Calls back with every value that is there, in order, until the callback returns something other
 * than 0, which is then returned. */
FLS_API int fls_path_each(const fls_path *path, const void *payload, size_t size,
                          int (*callback)(void *self, const fls_value *value), void *self);

/* Enough for the text of any value that is not a string, and its terminating zero. */
#define FLS_VALUE_TEXT_BYTES 40u

/* The text of a value, as it stands in JSON but without quotes: a name where the enumeration (of
 * schema) has one for it, else a number; strings are what they point to and are not copied. Borrows
 * from the schema, the message or buffer. Of what is absent or an object it is "". */
FLS_API const char *fls_value_text(const fls_value *value, const fls_schema *schema,
                                   char buffer[FLS_VALUE_TEXT_BYTES], size_t *size);

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
