/* Counting sizes: a hash table of the different ones, and when they get too many, buckets whose
 * width grows with the size.
 */
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

#define MOST_EXACT  65536u
#define FIRST_SLOTS 256u

/* Sizes below 2 * SUB_BUCKETS have a bucket each; above, each doubling has SUB_BUCKETS of them. */
#define SUB_BITS     7u
#define SUB_BUCKETS  (1u << SUB_BITS)
#define BUCKET_COUNT ((32u - SUB_BITS + 1u) * SUB_BUCKETS)

static unsigned bits_of(uint32_t value)
{
    unsigned bits = 0;
    for (; value != 0; value >>= 1) {
        bits++;
    }
    return bits;
}

static size_t bucket_of(uint32_t size)
{
    if (size < 2 * SUB_BUCKETS) {
        return size;
    }
    unsigned shift = bits_of(size) - SUB_BITS - 1;
    return (size_t)shift * SUB_BUCKETS + (size >> shift);
}

/* The size in the middle of a bucket. */
static uint32_t size_of_bucket(size_t bucket)
{
    if (bucket < 2 * SUB_BUCKETS) {
        return (uint32_t)bucket;
    }
    unsigned shift = (unsigned)(bucket / SUB_BUCKETS) - 1;
    uint32_t least = (uint32_t)(bucket % SUB_BUCKETS + SUB_BUCKETS) << shift;
    return least + (1u << shift) / 2;
}

int cli_sizes_init(cli_sizes *sizes)
{
    memset(sizes, 0, sizeof *sizes);
    sizes->min = UINT32_MAX;
    sizes->slot_count = FIRST_SLOTS;
    sizes->slots = calloc(FIRST_SLOTS, sizeof *sizes->slots);
    return sizes->slots != NULL;
}

void cli_sizes_free(cli_sizes *sizes)
{
    free(sizes->slots);
    free(sizes->buckets);
}

static cli_size_slot *find(cli_size_slot *slots, size_t slot_count, uint32_t size)
{
    size_t at = (size * 2654435761u) & (slot_count - 1);
    while (slots[at].count != 0 && slots[at].size != size) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

static int grow(cli_sizes *sizes)
{
    size_t slot_count = sizes->slot_count * 2;
    cli_size_slot *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizes->slot_count; i++) {
        if (sizes->slots[i].count != 0) {
            *find(slots, slot_count, sizes->slots[i].size) = sizes->slots[i];
        }
    }
    free(sizes->slots);
    sizes->slots = slots;
    sizes->slot_count = slot_count;
    return 1;
}

static int use_buckets(cli_sizes *sizes)
{
    sizes->buckets = calloc(BUCKET_COUNT, sizeof *sizes->buckets);
    if (sizes->buckets == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizes->slot_count; i++) {
        if (sizes->slots[i].count != 0) {
            sizes->buckets[bucket_of(sizes->slots[i].size)] += sizes->slots[i].count;
        }
    }
    free(sizes->slots);
    sizes->slots = NULL;
    sizes->last = NULL;
    return 1;
}

static int add_slow(cli_sizes *sizes, uint32_t size, uint64_t count)
{
    if (sizes->buckets == NULL) {
        cli_size_slot *slot = find(sizes->slots, sizes->slot_count, size);
        if (slot->count == 0 && sizes->used == MOST_EXACT) {
            if (!use_buckets(sizes)) {
                return 0;
            }
        } else {
            if (slot->count == 0 && ++sizes->used * 2 > sizes->slot_count) {
                if (!grow(sizes)) {
                    return 0;
                }
                slot = find(sizes->slots, sizes->slot_count, size);
            }
            slot->size = size;
            slot->count += count;
            sizes->last = slot;
            return 1;
        }
    }
    sizes->last = NULL;
    sizes->buckets[bucket_of(size)] += count;
    return 1;
}

int cli_sizes_add(cli_sizes *sizes, size_t size)
{
    uint32_t small = (uint32_t)size;
    if (sizes->last != NULL && sizes->last->size == small) {
        sizes->last->count++;
    } else if (!add_slow(sizes, small, 1)) {
        return 0;
    }
    sizes->messages++;
    sizes->bytes += size;
    sizes->min = small < sizes->min ? small : sizes->min;
    sizes->max = small > sizes->max ? small : sizes->max;
    return 1;
}

int cli_sizes_clear(cli_sizes *sizes)
{
    cli_size_slot *slots = sizes->slots;
    size_t slot_count = sizes->slot_count;
    if (slots == NULL) {
        cli_sizes_free(sizes);
        return cli_sizes_init(sizes);
    }
    memset(sizes, 0, sizeof *sizes);
    memset(slots, 0, slot_count * sizeof *slots);
    sizes->min = UINT32_MAX;
    sizes->slots = slots;
    sizes->slot_count = slot_count;
    return 1;
}

int cli_sizes_merge(cli_sizes *sizes, const cli_sizes *other)
{
    if (other->buckets != NULL && sizes->buckets == NULL && !use_buckets(sizes)) {
        return 0;
    }
    for (size_t i = 0; other->buckets != NULL && i < BUCKET_COUNT; i++) {
        sizes->buckets[i] += other->buckets[i];
    }
    for (size_t i = 0; other->buckets == NULL && i < other->slot_count; i++) {
        const cli_size_slot *slot = &other->slots[i];
        if (slot->count != 0 && !add_slow(sizes, slot->size, slot->count)) {
            return 0;
        }
    }
    sizes->messages += other->messages;
    sizes->bytes += other->bytes;
    sizes->min = other->min < sizes->min ? other->min : sizes->min;
    sizes->max = other->max > sizes->max ? other->max : sizes->max;
    return 1;
}

/* Free slots last. */
static int by_size(const void *a, const void *b)
{
    const cli_size_slot *left = a;
    const cli_size_slot *right = b;
    if ((left->count == 0) != (right->count == 0)) {
        return left->count == 0 ? 1 : -1;
    }
    return left->size < right->size ? -1 : left->size > right->size;
}

uint64_t cli_sizes_quantile(cli_sizes *sizes, double share)
{
    double position = share * (double)sizes->messages;
    uint64_t rank = (uint64_t)position;
    uint64_t seen = 0;
    rank += (double)rank < position || rank == 0;
    if (sizes->buckets == NULL) {
        qsort(sizes->slots, sizes->slot_count, sizeof *sizes->slots, by_size);
        for (size_t i = 0; i < sizes->used; i++) {
            seen += sizes->slots[i].count;
            if (seen >= rank) {
                return sizes->slots[i].size;
            }
        }
        return sizes->max;
    }
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        seen += sizes->buckets[i];
        if (seen >= rank) {
            uint32_t size = size_of_bucket(i);
            size = size < sizes->min ? sizes->min : size;
            return size > sizes->max ? sizes->max : size;
        }
    }
    return sizes->max;
}

void cli_sizes_classes(const cli_sizes *sizes, uint64_t counts[CLI_SIZE_CLASSES])
{
    memset(counts, 0, CLI_SIZE_CLASSES * sizeof counts[0]);
    if (sizes->buckets != NULL) {
        for (size_t i = 0; i < BUCKET_COUNT; i++) {
            counts[bits_of(size_of_bucket(i))] += sizes->buckets[i];
        }
        return;
    }
    for (size_t i = 0; i < sizes->slot_count; i++) {
        counts[bits_of(sizes->slots[i].size)] += sizes->slots[i].count;
    }
}
