/* What statistics.c and statistics_table.c share: how often each value came. */
#ifndef FLSI_FLATBUF_STATISTICS_PRIVATE_H
#define FLSI_FLATBUF_STATISTICS_PRIVATE_H

#include "flatstream/statistics.h"

typedef struct flsi_tally {
    uint64_t key;   /* a value's bits, or a bucket's number */
    uint64_t count; /* 0: the slot is free */
} flsi_tally;

/* A hash table with open addressing, at most half full; or once `is_sorted`, its entries first, in
 * ascending order of what they stand for. */
typedef struct flsi_tallies {
    flsi_tally *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t used;
    size_t most_different;
    flsi_tally *last; /* where the last value was counted: often the next one's place too */
    fls_value_kind kind;
    uint8_t in_buckets;
    uint8_t is_sorted;
    const fls_allocator *allocator;
} flsi_tallies;

/* A value's bits as a key; -0 is 0. */
uint64_t flsi_tally_key(const fls_value *value);

/* Counts a value. 0 when there is no memory; nothing has changed then. */
int flsi_tally_add(flsi_tallies *tallies, uint64_t key);

void flsi_tally_sort(flsi_tallies *tallies);

/* What a slot stands for. */
fls_value flsi_tally_value(const flsi_tallies *tallies, const flsi_tally *tally);

/* As a double, of 64 bits the nearest. */
double flsi_number_of(const fls_value *value);

#endif
