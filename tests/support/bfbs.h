/* Binary schemas made by hand, also such as no compiler writes. */
#ifndef TESTS_SUPPORT_BFBS_H
#define TESTS_SUPPORT_BFBS_H

#include "support/frames.h"

#define BFBS_MOST 6 /* of each thing in the thing that holds it */

/* A Type. index counts from 1; 0 is none. */
typedef struct bfbs_type {
    int base;
    int element;
    int index;
    int length;
} bfbs_type;

typedef struct bfbs_field {
    const char *name; /* NULL ends the fields */
    bfbs_type type;
    int id;
    int offset; /* 0: 4 + 2 * id in a table, 0 in a struct */
    int64_t default_integer;
    double default_real;
    int deprecated;
    int required;
    int key;
    int optional;
    int offset64;
    const char *attribute;
    const char *attribute_value;
} bfbs_field;

typedef struct bfbs_object {
    const char *name; /* NULL ends the objects */
    int is_struct;
    int minalign;
    int bytesize;
    bfbs_field fields[BFBS_MOST];
} bfbs_object;

typedef struct bfbs_value {
    const char *name;
    int64_t value;
    bfbs_type type; /* of a union's member */
} bfbs_value;

typedef struct bfbs_enum {
    const char *name;
    int is_union;
    int base; /* of the underlying type */
    bfbs_value values[BFBS_MOST];
} bfbs_enum;

typedef struct bfbs_schema {
    bfbs_object objects[BFBS_MOST];
    bfbs_enum enums[BFBS_MOST];
    const char *identifier;
    int root; /* counts from 1; 0 is none */
} bfbs_schema;

/* Replaces what to holds. */
void bfbs_build(const bfbs_schema *schema, byte_buffer *to);

#endif
