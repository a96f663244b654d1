/* Statistics of the values of a path, in bounded memory.
 *
 * Whole numbers are added up exactly. Quantiles are exact while there are up to most_different
 * different values; from then on values are counted in buckets, and a quantile is within 1 % of the
 * value that it stands for. NaN is counted and left out of everything else; an infinity has a part
 * in everything, so that a mean may be infinite.
 */
#ifndef FLATSTREAM_STATISTICS_H
#define FLATSTREAM_STATISTICS_H

#include "flatstream/query.h"

FLS_BEGIN_DECLS

typedef struct fls_statistics fls_statistics;

typedef struct fls_statistics_options {
    uint32_t struct_bytes;
    uint32_t most_different;        /* 0: 65,536; 2^24 at most */
    const fls_allocator *allocator; /* NULL: libc */
} fls_statistics_options;

#define FLS_STATISTICS_OPTIONS_INIT             \
    {                                           \
        sizeof(fls_statistics_options), 0, NULL \
    }

/* min, max and sum are FLS_VALUE_ABSENT without values. */
typedef struct fls_summary {
    uint64_t count;       /* numbers */
    uint64_t absent;      /* values that were FLS_VALUE_ABSENT */
    uint64_t not_numbers; /* NaN */
    fls_value min;
    fls_value max;
    fls_value sum;     /* of whole numbers exact where 64 bits hold it, else the nearest double */
    double mean;       /* NaN without values */
    double deviation;  /* the sample's standard deviation; 0 of one value, NaN of none or infinities
                        */
    uint32_t is_exact; /* quantiles are */
    uint32_t reserved;
} fls_summary;

FLS_API FLS_MUST_USE fls_status fls_statistics_new(fls_statistics **statistics,
                                                   const fls_statistics_options *options,
                                                   fls_error *err);
FLS_API void fls_statistics_free(fls_statistics *statistics); /* NULL is harmless */

/* Forgets all values; keeps the memory. */
FLS_API void fls_statistics_reset(fls_statistics *statistics);

/* Takes a number, a bool (as 0 or 1), or an absent value. FLS_INVALID_ARGUMENT for text and
 * objects, and when numbers of different kinds come: i64, u64 (with bool) and f64.
 * FLS_NO_MEMORY: the value is not counted. */
FLS_API FLS_MUST_USE fls_status fls_statistics_add(fls_statistics *statistics,
                                                   const fls_value *value, fls_error *err);

FLS_API void fls_statistics_summary(const fls_statistics *statistics, fls_summary *summary);

/* The smallest value that at least `share` (0 to 1) of the values do not exceed; absent without
 * values. Within buckets the middle of one. */
FLS_API void fls_statistics_quantile(fls_statistics *statistics, double share, fls_value *value);

/* How many values lie in each of bin_count ranges of equal width from the smallest to the largest.
 * All zero without values or when one is infinite. */
FLS_API void fls_statistics_histogram(const fls_statistics *statistics, uint64_t *bins,
                                      size_t bin_count);

FLS_END_DECLS

#endif
