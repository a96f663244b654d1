/* A segment as a reader has it open: its bytes, plain or compressed, what its marks begin with, and
 * places in it whose ordinals are known.
 */
#ifndef FLSI_JOURNAL_VIEW_H
#define FLSI_JOURNAL_VIEW_H

#include "core/digest.h"
#include "journal/journal_listing.h"
#include "journal/journal_manifest.h"
#include "journal/journal_marks_file.h"
#include "journal/journal_zstd.h"

/* A message whose ordinal is known begins at an offset, or is to begin there. */
typedef struct flsi_place {
    uint64_t ordinal;
    uint64_t offset;
    uint64_t time_ns;  /* nothing behind it is older; 0: not known */
    int is_its_time;   /* nothing before it is newer than time_ns either */
    uint64_t marks_at; /* of the frame of marks that tells times from here on */
    uint64_t found_at; /* of the frame of marks that says so; UINT64_MAX: known otherwise */
} flsi_place;

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
    /* Places, in rising order of ordinals and offsets; the first is the segment's beginning. */
    flsi_marks_file places_marks;
    flsi_place *places;
    size_t place_count;
    size_t place_capacity;
    uint64_t places_at; /* in the marks: looked at so far */
    int places_proven;  /* every frame is proven before it is believed */
    int places_ended;   /* what comes next in the marks is not valid */
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

/* What a place is looked for by. */
typedef enum flsi_place_key { FLSI_BY_ORDINAL, FLSI_BY_OFFSET, FLSI_BY_TIME } flsi_place_key;

/* The last place at or below an ordinal or offset, or the last one older than a time: *index is its
 * index, proven, as is the one behind it. The first place where there is none. */
fls_status flsi_view_find(flsi_segment_view *view, flsi_place_key by, uint64_t key, size_t *index,
                          fls_error *err);

/* A place that was found by reading; behind all others. */
fls_status flsi_view_add_place(flsi_segment_view *view, const flsi_place *place, fls_error *err);

#endif
