/* The segments of a journal as its writer knows them; see journal_kept.h. */
#include "journal/journal_kept.h"

#include <string.h>

fls_status flsi_kept_init(flsi_kept *kept, const flsi_directory *directory,
                          const fls_allocator *allocator, fls_error *err)
{
    *kept = (flsi_kept){.directory = directory, .allocator = allocator};
    kept->listing.allocator = allocator;
    return flsi_mutex_init(&kept->mutex, err);
}

void flsi_kept_fini(flsi_kept *kept)
{
    flsi_listing_fini(&kept->listing);
    flsi_mutex_fini(&kept->mutex);
}

static void forget(flsi_kept *kept)
{
    flsi_listing_fini(&kept->listing);
    kept->gone = 0;
    kept->bytes = 0;
    kept->is_read = 0;
}

void flsi_kept_forget(flsi_kept *kept)
{
    flsi_mutex_lock(&kept->mutex);
    forget(kept);
    flsi_mutex_unlock(&kept->mutex);
}

void flsi_kept_add(flsi_kept *kept, uint64_t first_ordinal, uint64_t bytes_before)
{
    const flsi_listed_segment segment = {
        .first_ordinal = first_ordinal, .has_plain = 1, .has_marks = 1};
    flsi_listing *listing = &kept->listing;
    flsi_mutex_lock(&kept->mutex);
    if (kept->is_read && listing->count > kept->gone &&
        listing->segments[listing->count - 1].first_ordinal < first_ordinal &&
        flsi_listing_add(listing, &segment, NULL) == FLS_OK) {
        listing->segments[listing->count - 2].bytes = bytes_before;
        kept->bytes += bytes_before;
    } else {
        forget(kept);
    }
    flsi_mutex_unlock(&kept->mutex);
}

void flsi_kept_pop(flsi_kept *kept)
{
    flsi_listing *listing = &kept->listing;
    kept->bytes -= listing->segments[kept->gone].bytes;
    kept->gone++;
    if (kept->gone > listing->count / 2) { /* each is moved once for each that goes */
        listing->count -= kept->gone;
        memmove(listing->segments, listing->segments + kept->gone,
                listing->count * sizeof *listing->segments);
        kept->gone = 0;
    }
}

static fls_status read_all(flsi_kept *kept, fls_error *err)
{
    forget(kept);
    fls_status status = flsi_listing_read(&kept->listing, kept->directory, kept->allocator, err);
    for (size_t i = 0; status == FLS_OK && i + 1 < kept->listing.count; i++) {
        flsi_listed_segment *segment = &kept->listing.segments[i];
        status = flsi_listing_bytes(kept->directory, segment->first_ordinal, &segment->bytes, err);
        kept->bytes += segment->bytes;
    }
    if (status != FLS_OK) {
        forget(kept);
    }
    kept->is_read = status == FLS_OK;
    return status;
}

/* Those that others removed, oldest first. */
static void drop_pruned(flsi_kept *kept)
{
    while (kept->listing.count > kept->gone + 1) {
        flsi_listed_segment oldest = kept->listing.segments[kept->gone];
        if (flsi_listing_has(kept->directory, &oldest)) {
            return;
        }
        flsi_kept_pop(kept);
    }
}

/* Those that were compressed since. */
static fls_status see_compressed(flsi_kept *kept, fls_error *err)
{
    fls_status status = FLS_OK;
    for (size_t i = kept->gone; status == FLS_OK && i + 1 < kept->listing.count; i++) {
        flsi_listed_segment *segment = &kept->listing.segments[i];
        if (!segment->has_plain) {
            continue;
        }
        (void)flsi_listing_has(kept->directory, segment);
        if (!segment->has_plain) {
            uint64_t bytes = 0;
            status = flsi_listing_bytes(kept->directory, segment->first_ordinal, &bytes, err);
            if (status == FLS_OK) {
                kept->bytes += bytes - segment->bytes;
                segment->bytes = bytes;
            } else {
                forget(kept);
            }
        }
    }
    return status;
}

fls_status flsi_kept_refresh(flsi_kept *kept, int may_be_compressed, fls_error *err)
{
    if (!kept->is_read) {
        return read_all(kept, err);
    }
    drop_pruned(kept);
    return may_be_compressed ? see_compressed(kept, err) : FLS_OK;
}

fls_status flsi_kept_count(flsi_kept *kept, int may_be_compressed, uint64_t *segments,
                           uint64_t *first_ordinal, uint64_t *bytes, fls_error *err)
{
    uint64_t last = 0;
    flsi_mutex_lock(&kept->mutex);
    const flsi_listing *listing = &kept->listing;
    fls_status status = flsi_kept_refresh(kept, may_be_compressed, err);
    if (status == FLS_OK && listing->count > kept->gone) {
        status = flsi_listing_bytes(
            kept->directory, listing->segments[listing->count - 1].first_ordinal, &last, err);
    }
    if (status == FLS_OK) {
        *segments = listing->count - kept->gone;
        *first_ordinal = *segments > 0 ? listing->segments[kept->gone].first_ordinal : 0;
        *bytes = kept->bytes + last;
    }
    flsi_mutex_unlock(&kept->mutex);
    return status;
}

fls_status flsi_kept_plain(flsi_kept *kept, flsi_listing *plain, fls_error *err)
{
    *plain = (flsi_listing){.allocator = kept->allocator, .epoch = UINT64_MAX};
    flsi_mutex_lock(&kept->mutex);
    const flsi_listing *listing = &kept->listing;
    fls_status status = flsi_kept_refresh(kept, 1, err);
    size_t i = kept->gone;
    while (i + 1 < listing->count && !listing->segments[i].has_plain) {
        i++;
    }
    for (; status == FLS_OK && i < listing->count; i++) {
        status = flsi_listing_add(plain, &listing->segments[i], err);
    }
    flsi_mutex_unlock(&kept->mutex);
    if (status != FLS_OK) {
        flsi_listing_fini(plain);
    }
    return status;
}
