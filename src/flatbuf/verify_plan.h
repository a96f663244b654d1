/* What the quick walk needs of a schema, laid out for it when the schema is loaded.
 *
 * The entries of a vtable are checked eight at a time. For each there is a lane of four numbers, so
 * that one comparison of eight 16-bit numbers finds fields outside the table, one finds those that
 * are not aligned, and one those that are missing. The two numbers in front of the entries, which
 * are sizes, have lanes that nothing is asked of. What remains are the references, one entry each,
 * with nothing else between them.
 */
#ifndef FLSI_FLATBUF_VERIFY_PLAN_H
#define FLSI_FLATBUF_VERIFY_PLAN_H

#include "flatbuf/schema_private.h"

#define FLSI_LANES 8u

typedef struct flsi_verify_lanes {
    int16_t index[FLSI_LANES];    /* of the vtable's numbers; INT16_MAX: not looked at */
    int16_t bytes[FLSI_LANES];    /* inline; INT16_MAX for that and more */
    int16_t mask[FLSI_LANES];     /* alignment - 1 */
    int16_t required[FLSI_LANES]; /* -1: yes */
} flsi_verify_lanes;

/* A field that is a reference, in ascending order of places. */
typedef struct flsi_verify_reference {
    uint16_t place;         /* of its vtable entry */
    uint8_t kind;           /* flsi_kind; a FlexBuffer is FLSI_NESTED without a table */
    uint8_t tag_bytes;      /* of the tag of a union, or of one in the vector; else 0 */
    uint32_t element_bytes; /* of vectors */
    union {
        const struct flsi_verify_table *table;
        uint64_t enumeration; /* of unions */
    } of;
} flsi_verify_reference;

/* A table; zeros for a struct. */
typedef struct flsi_verify_table {
    const flsi_verify_lanes *lanes;
    const flsi_verify_reference *references;
    const flsi_verify_reference *references_end;
    uint64_t lanes_bytes; /* of a vtable that all lanes have a number of: 16 for each block */
} flsi_verify_table;

/* The bytes that a plan takes, a multiple of 8. Does not overflow for counts below 2^28. */
uint64_t flsi_verify_plan_bytes(const fls_schema *counted);

/* Lays the plan of a schema that is otherwise complete into memory, which is aligned to 8 bytes and
 * zero. */
const flsi_verify_table *flsi_verify_plan_make(const fls_schema *schema, void *memory);

#endif
