/* Whether a message is a sound FlatBuffer of its schema: the verdict of the official generated
 * verifiers, without generated code. */
#ifndef FLATSTREAM_VERIFY_H
#define FLATSTREAM_VERIFY_H

#include "flatstream/schema.h"
#include "flatstream/schema_set.h"
#include "flatstream/validator.h"

FLS_BEGIN_DECLS

/* X(name, number, text). Numbers are pinned and never reused. */
#define FLS_RULE_MAP(X)                                                                  \
    X(FLS_RULE_NONE, 0, "no rule broken")                                                \
    X(FLS_RULE_TOO_SHORT, 1, "too short for a root offset")                              \
    X(FLS_RULE_TOO_LARGE, 2, "of 2^31 bytes or more")                                    \
    X(FLS_RULE_OFFSET, 3, "an offset that leads outside the message")                    \
    X(FLS_RULE_ALIGNMENT, 4, "not aligned")                                              \
    X(FLS_RULE_VTABLE, 5, "a vtable outside the message, of odd size, or too small")     \
    X(FLS_RULE_FIELD, 6, "a field outside its table or the message")                     \
    X(FLS_RULE_REQUIRED, 7, "a required field is absent")                                \
    X(FLS_RULE_STRING, 8, "a string without a terminating zero, or outside the message") \
    X(FLS_RULE_VECTOR, 9, "a vector that reaches outside the message")                   \
    X(FLS_RULE_UNION, 10, "a union's type and value that do not belong together")        \
    X(FLS_RULE_NESTED, 11, "a nested buffer that is not sound")                          \
    X(FLS_RULE_DEPTH, 12, "nested too deeply")                                           \
    X(FLS_RULE_TABLES, 13, "too many tables")                                            \
    X(FLS_RULE_APPARENT_SIZE, 14, "refers to the same bytes too many times")             \
    X(FLS_RULE_IDENTIFIER, 15, "another file identifier")                                \
    X(FLS_RULE_UTF8, 16, "a string that is not UTF-8")                                   \
    X(FLS_RULE_SORTED, 17, "a vector not sorted by its key")                             \
    X(FLS_RULE_EXACT_END, 18, "bytes behind the end of the message")                     \
    X(FLS_RULE_NO_TYPE, 19, "of none of the types given")

typedef enum fls_rule {
#define FLS_RULE_ENUMERATOR(name, number, text) name = number,
    FLS_RULE_MAP(FLS_RULE_ENUMERATOR)
#undef FLS_RULE_ENUMERATOR
} fls_rule;

/* Static strings; never NULL. */
FLS_API const char *fls_rule_name(fls_rule rule);
FLS_API const char *fls_rule_text(fls_rule rule);

/* Checks beyond the official verifier's, and the file identifier. */
#define FLS_VERIFY_IDENTIFIER 1u /* the schema's, for its root type, where it has one */
#define FLS_VERIFY_UTF8       2u
#define FLS_VERIFY_SORTED     4u /* by keys; not by one that is deprecated, which nobody looks at */
#define FLS_VERIFY_EXACT_END \
    8u /* nothing but zero padding, less than an alignment, behind the last object */

typedef struct fls_verify_options {
    uint32_t struct_bytes; /* sizeof(fls_verify_options) */
    uint32_t checks;       /* FLS_VERIFY_... */
    uint32_t max_depth;    /* of tables; 0: 64. Never more than 512, nested buffers included */
    uint32_t max_tables;   /* met, as often as they are referred to; 0: 1,000,000 */
    uint64_t max_apparent_bytes; /* 0: 2^31; of everything visited, counted each time it is referred
                                    to */
} fls_verify_options;

#define FLS_VERIFY_OPTIONS_INIT                \
    {                                          \
        sizeof(fls_verify_options), 0, 0, 0, 0 \
    }

/* What is wrong, and where. */
typedef struct fls_violation {
    fls_rule rule;
    uint32_t reserved;
    uint64_t offset; /* from the payload's first byte; of a nested buffer's the outer payload's */
    char path[240];  /* "orders[3].price", "" for the root; cut in the middle when longer */
} fls_violation;

/* FLS_OK or FLS_VALIDATION_FAILED: what the code that flatc 2.0.8 generates says, but for
 * docs/ERRATA.md. payload may lie at any address. Never allocates; time is linear
 * in what it visits, which the options limit. options and violation may be NULL. root is a table's
 * index. Options without struct_bytes, or for something that this version does not know, in checks
 * or behind the last field, give FLS_INVALID_ARGUMENT, whatever the payload, and no violation. */
FLS_API FLS_MUST_USE fls_status fls_verify(const fls_schema *schema, uint32_t root,
                                           const void *payload, size_t size,
                                           const fls_verify_options *options,
                                           fls_violation *violation);

/* The same as a validator for readers and writers; err->text names path, offset and rule. The value
 * is the caller's and must outlive its use. options may be all zero; those that fls_verify does not
 * take refuse every message. */
typedef struct fls_schema_check {
    const fls_schema_set *types;
    fls_verify_options options;
} fls_schema_check;

FLS_API fls_validator fls_validator_schema(const fls_schema_check *check);

/* "pose.position: not aligned, at byte 12" into err, with FLS_VALIDATION_FAILED. Returns that. */
FLS_API fls_status fls_violation_to_error(const fls_violation *violation, fls_error *err);

FLS_END_DECLS

#endif
