/* The C library's allocator as a table. */
#include <stdlib.h>

#include "flatstream/allocator.h"

static void *libc_resize(void *self, void *memory, size_t old_bytes, size_t new_bytes)
{
    (void)self;
    (void)old_bytes;
    return realloc(memory, new_bytes);
}

static void libc_free(void *self, void *memory, size_t bytes)
{
    (void)self;
    (void)bytes;
    free(memory);
}

const fls_allocator *fls_allocator_libc(void)
{
    static const fls_allocator libc = {libc_resize, libc_free, NULL};
    return &libc;
}
