/* The processor's own count of time: several times cheaper to read than any clock. Its rate is not
 * known, so whoever keeps a count sets it against a clock later on. */
#ifndef FLSI_OS_TICKS_H
#define FLSI_OS_TICKS_H

#include <stdint.h>

/* Whether the count runs at one rate, also while a processor sleeps, and is the same on all of
 * them, as far as the system says so. */
int flsi_ticks_are_steady(void);

/* The count; 0 where there is none. It may be read a little before what precedes it in the
 * program has happened. */
static inline uint64_t flsi_ticks(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__) && defined(__GNUC__)
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return 0;
#endif
}

/* The same, read after everything that precedes it. */
static inline uint64_t flsi_ticks_in_order(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("isb" ::: "memory");
#endif
    return flsi_ticks();
}

#endif
