/* What the files of prepared messages share.
 *
 *   prepared.c        the object, and setters that are no single store
 *   prepared_build.c  a first message from a list of fields
 *   prepared_place.c  where the parts of a message lie, by path
 */
#ifndef FLSI_FLATBUF_PREPARED_PRIVATE_H
#define FLSI_FLATBUF_PREPARED_PRIVATE_H

#include "core/bytes.h"
#include "flatbuf/schema_private.h"
#include "flatstream/prepared.h"

/* A verified message and what it is. */
typedef struct flsi_model {
    const fls_schema *schema;
    uint32_t root;
    const uint8_t *bytes;
    size_t size;
} flsi_model;

/* A part of a message that a path leads to. */
typedef struct flsi_part {
    uint8_t kind;            /* flsi_kind; of a union, its member's */
    uint8_t type;            /* of scalars, and of elements */
    uint32_t at;             /* of the value itself, behind every reference to it */
    uint32_t bytes;          /* of a scalar or struct */
    uint32_t count;          /* of a string, vector or array: its bytes or elements */
    uint32_t object;         /* of tables and structs, also as elements */
    uint32_t tags;           /* of a vector of unions: where that of its tags is */
    const flsi_field *field; /* that the last name of the path was of; NULL before any */
    uint32_t table;          /* that has the field itself; 0 for members and elements */
} flsi_part;

/* Finds the part, or fails with FLS_INVALID_ARGUMENT and a text that names the path. */
fls_status flsi_place_find(const flsi_model *model, const char *path, flsi_part *part,
                           fls_error *err);
fls_status flsi_place_refuse(const char *path, const char *why, fls_error *err);

/* How many tables of the message have the vtable at a place; one that several fields refer to
 * counts as often. */
uint32_t flsi_place_count_vtable(const flsi_model *model, uint32_t vtable);

/* Starts a message outside of every stream, behind the front. */
fls_prepared_message flsi_prepared_start_aside(fls_prepared *p);

/* Builds a message in which strings and vectors have their capacity; it is the builder's. */
fls_status flsi_prepared_build(fls_builder *builder, const fls_schema *schema, uint32_t root,
                               const fls_prepared_field *fields, size_t count,
                               const char *identifier, const fls_allocator *allocator,
                               const void **data, size_t *size, fls_error *err);

#endif
