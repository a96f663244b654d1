/* The segments that a journal's directory holds; see journal_listing.h. */
#include "journal/journal_listing.h"

#include <stdlib.h>
#include <string.h>

#include "journal/journal_manifest.h"
#include "journal/journal_marks.h"
#include "journal/journal_scan.h"

/* A shorter list is read as a whole: that costs no more than to look for what has changed. */
#define LONG_LISTING 64u

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
    *listing = (flsi_listing){.allocator = allocator, .epoch = UINT64_MAX};
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

/* ---- what has changed ---- */

static uint64_t newest_epoch(const flsi_directory *directory, const fls_allocator *allocator)
{
    flsi_manifest *manifest = allocator->resize(allocator->self, NULL, 0, sizeof *manifest);
    uint64_t epoch = UINT64_MAX;
    if (manifest != NULL) {
        if (flsi_manifest_load(manifest, directory, allocator, NULL) == FLS_OK) {
            epoch = manifest->epoch;
        }
        allocator->free(allocator->self, manifest, sizeof *manifest);
    }
    return epoch;
}

/* Whether a file of the kind is there; what cannot be told is taken for it. */
static int has_file(const flsi_directory *directory, flsi_name_kind kind, uint64_t ordinal)
{
    char name[FLSI_NAME_BYTES];
    flsi_file_info info;
    int missing = 0;
    flsi_name_format(name, kind, ordinal);
    return flsi_directory_info(directory, name, &info, &missing, NULL) == FLS_OK || !missing;
}

int flsi_listing_has(const flsi_directory *directory, flsi_listed_segment *segment)
{
    segment->has_plain = has_file(directory, FLSI_NAME_SEGMENT, segment->first_ordinal) != 0;
    segment->has_compressed =
        !segment->has_plain && has_file(directory, FLSI_NAME_COMPRESSED, segment->first_ordinal);
    return segment->has_plain || segment->has_compressed;
}

/* Whether a segment without a seal is the writer's own of that epoch. One that is older may be what
 * a recovery just copies the end of, and seals only when the copy has its name. */
static int was_begun_in(const flsi_file *marks, uint64_t epoch)
{
    uint8_t bytes[FLSI_RECORD_BYTES];
    flsi_record record;
    size_t used;
    return flsi_read_exactly(marks, FLSI_MARKS_HEADER_BYTES, bytes, sizeof bytes, NULL) == FLS_OK &&
           flsi_record_decode(&record, bytes, sizeof bytes, &used, NULL) == FLS_OK &&
           record.type == FLSI_RECORD_HEADER && record.small == epoch;
}

/* What comes behind a segment, as the seal that ends its marks says: 1; 0: it is not sealed so that
 * another one follows; -1: it cannot be told. */
static int read_seal(const flsi_directory *directory, uint64_t ordinal, uint64_t epoch,
                     uint64_t *next)
{
    char name[FLSI_NAME_BYTES];
    uint8_t bytes[FLSI_RECORD_BYTES];
    flsi_file marks;
    flsi_file_info info;
    flsi_record record;
    size_t used;
    int answer = -1;
    flsi_name_format(name, FLSI_NAME_MARKS, ordinal);
    if (flsi_directory_file(directory, &marks, name, FLSI_OPEN_READ, NULL, NULL) != FLS_OK) {
        return -1;
    }
    if (flsi_file_info_get(&marks, &info, NULL) == FLS_OK && info.size_bytes >= sizeof bytes &&
        flsi_read_exactly(&marks, info.size_bytes - sizeof bytes, bytes, sizeof bytes, NULL) ==
            FLS_OK) {
        answer = flsi_record_decode(&record, bytes, sizeof bytes, &used, NULL) == FLS_OK &&
                 record.type == FLSI_RECORD_SEAL &&
                 (record.flags & (FLSI_SEAL_ROTATED | FLSI_SEAL_RECOVERED)) != 0 &&
                 record.ordinal > ordinal;
        *next = answer ? record.ordinal : 0;
        answer = answer || was_begun_in(&marks, epoch) ? answer : -1;
    }
    (void)flsi_file_close(&marks, NULL);
    return answer;
}

/* Without another writer or a recovery, which say so in the manifest before they do anything,
 * segments come only behind the last one, when that is sealed, and go from the front. *renewed 0:
 * it has to be read. */
static fls_status renew(flsi_listing *listing, const flsi_directory *directory, int *renewed,
                        fls_error *err)
{
    size_t count = listing->count;
    size_t gone = 0;
    *renewed = 0;
    if (count < LONG_LISTING || listing->epoch == UINT64_MAX ||
        newest_epoch(directory, listing->allocator) != listing->epoch) {
        return FLS_OK;
    }
    for (;;) {
        flsi_listed_segment next = {.has_marks = 1};
        int sealed = read_seal(directory, listing->segments[listing->count - 1].first_ordinal,
                               listing->epoch, &next.first_ordinal);
        if (sealed < 0 || listing->count > 2 * count) {
            return FLS_OK; /* what was found is not wrong */
        }
        if (!sealed || !flsi_listing_has(directory, &next)) {
            break;
        }
        fls_status status = flsi_listing_add(listing, &next, err);
        if (status != FLS_OK) {
            return status;
        }
    }
    while (gone + 1 < listing->count && !flsi_listing_has(directory, &listing->segments[gone])) {
        gone++;
    }
    listing->count -= gone;
    memmove(listing->segments, listing->segments + gone,
            listing->count * sizeof *listing->segments);
    *renewed = 1;
    return FLS_OK;
}

fls_status flsi_listing_again(flsi_listing *listing, const flsi_directory *directory,
                              const fls_allocator *allocator, int in_any_case, fls_error *err)
{
    flsi_listing read;
    int renewed = 0;
    fls_status status = in_any_case ? FLS_OK : renew(listing, directory, &renewed, err);
    if (status != FLS_OK || renewed) {
        return status;
    }
    uint64_t epoch = listing->count < LONG_LISTING && listing->allocator != NULL
                         ? UINT64_MAX
                         : newest_epoch(directory, allocator);
    status = flsi_listing_read(&read, directory, allocator, err);
    if (status == FLS_OK) {
        read.epoch = epoch;
        if (listing->allocator != NULL) {
            flsi_listing_fini(listing);
        }
        *listing = read;
    }
    return status;
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
