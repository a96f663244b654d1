/* XXH3-64 with AVX2 vectors; this file alone is compiled for them. */
#include "core/cpu.h"
#include "core/xxh3.h"

#ifdef FLSI_X86_KERNELS
#define XXH_INLINE_ALL
#define XXH_VECTOR XXH_AVX2
#include <xxhash.h>

uint64_t flsi_xxh3_avx2(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
#endif
