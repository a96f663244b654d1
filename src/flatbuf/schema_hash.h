/* The canonical form of a schema, and its hash. docs/SCHEMA_HASH.md has the form. */
#ifndef FLSI_FLATBUF_SCHEMA_HASH_H
#define FLSI_FLATBUF_SCHEMA_HASH_H

#include "flatbuf/schema_private.h"

/* Hands the canonical form on in pieces. */
void flsi_schema_canonical(const fls_schema *schema,
                           void (*take)(void *self, const char *text, size_t bytes), void *self);

/* XXH3-64 of it. */
uint64_t flsi_schema_hash_compute(const fls_schema *schema);

#endif
