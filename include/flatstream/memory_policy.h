/* When a buffer that grew for a large message gives its memory back.
 *
 * A policy is consulted only while a buffer is larger than its baseline, once a message or batch.
 * Without one a buffer stays as large as the largest message needed.
 */
#ifndef FLATSTREAM_MEMORY_POLICY_H
#define FLATSTREAM_MEMORY_POLICY_H

#include "flatstream/allocator.h"

FLS_BEGIN_DECLS

/* The baseline of buffers that start empty. A reader's baseline is its buffer_bytes where that is
 * more. */
#define FLS_MEMORY_BASELINE_BYTES 16384u

typedef enum fls_memory_policy_kind {
    FLS_MEMORY_KEEP = 0,               /* never give back */
    FLS_MEMORY_ADAPTIVE_WATERMARK = 1, /* after a run of messages that need far less */
    FLS_MEMORY_SIZE_THRESHOLD = 2,     /* as soon as a buffer over a size is not needed */
    FLS_MEMORY_CUSTOM = 3
} fls_memory_policy_kind;

/* Zero means the default everywhere. The struct is copied; what it points to must outlive its use.
 */
typedef struct fls_memory_policy {
    fls_memory_policy_kind kind;
    uint32_t ratio;    /* watermark: "far less" is capacity / ratio or less; default 4 */
    uint32_t messages; /* watermark: length of the run; default 5 */
    uint32_t reserved;
    uint64_t cooldown_ns;     /* watermark: least time between two give-backs; default 0, none */
    uint64_t threshold_bytes; /* threshold: capacity above which memory is given back as soon as the
                                 last message needed no more than it; default 1 MiB */
    const fls_clock *clock;   /* NULL: fls_clock_monotonic */
    /* CUSTOM: not 0 when the buffer should go back to its baseline now. */
    int (*reclaim)(void *self, size_t last_bytes, size_t capacity, size_t baseline);
    /* Any kind, may be NULL: told after memory was given back. */
    void (*reclaimed)(void *self, size_t from_bytes, size_t to_bytes);
    void *self;
} fls_memory_policy;

FLS_END_DECLS

#endif
