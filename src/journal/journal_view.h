/* A segment as a reader has it open: its bytes, plain or compressed, what its marks begin with, and
 * places in it whose ordinals are known.
 */
#ifndef FLSI_JOURNAL_VIEW_H
#define FLSI_JOURNAL_VIEW_H

#include "core/digest.h"
#include "journal/journal_listing.h"
#include "journal/journal_manifest.h"
#include "journal/journal_places.h"
#include "journal/journal_zstd.h"

typedef struct flsi_segment_view {
    const fls_allocator *allocator;
    const fls_digest_state *digest; /* of the journal's messages */
    uint32_t max_frame_bytes;
    uint64_t first_ordinal;
    flsi_file file;
    uint64_t device; /* which file it is */
    uint64_t inode;
    uint64_t marks_inode; /* 0: none */
    int is_compressed;
    flsi_zstd_reader *zstd; /* NULL: plain, or nothing of it can be read */
    fls_error damage;       /* of a compressed file as a whole; status FLS_OK: none */
    flsi_file marks;
    int has_header;
    flsi_record header;
    uint32_t type_count;
    flsi_manifest_type *types; /* room for FLSI_MANIFEST_TYPES, or NULL */
    flsi_places places;
} flsi_segment_view;

/* FLS_END: there is no such segment (any more). digest and allocator outlive it. */
fls_status flsi_view_open(flsi_segment_view *view, const flsi_directory *directory,
                          const flsi_listed_segment *listed, const fls_digest_state *digest,
                          uint32_t max_frame_bytes, const fls_allocator *allocator, fls_error *err);
void flsi_view_shut(flsi_segment_view *view); /* harmless when closed */

/* Looks again for marks that were not there yet when it was opened: *found 1 when they are now. */
fls_status flsi_view_find_marks(flsi_segment_view *view, const flsi_directory *directory,
                                int *found, fls_error *err);

/* Bytes of frames that the file has now. */
fls_status flsi_view_size(const flsi_segment_view *view, uint64_t *bytes, fls_error *err);
/* As flsi_file_read_at; a compressed piece that is damaged is its fault. */
fls_status flsi_view_read_at(const flsi_segment_view *view, uint64_t offset, void *buffer,
                             size_t capacity, size_t *got, fls_error *err);
/* The same, but what a damaged piece held is bytes that are no frame: so that what is behind it is
 * found as behind any damage. */
fls_status flsi_view_read_past(const flsi_segment_view *view, uint64_t offset, void *buffer,
                               size_t capacity, size_t *got, fls_error *err);

/* As flsi_places_find, in the marks as they are now. */
fls_status flsi_view_find(flsi_segment_view *view, flsi_place_key by, uint64_t key, size_t *index,
                          fls_error *err);

#endif
