/* Several types of messages in one stream, told apart by their file identifiers. */
#ifndef FLATSTREAM_SCHEMA_SET_H
#define FLATSTREAM_SCHEMA_SET_H

#include "flatstream/schema.h"

FLS_BEGIN_DECLS

/* A type of message: a schema, and which of its tables is the root. */
typedef struct fls_message_type {
    const fls_schema *schema;
    uint32_t root;
    char identifier[4]; /* zeros: none */
} fls_message_type;

/* The most types that a set holds. */
#define FLS_SCHEMA_SET_MOST 64u

/* A value, the caller's: {0} is empty. The schemas have to outlive it. It does not change while it
 * is read, so that any number of threads may select from it. */
typedef struct fls_schema_set {
    uint32_t count;
    uint32_t reserved;
    fls_message_type types[FLS_SCHEMA_SET_MOST];
} fls_schema_set;

/* Adds a type: root NULL is the schema's own root type. identifier NULL is the schema's own when
 * root is its own root type, else none. Refused when there is no such table, or the identifier is
 * taken: also by "none", which stands for every message that no other type claims. */
FLS_API FLS_MUST_USE fls_status fls_schema_set_add(fls_schema_set *set, const fls_schema *schema,
                                                   const char *root, const char *identifier,
                                                   fls_error *err);

/* The index of the type of a message. The one whose identifier stands in the message; failing that
 * the one without an identifier; failing that, in a set of one type, that type, if the message has
 * no identifier (its root table begins before byte 8, or its bytes 4 to 7 are not all printable
 * ASCII); else FLS_SCHEMA_NONE. Any payload is safe. */
FLS_API uint32_t fls_schema_set_select(const fls_schema_set *set, const void *payload, size_t size);

FLS_END_DECLS

#endif
