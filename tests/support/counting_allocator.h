/* An allocator that counts, checks what it is told, and fails on request. */
#ifndef TESTS_SUPPORT_COUNTING_ALLOCATOR_H
#define TESTS_SUPPORT_COUNTING_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/allocator.h"

#define COUNTING_NEVER UINT64_MAX

typedef struct counting_allocator {
    fls_allocator table; /* give &table to the object under test */
    uint64_t calls;      /* of resize, failed ones too */
    uint64_t fail_from;  /* calls with this number and ... */
    uint64_t fail_calls; /* ... that many from there on fail */
    uint64_t failures;   /* that were injected */
    size_t live_blocks;
    size_t live_bytes;
    size_t peak_bytes;
} counting_allocator;

/* Never fails until told to. The struct must not be moved while in use. A block given back with a
 * size other than its own, or twice, aborts the test. */
void counting_allocator_init(counting_allocator *self);

#endif
