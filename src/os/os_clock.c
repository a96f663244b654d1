/* The monotonic clock. */
#include <time.h>

#include "flatstream/allocator.h"

static uint64_t monotonic_now_ns(void *self)
{
    struct timespec now = {0, 0};
    (void)self;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const fls_clock *fls_clock_monotonic(void)
{
    static const fls_clock monotonic = {monotonic_now_ns, NULL};
    return &monotonic;
}
