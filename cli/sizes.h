/* How large messages are, in bounded memory: exact while there are up to 64 Ki different sizes,
 * from then on in buckets of less than one per cent.
 */
#ifndef FLS_CLI_SIZES_H
#define FLS_CLI_SIZES_H

#include <stddef.h>
#include <stdint.h>

typedef struct cli_size_slot {
    uint64_t count; /* 0: the slot is free */
    uint32_t size;
} cli_size_slot;

typedef struct cli_sizes {
    uint64_t messages;
    uint64_t bytes;
    uint32_t min;
    uint32_t max;
    cli_size_slot *slots; /* open addressing; NULL once there are buckets */
    size_t slot_count;    /* a power of two */
    size_t used;
    cli_size_slot *last; /* where the last message was counted; often the next one's too */
    uint64_t *buckets;
} cli_sizes;

/* 0 when memory ran out, then and at any add. */
int cli_sizes_init(cli_sizes *sizes);
void cli_sizes_free(cli_sizes *sizes);
int cli_sizes_add(cli_sizes *sizes, size_t size);

/* Forgets all; keeps the memory where it can. 0 when memory ran out: init is due. */
int cli_sizes_clear(cli_sizes *sizes);
/* Adds all that another one counted, with the same result as if each had been added here. */
int cli_sizes_merge(cli_sizes *sizes, const cli_sizes *other);

/* The smallest size that at least `share` (0..1) of the messages do not exceed. There must be
 * messages. Sorts what is there: adding is over afterwards. */
uint64_t cli_sizes_quantile(cli_sizes *sizes, double share);

/* Messages by powers of two: counts[0] of size 0, counts[k] of sizes 2^(k-1) to 2^k - 1. */
#define CLI_SIZE_CLASSES 34
void cli_sizes_classes(const cli_sizes *sizes, uint64_t counts[CLI_SIZE_CLASSES]);

#endif
