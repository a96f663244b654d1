/* The first failure of a sink, which every later call gives again. */
#ifndef FLSI_IO_FAILURE_H
#define FLSI_IO_FAILURE_H

#include "flatstream/status.h"

static inline fls_status flsi_failure_repeat(const fls_error *kept, fls_error *err)
{
    if (err != NULL)
        *err = *kept;
    return kept->status;
}

/* Keeps the first failure in *kept and hands it on to err (may be NULL). Waiting for room, and
 * asking a pipe for what only a file can do, is no failure of the sink. */
static inline fls_status flsi_failure_keep(fls_error *kept, fls_status status, const fls_error *why,
                                           fls_error *err)
{
    if (status == FLS_OK)
        return status;
    if (status != FLS_WOULD_BLOCK && status != FLS_UNSUPPORTED && kept->status == FLS_OK)
        *kept = *why;
    if (err != NULL)
        *err = *why;
    return status;
}

#endif
