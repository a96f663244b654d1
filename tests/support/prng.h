/* Random numbers that are the same on every machine: a test names its seed and can be repeated. */
#ifndef TESTS_SUPPORT_PRNG_H
#define TESTS_SUPPORT_PRNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct prng {
    uint64_t state;
} prng;

prng prng_seeded(uint64_t seed);
uint64_t prng_next(prng *random);

/* 0 .. bound - 1; 0 for a bound of 0. */
uint64_t prng_below(prng *random, uint64_t bound);

void prng_fill(prng *random, void *memory, size_t size);

#endif
