/* The heap objects behind built-in sinks and sources: made and freed with the C library's
 * allocator.
 */
#ifndef FLSI_IO_OBJECT_H
#define FLSI_IO_OBJECT_H

#include "flatstream/allocator.h"
#include "flatstream/status.h"

static inline void *flsi_io_object_new(size_t bytes, fls_error *err)
{
    const fls_allocator *libc = fls_allocator_libc();
    void *object = libc->resize(libc->self, NULL, 0, bytes);
    if (object == NULL)
        (void)fls_error_set(err, FLS_NO_MEMORY, 0, NULL);
    return object;
}

static inline void flsi_io_object_free(void *object, size_t bytes)
{
    const fls_allocator *libc = fls_allocator_libc();
    libc->free(libc->self, object, bytes);
}

#endif
