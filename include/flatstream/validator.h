/* Checks of a payload on its way in or out, and observers that only look.
 *
 * On write a validator runs before anything reaches the sink, on read after the checksum and before
 * the caller. A refused message leaves the stream as if it had not been offered. Validators and
 * observers are called on the thread of the reader or writer that they were given to.
 */
#ifndef FLATSTREAM_VALIDATOR_H
#define FLATSTREAM_VALIDATOR_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* A validator is a value; self and name stay the caller's and must outlive what uses them. err may
 * be NULL.
 * check returns FLS_OK, or FLS_VALIDATION_FAILED with a reason in err->text (fls_error_set).
 * payload is aligned to `alignment` bytes (a power of two up to 64; 0 or 1 for any). */
typedef struct fls_validator {
    const char *name;
    fls_status (*check)(void *self, const void *payload, size_t size, fls_error *err);
    void *self;
    uint32_t alignment;
    uint32_t reserved;
} fls_validator;

/* seen is called with each sound, accepted message, last of all. */
typedef struct fls_observer {
    void (*seen)(void *self, const void *payload, size_t size, uint64_t ordinal);
    void *self;
} fls_observer;

/* Storage of the validators below; the caller's, must outlive their use. */
typedef struct fls_size_range {
    size_t min_bytes;
    size_t max_bytes;
} fls_size_range;

typedef struct fls_table_root {
    uint32_t max_depth;  /* 0: 64; a root table needs 1 */
    uint32_t max_tables; /* 0: 1,000,000; a root table needs 1 */
} fls_table_root;

typedef struct fls_validator_chain {
    const fls_validator *validators;
    size_t count;
} fls_validator_chain;

/* A function of the shape that flatcc generates (Monster_verify_as_root): 0 means sound. */
typedef struct fls_verify_function {
    int (*verify)(const void *buffer, size_t size);
} fls_verify_function;

/* Payload sizes from min_bytes to max_bytes, both included. */
FLS_API fls_validator fls_validator_size_range(const fls_size_range *range);

/* The payload's root offset points to a table whose vtable lies within the payload (table_root.h).
 * No fields are looked at, so that no limits refuse anything more; limits may be NULL. */
FLS_API fls_validator fls_validator_table_root(const fls_table_root *limits);

/* Alignment is what the function needs; flatcc's verifiers need that of the buffer's largest
 * scalar: 8. */
FLS_API fls_validator fls_validator_verify_function(const char *name,
                                                    const fls_verify_function *function,
                                                    uint32_t alignment);

/* All of several, in order; the first refusal wins and gives its own name. */
FLS_API fls_validator fls_validator_all(const fls_validator_chain *chain);

/* Runs a validator; on refusal err has status FLS_VALIDATION_FAILED and the validator's name. */
FLS_API FLS_MUST_USE fls_status fls_validator_check(const fls_validator *validator,
                                                    const void *payload, size_t size,
                                                    fls_error *err);

FLS_END_DECLS

#endif
