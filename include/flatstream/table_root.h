/* The smallest test of whether bytes can be a FlatBuffer: a root offset to a table with a sound
 * vtable. */
#ifndef FLATSTREAM_TABLE_ROOT_H
#define FLATSTREAM_TABLE_ROOT_H

#include "flatstream/status.h"

FLS_BEGIN_DECLS

/* FLS_OK when the root table and its vtable lie within the payload, aligned relative to its start,
 * by the rules of the Rust implementation's verifier and without looking at fields; otherwise
 * FLS_VALIDATION_FAILED with the rule in err->text and the position in err->limit_bytes. A payload
 * of zero bytes only passes from 4 bytes on. Any alignment of payload itself is fine. Constant
 * time, no allocation, any thread. */
FLS_API FLS_MUST_USE fls_status fls_table_root_check(const void *payload, size_t size,
                                                     fls_error *err);

FLS_END_DECLS

#endif
