/* The one place where an errno value becomes an fls_status.
 *
 * ENOSPC, EDQUOT, EFBIG: FLS_NO_SPACE. EPIPE, ECONNRESET: FLS_CLOSED. EAGAIN: FLS_WOULD_BLOCK.
 * ENOMEM: FLS_NO_MEMORY. Everything else: FLS_IO.
 */
#ifndef FLSI_OS_ERROR_H
#define FLSI_OS_ERROR_H

#include "flatstream/status.h"

fls_status flsi_os_status(int system_errno);

/* Fills err (may be NULL) from an errno value: name is a path or peer, of which the end is kept
 * (NULL: none); text says what failed, such as "open for writing failed"; what the system calls
 * the errno is put behind it. FLS_WOULD_BLOCK gets no text. Returns flsi_os_status(system_errno).
 */
fls_status flsi_os_error(fls_error *err, int system_errno, const char *name, const char *text);

/* The same with a status of the caller's choice. */
fls_status flsi_os_error_as(fls_error *err, fls_status status, int system_errno, const char *name,
                            const char *text);

/* Copies the end of name into to, whole characters of UTF-8 only. capacity is at least 1. */
void flsi_os_copy_name(char *to, size_t capacity, const char *name);

#endif
