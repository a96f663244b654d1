/* Whether two messages say the same, field by field as the schema has it, and where they first do
 * not. Two FlatBuffers with other bytes can have the same values: laid out in another order, with
 * other padding, with a default stored or left out.
 *
 * What counts as the same is what JSON would show of them (docs/JSON.md), but for floats, which are
 * compared bit by bit: a NaN equals one of the same bits, and 0.0 is not -0.0. Fields that are
 * deprecated, that the schema does not know, and members of a union whose tag it does not know are
 * not looked at.
 */
#ifndef FLATSTREAM_MESSAGE_DIFF_H
#define FLATSTREAM_MESSAGE_DIFF_H

#include "flatstream/schema.h"

FLS_BEGIN_DECLS

/* The first difference. Texts are JSON where they are whole: what is absent is null, a table or
 * struct is {...}, a vector [...], a long string is cut with dots around where it differs. */
typedef struct fls_message_difference {
    uint32_t is_different; /* 0: the messages have the same values; the rest is empty */
    uint32_t reserved;
    char path[248]; /* "orders[3].price", "orders.length"; cut in the middle when longer */
    char a[96];     /* the value in the first message */
    char b[96];     /* and in the second */
} fls_message_difference;

/* FLS_OK and *difference; or FLS_VALIDATION_FAILED when one of them is not a sound message of the
 * table root (fls_verify): err->name is then "a" or "b", and err->text says why. Fields are
 * compared in the order of their ids, elements in theirs, then lengths. Never allocates; time is
 * linear in what fls_verify visits. */
FLS_API FLS_MUST_USE fls_status fls_message_diff(const fls_schema *schema, uint32_t root,
                                                 const void *a, size_t a_size, const void *b,
                                                 size_t b_size, fls_message_difference *difference,
                                                 fls_error *err);

/* A number that is the same for messages with the same values, and hardly ever for others: no proof
 * against somebody who makes them collide. Valid within one version of the library only. Fails as
 * fls_message_diff does. */
FLS_API FLS_MUST_USE fls_status fls_message_digest(const fls_schema *schema, uint32_t root,
                                                   const void *payload, size_t size,
                                                   uint64_t *digest, fls_error *err);

FLS_END_DECLS

#endif
