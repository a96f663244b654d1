/* What the parts of the verifier share.
 *
 * There are two walks over a message with the same verdict. The quick one (verify_quick.c) says
 * only whether a message is sound. The full one (verify_full.c) also does the checks that are asked
 * for by option, and knows at each step where it is; it runs when such a check is asked for, or to
 * say what is wrong once the quick one has refused.
 */
#ifndef FLSI_FLATBUF_VERIFY_PRIVATE_H
#define FLSI_FLATBUF_VERIFY_PRIVATE_H

#include "core/bytes.h"
#include "flatbuf/schema_private.h"
#include "flatstream/verify.h"

/* A message below this size cannot hold a root offset, a table and its vtable. */
#define FLSI_VERIFY_LEAST 12u

/* Tables on the C stack at once, those of nested buffers included: what bounds the recursion,
 * whatever the options say. */
#define FLSI_VERIFY_STACK_MOST 512u

typedef struct flsi_verify_limits {
    uint32_t max_depth;
    uint32_t max_tables;
    uint64_t max_apparent_bytes; /* at most 2^62 */
    uint64_t table_bytes;        /* FLSI_VERIFY_TABLE_BYTES of the two */
} flsi_verify_limits;

/* The apparent bytes that the quick walk adds to a table's own, so that their number stays below
 * its limit without being counted. */
#define FLSI_VERIFY_TABLE_BYTES(max_apparent_bytes, max_tables) \
    ((max_apparent_bytes) / (max_tables) + 4)

/* The limits hold for a nested buffer anew, as they do in generated code, but for apparent bytes
 * and the stack. */

/* Whether a message of less than 2^31 bytes is sound for certain. */
int flsi_verify_quick(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                      const flsi_verify_limits *limits);

/* Whether a message of less than 2^31 bytes is sound, all checks done. violation may be NULL. */
int flsi_verify_full(const fls_schema *schema, uint32_t root, const uint8_t *bytes, uint64_t size,
                     const flsi_verify_limits *limits, uint32_t checks, fls_violation *violation);

/* Whether bytes are a sound FlexBuffer, by the rules of the official verifier. What it visits is
 * taken from *apparent_left; *rule says why not. */
int flsi_verify_flex(const uint8_t *bytes, uint64_t size, uint64_t *apparent_left, fls_rule *rule);

/* Where a walk is: the field of a table, and the element when it is a vector. The chain of these
 * leads to the root. */
typedef struct flsi_verify_step {
    const struct flsi_verify_step *outer;
    const flsi_field *field; /* NULL for the root */
    uint64_t element;        /* UINT64_MAX: none */
} flsi_verify_step;

/* Fills a violation. position counts from the outer payload's first byte. */
void flsi_verify_tell(fls_violation *violation, fls_rule rule, uint64_t position,
                      const flsi_verify_step *step);

#endif
