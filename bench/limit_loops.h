/* The limits: for each work one loop that does only the unavoidable. For a read the header walk,
 * its bounds and the bare kernel; for a write the stores of length and checksum, the kernel and the
 * memcpy. XXH3 is inlined, once for each vector width that this CPU may have, since the best width
 * depends on the size and on where the bytes lie; CRCs are the best kernel that there is, called.
 */
#ifndef FLS_BENCH_LIMITS_H
#define FLS_BENCH_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/frame.h"

/* What the loops call: the kernels of the CRCs, and in read_each the callback. */
typedef struct bench_kernels {
    const char *name;
    uint16_t (*crc16)(uint16_t crc, const void *data, size_t size);
    uint32_t (*crc32)(uint32_t crc, const void *data, size_t size);
    fls_status (*callback)(void *self, const fls_message *message);
    void *self;
} bench_kernels;

/* Walks the frames in [data, data + size). Returns how many there are before the end or the first
 * that is not sound. */
typedef uint64_t bench_read_loop(const uint8_t *data, size_t size, const bench_kernels *kernels);

/* Frames count payloads of payload_bytes each. Returns the bytes written. */
typedef size_t bench_write_loop(uint8_t *to, const uint8_t *payloads, size_t payload_bytes,
                                size_t count, const bench_kernels *kernels);

/* The sum of the payloads' digests. */
typedef uint64_t bench_hash_loop(const uint8_t *payloads, size_t payload_bytes, size_t count,
                                 const bench_kernels *kernels);

#define BENCH_CHECKSUM_SLOTS 5 /* indexed by fls_checksum; slot 0 is not used */

typedef struct bench_loops {
    const char *name;
    bench_read_loop *read[BENCH_CHECKSUM_SLOTS];
    bench_read_loop *read_ahead[BENCH_CHECKSUM_SLOTS]; /* prefetching 4 KiB ahead */
    bench_read_loop *read_each[BENCH_CHECKSUM_SLOTS];  /* handing each message to a callback */
    bench_write_loop *write[BENCH_CHECKSUM_SLOTS];
    bench_hash_loop *hash[BENCH_CHECKSUM_SLOTS];
} bench_loops;

/* The sets that this CPU can run, the baseline first; members of the others may be NULL. */
#define BENCH_MAX_LOOPS 3
size_t bench_limits(const bench_loops *sets[BENCH_MAX_LOOPS]);

/* The kernels that limits may use for a CRC: our own first, then those of the packaged libraries
 * that were found when this was built, which have CRC-32 only. */
#define BENCH_MAX_KERNELS 4
size_t bench_kernel_sets(const bench_kernels *sets[BENCH_MAX_KERNELS]);

#endif
