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
    uint16_t place[FLSI_LANES];    /* in the vtable, in bytes; INT16_MAX: not looked at */
    uint16_t bytes[FLSI_LANES];    /* inline; UINT16_MAX for that and more */
    uint16_t mask[FLSI_LANES];     /* alignment - 1 */
    uint16_t required[FLSI_LANES]; /* UINT16_MAX: yes */
} flsi_verify_lanes;

/* A field that is a reference. Those of a table ascend by place. */
typedef struct flsi_verify_reference {
    uint16_t place;         /* of its vtable entry; UINT16_MAX, which no vtable reaches: the end */
    uint8_t kind;           /* flsi_kind; a FlexBuffer is FLSI_NESTED without a table */
    uint8_t tag_bytes;      /* of the tag of a union, or of one in the vector; else 0 */
    uint32_t element_bytes; /* of vectors whose elements need no look; else 0 */
    union {
        const struct flsi_verify_table *table;
        /* By tag, for tags below member_count: the member's table, NULL when it is something else.
         */
        const struct flsi_verify_table *const *members;
    } of;
    uint32_t enumeration; /* of unions */
    uint32_t member_count;
} flsi_verify_reference;

/* A table; zeros for a struct. */
typedef struct flsi_verify_table {
    const flsi_verify_lanes *lanes; /* aligned to 16 bytes */
    const flsi_verify_reference *references;
    uint32_t lanes_bytes; /* of a vtable that all lanes have a number of: 16 for each block */
    uint32_t is_leaf;     /* references lead to strings and vectors that hold no tables */
} flsi_verify_table;

/* The bytes that a plan takes, a multiple of 8. Does not overflow for counts below 2^28. */
uint64_t flsi_verify_plan_bytes(const fls_schema *counted);

/* Lays the plan of a schema that is otherwise complete into memory, which is aligned to 8 bytes and
 * zero. */
const flsi_verify_table *flsi_verify_plan_make(const fls_schema *schema, void *memory);

#endif
