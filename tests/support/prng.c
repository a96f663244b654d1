/* SplitMix64: one multiplication chain, full period, any seed is good. */
#include "support/prng.h"

#include <string.h>

#include "flatstream/store.h"

prng prng_seeded(uint64_t seed)
{
    prng random = {seed};
    return random;
}

uint64_t prng_next(prng *random)
{
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

uint64_t prng_below(prng *random, uint64_t bound)
{
    return bound == 0 ? 0 : prng_next(random) % bound;
}

void prng_fill(prng *random, void *memory, size_t size)
{
    uint8_t *bytes = memory;
    while (size > 0) {
        uint8_t word[8];
        size_t piece = size < sizeof word ? size : sizeof word;
        fls_store_u64(word, prng_next(random));
        memcpy(bytes, word, piece);
        bytes += piece;
        size -= piece;
    }
}
