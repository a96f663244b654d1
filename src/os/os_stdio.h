/* FILE streams with the errors of the system calls below them. Reading and writing is one try, as
 * with flsi_file.
 */
#ifndef FLSI_OS_STDIO_H
#define FLSI_OS_STDIO_H

#include <stdio.h>

#include "os/os_file.h"

typedef struct flsi_stdio {
    FILE *stream;
    flsi_file file; /* the descriptor below, borrowed; fd -1 for a stream on memory or functions */
} flsi_stdio;

void flsi_stdio_init(flsi_stdio *stdio, FILE *stream);

/* Fills buffer as fread does: waits for capacity bytes or the end. FLS_END at the end. */
fls_status flsi_stdio_read(const flsi_stdio *stdio, void *buffer, size_t capacity, size_t *got,
                           fls_error *err);

/* Behind what the stream holds already. Goes past the stream's own buffer to the descriptor, where
 * there is one: a C library may throw its buffer away when a write is interrupted or would block.
 */
fls_status flsi_stdio_write(const flsi_stdio *stdio, const void *data, size_t size, size_t *written,
                            fls_error *err);

/* Hands on what the stream holds. A failure is final: what was in the buffer may be lost. */
fls_status flsi_stdio_flush(const flsi_stdio *stdio, fls_error *err);

/* Flushes, and makes durable what is below. */
fls_status flsi_stdio_sync(flsi_stdio *stdio, fls_error *err);

/* Closes the stream in every case. */
fls_status flsi_stdio_close(const flsi_stdio *stdio, fls_error *err);

#endif
