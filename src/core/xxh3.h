/* XXH3-64 of long inputs (more than 240 bytes), one function per vector width; short inputs are
 * inlined where they are hashed (digest.h). The algorithm and its reference code are xxHash's.
 */
#ifndef FLSI_CORE_XXH3_H
#define FLSI_CORE_XXH3_H

#include <stddef.h>
#include <stdint.h>

#define FLSI_XXH3_SHORT_BYTES 240u

/* What the target's baseline offers: SSE2, NEON, VSX or plain C. */
uint64_t flsi_xxh3_baseline(const void *data, size_t size);
const char *flsi_xxh3_baseline_name(void);
uint64_t flsi_xxh3_avx2(const void *data, size_t size);
uint64_t flsi_xxh3_avx512(const void *data, size_t size);

#endif
