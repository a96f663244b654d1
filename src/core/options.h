/* Reading an options struct of any version: it begins with its own size. A smaller one, from an
 * older program, leaves the rest at zero, which means default; a larger one is accepted only if all
 * that this version does not know is zero.
 */
#ifndef FLSI_CORE_OPTIONS_H
#define FLSI_CORE_OPTIONS_H

#include <stddef.h>

#include "core/bytes.h"
#include "flatstream/status.h"

/* Copies *from (may be NULL: all defaults) to *to, which has to_bytes bytes and begins with a
 * uint32_t struct_bytes. FLS_INVALID_ARGUMENT when the struct is not one that this version can
 * read. */
static inline fls_status flsi_options_read(void *to, size_t to_bytes, const void *from,
                                           fls_error *err)
{
    uint32_t from_bytes;
    memset(to, 0, to_bytes);
    if (from == NULL) {
        return FLS_OK;
    }
    memcpy(&from_bytes, from, sizeof from_bytes);
    if (from_bytes < sizeof from_bytes) {
        return fls_error_set(err, FLS_INVALID_ARGUMENT, 0,
                             "options without struct_bytes: use the _INIT macro");
    }
    for (size_t i = to_bytes; i < from_bytes; i++) {
        if (((const unsigned char *)from)[i] != 0) {
            return fls_error_set(err, FLS_UNSUPPORTED, 0,
                                 "options ask for something that this version does not know");
        }
    }
    memcpy(to, from, from_bytes < to_bytes ? from_bytes : to_bytes);
    return FLS_OK;
}

#endif
