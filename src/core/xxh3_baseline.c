/* XXH3-64 with the vectors of the target's baseline. */
#include "core/xxh3.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t flsi_xxh3_baseline(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

const char *flsi_xxh3_baseline_name(void)
{
#if XXH_VECTOR == XXH_SSE2
    return "sse2";
#elif XXH_VECTOR == XXH_NEON
    return "neon";
#elif XXH_VECTOR == XXH_VSX
    return "vsx";
#else
    return "scalar";
#endif
}
