/* Where an object gets memory from, and what time it is: two tables a caller can replace. */
#ifndef FLATSTREAM_ALLOCATOR_H
#define FLATSTREAM_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/export.h"

FLS_BEGIN_DECLS

/* resize(self, NULL, 0, n) allocates; resize(self, p, n, m) moves or grows, and leaves p as it was
 * when it returns NULL. free is given the size that was asked for. Memory is aligned for
 * max_align_t. The table must outlive the object it was given to; it is called on that object's
 * thread. */
typedef struct fls_allocator {
    void *(*resize)(void *self, void *memory, size_t old_bytes, size_t new_bytes);
    void (*free)(void *self, void *memory, size_t bytes);
    void *self;
} fls_allocator;

/* The C library's allocator; what objects use when no other is given. */
FLS_API const fls_allocator *fls_allocator_libc(void);

/* A monotonic clock: nanoseconds from some fixed point. */
typedef struct fls_clock {
    uint64_t (*now_ns)(void *self);
    void *self;
} fls_clock;

/* The system's monotonic clock; what objects use when no other is given. */
FLS_API const fls_clock *fls_clock_monotonic(void);

FLS_END_DECLS

#endif
