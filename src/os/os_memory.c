/* The C library's allocator as a table, and advice to the system about memory. */
#include "os/os_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

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

void flsi_memory_prefer_large_pages(void *memory, size_t bytes)
{
#if defined(MADV_HUGEPAGE)
    const size_t large = (size_t)2 * 1024 * 1024; /* on most machines; elsewhere a multiple */
    size_t skip = (size_t)(-(uintptr_t)memory % large);
    if (bytes > skip + large)
        (void)madvise((uint8_t *)memory + skip, (bytes - skip) / large * large, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}
