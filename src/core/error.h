/* Setting the context of errors that frames can have, in one place, so that every reader says the
 * same of the same fault.
 */
#ifndef FLSI_CORE_ERROR_H
#define FLSI_CORE_ERROR_H

#include "flatstream/status.h"

/* A fault of the frame at offset, which would be message ordinal. */
fls_status flsi_error_frame(fls_error *err, fls_status status, uint64_t offset, uint64_t ordinal,
                            const char *text);

/* More detail, after flsi_error_frame. err may be NULL. */
void flsi_error_checksums(fls_error *err, uint64_t expected, uint64_t computed, uint32_t width);
void flsi_error_declared(fls_error *err, uint64_t declared_bytes, uint64_t limit_bytes);

/* The name of what is concerned, cut to fit: its end is kept, as with a path. */
void flsi_error_name(fls_error *err, const char *name);

#endif
