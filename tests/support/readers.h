/* Holds the three readers of the library (cursor, decoder, reader) against the reference decoder:
 * the same messages, the same end, the same place. Used by property tests and by fuzz targets. */
#ifndef TESTS_SUPPORT_READERS_H
#define TESTS_SUPPORT_READERS_H

#include <stddef.h>
#include <stdint.h>

#include "support/prng.h"
#include "support/reference.h"

typedef struct readers_case {
    ref_format format;
    const void *data; /* in a block of exactly size bytes where overreads are to show */
    size_t size;
} readers_case;

typedef struct readers_verdict {
    int agree;
    char why[240]; /* who disagreed about what, when not */
} readers_verdict;

/* All of the below, on one stream. Splits, block sizes and batch sizes are drawn from random. */
readers_verdict readers_agree(const readers_case *what, prng *random);

/* One way of reading against a reference result that is already there; readers_ways of them. */
#define READERS_WAYS 9
readers_verdict readers_way_agrees(unsigned way, const readers_case *what,
                                   const ref_stream *expected, prng *random);
const char *readers_way_name(unsigned way);

/* Splits as they are drawn: never more than max_piece bytes at once (0: drawn too). */
readers_verdict readers_agree_in_pieces(const readers_case *what, prng *random, size_t max_piece);

#endif
