/* The segments that a journal's directory holds, in the order of their ordinals.
 *
 * A segment's messages end where the next segment begins: what it holds beyond is superseded (a
 * recovery was cut short). Where a segment is there both plain and compressed the plain one counts.
 */
#ifndef FLSI_JOURNAL_LISTING_H
#define FLSI_JOURNAL_LISTING_H

#include "flatstream/allocator.h"
#include "journal/journal_names.h"
#include "os/os_directory.h"

typedef struct flsi_listed_segment {
    uint64_t first_ordinal;
    uint64_t bytes; /* of all its files; 0: not asked for */
    uint8_t has_plain;
    uint8_t has_compressed;
    uint8_t has_marks;
    uint8_t reserved[5];
} flsi_listed_segment;

typedef struct flsi_listing {
    const fls_allocator *allocator;
    flsi_listed_segment *segments; /* marks without a segment are not in here */
    size_t count;
    size_t capacity;
    uint64_t epoch; /* of the manifest before it was read; UINT64_MAX: not known */
} flsi_listing;

fls_status flsi_listing_read(flsi_listing *listing, const flsi_directory *directory,
                             const fls_allocator *allocator, fls_error *err);
/* For a reader: as it is now. What a long one lacks is found by what its last segment's seal says
 * comes next, unless there was another writer meanwhile; in_any_case: it is read anew. On failure
 * it is as it was. A listing of zeros is one that was not read. */
fls_status flsi_listing_again(flsi_listing *listing, const flsi_directory *directory,
                              const fls_allocator *allocator, int in_any_case, fls_error *err);
void flsi_listing_fini(flsi_listing *listing);
/* A segment behind the last one. */
fls_status flsi_listing_add(flsi_listing *listing, const flsi_listed_segment *segment,
                            fls_error *err);
/* Which of its frames' files are there now, the plain one or else the compressed one; 0: neither.
 */
int flsi_listing_has(const flsi_directory *directory, flsi_listed_segment *segment);
/* Bytes of all files of a segment; one that is gone counts nothing. */
fls_status flsi_listing_bytes(const flsi_directory *directory, uint64_t first_ordinal,
                              uint64_t *bytes, fls_error *err);
/* Index of the segment that holds an ordinal: the last one whose first ordinal is not above it; 0
 * when all are above; SIZE_MAX when there is none. */
size_t flsi_listing_find(const flsi_listing *listing, uint64_t ordinal);

#endif
