/* What the benchmarks work on: payloads that differ, streams of them made by an encoder of the
 * benchmarks' own, and the proof that a road hands out exactly those payloads.
 */
#ifndef FLS_BENCH_WORKLOAD_H
#define FLS_BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "flatstream/checksum.h"
#include "flatstream/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The payload sizes of every table. */
#define BENCH_SIZES 5
extern const size_t bench_sizes[BENCH_SIZES];

#define BENCH_CHECKSUMS 4
extern const fls_checksum bench_checksums[BENCH_CHECKSUMS];

/* Payloads one behind another. */
typedef struct bench_pool {
    uint8_t *bytes;
    size_t payload_bytes;
    size_t count;
} bench_pool;

/* Frames one behind another; frame i carries payload i % pool->count. */
typedef struct bench_stream {
    const bench_pool *pool;
    const uint8_t *data;
    size_t bytes;
    size_t frames;
    fls_checksum checksum;
} bench_stream;

/* Memory that was touched, page-aligned; released by bench_release. */
uint8_t *bench_allocate(size_t bytes);
void bench_release(void *memory, size_t bytes);

/* As many payloads of random bytes as fit in total_bytes, but at least one. The first four bytes
 * are never all zero. */
void bench_pool_init(bench_pool *pool, size_t payload_bytes, size_t total_bytes);
void bench_pool_fini(bench_pool *pool);

size_t bench_frame_bytes(size_t payload_bytes, fls_checksum checksum);

/* As many frames as fit in capacity, but at most max_frames, into memory. */
void bench_stream_encode(bench_stream *stream, uint8_t *memory, size_t capacity, size_t max_frames,
                         const bench_pool *pool, fls_checksum checksum);

/* Fails the program unless message number index is what the stream's frame of that number holds. */
void bench_check_message(const bench_stream *stream, const fls_message *message, uint64_t index);

/* Makes PATH hold `bytes` bytes of memory, with write(2). */
void bench_write_path(const char *path, const void *memory, size_t bytes);

/* DIR/flatstream-bench.PID.NAME, into a buffer of its own that lasts until the next call. Removed
 * at exit, also when the program fails. */
const char *bench_path(const char *name);

#ifdef __cplusplus
}
#endif

#endif
