/* The segments that a journal's directory holds; see journal_listing.h. */
#include "journal/journal_listing.h"

#include <stdlib.h>

typedef struct listing_walk {
    flsi_listing *listing;
    fls_error *err;
    fls_status status;
} listing_walk;

static fls_status listing_grow(flsi_listing *listing, fls_error *err)
{
    size_t size = sizeof *listing->segments;
    size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
    if (listing->count < listing->capacity) {
        return FLS_OK;
    }
    flsi_listed_segment *grown =
        capacity > SIZE_MAX / size
            ? NULL
            : listing->allocator->resize(listing->allocator->self, listing->segments,
                                         listing->capacity * size, capacity * size);
    if (grown == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "no memory for the list of segments");
    }
    listing->segments = grown;
    listing->capacity = capacity;
    return FLS_OK;
}

fls_status flsi_listing_add(flsi_listing *listing, const flsi_listed_segment *segment,
                            fls_error *err)
{
    fls_status status = listing_grow(listing, err);
    if (status == FLS_OK) {
        listing->segments[listing->count++] = *segment;
    }
    return status;
}

/* One entry a file; those of one segment are joined when all are there. */
static int see_name(void *self, const char *name)
{
    listing_walk *walk = self;
    flsi_listed_segment entry = {0};
    flsi_name_kind kind = flsi_name_parse(name, &entry.first_ordinal);
    entry.has_plain = kind == FLSI_NAME_SEGMENT;
    entry.has_compressed = kind == FLSI_NAME_COMPRESSED;
    entry.has_marks = kind == FLSI_NAME_MARKS;
    if (kind == FLSI_NAME_OTHER || kind == FLSI_NAME_UNFINISHED) {
        return 0;
    }
    walk->status = flsi_listing_add(walk->listing, &entry, walk->err);
    return walk->status != FLS_OK;
}

static int compare_entries(const void *left, const void *right)
{
    uint64_t a = ((const flsi_listed_segment *)left)->first_ordinal;
    uint64_t b = ((const flsi_listed_segment *)right)->first_ordinal;
    return (a > b) - (a < b);
}

static void join_entries(flsi_listing *listing)
{
    flsi_listed_segment *all = listing->segments;
    size_t kept = 0;
    for (size_t i = 0; i < listing->count;) {
        flsi_listed_segment joined = all[i];
        for (i++; i < listing->count && all[i].first_ordinal == joined.first_ordinal; i++) {
            joined.has_plain |= all[i].has_plain;
            joined.has_compressed |= all[i].has_compressed;
            joined.has_marks |= all[i].has_marks;
        }
        if (joined.has_plain || joined.has_compressed) {
            all[kept++] = joined;
        }
    }
    listing->count = kept;
}

fls_status flsi_listing_read(flsi_listing *listing, const flsi_directory *directory,
                             const fls_allocator *allocator, fls_error *err)
{
    listing_walk walk = {listing, err, FLS_OK};
    *listing = (flsi_listing){.allocator = allocator};
    fls_status status = flsi_directory_list(directory, see_name, &walk, err);
    status = walk.status != FLS_OK ? walk.status : status;
    if (status != FLS_OK) {
        flsi_listing_fini(listing);
        return status;
    }
    if (listing->count > 0) {
        qsort(listing->segments, listing->count, sizeof *listing->segments, compare_entries);
        join_entries(listing);
    }
    return FLS_OK;
}

void flsi_listing_fini(flsi_listing *listing)
{
    if (listing->segments != NULL) {
        listing->allocator->free(listing->allocator->self, listing->segments,
                                 listing->capacity * sizeof *listing->segments);
    }
    listing->segments = NULL;
    listing->count = 0;
    listing->capacity = 0;
}

size_t flsi_listing_find(const flsi_listing *listing, uint64_t ordinal)
{
    size_t low = 0;
    size_t high = listing->count; /* the first one above lies in low..high */
    if (high == 0) {
        return SIZE_MAX;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (listing->segments[middle].first_ordinal > ordinal) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == 0 ? 0 : low - 1;
}

fls_status flsi_listing_bytes(const flsi_directory *directory, uint64_t first_ordinal,
                              uint64_t *bytes, fls_error *err)
{
    static const flsi_name_kind kinds[] = {FLSI_NAME_SEGMENT, FLSI_NAME_COMPRESSED,
                                           FLSI_NAME_MARKS};
    *bytes = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char name[FLSI_NAME_BYTES];
        flsi_file_info info;
        int missing = 0;
        flsi_name_format(name, kinds[i], first_ordinal);
        fls_status status = flsi_directory_info(directory, name, &info, &missing, err);
        if (status == FLS_OK) {
            *bytes += info.size_bytes;
        } else if (!missing) {
            return status;
        }
    }
    return FLS_OK;
}
