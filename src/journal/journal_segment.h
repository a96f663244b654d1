/* A segment that is being written: frames gathered in a buffer and handed to NAME.fls, marks to
 * NAME.flm. Knows nothing of threads, locks or when to sync: what uses it does.
 *
 * The buffer holds whole frames only, and lies at the same place in a page as its first byte does
 * in the file. Everything is written at an offset, so that what a full disk cut off is written
 * again over itself.
 */
#ifndef FLSI_JOURNAL_SEGMENT_H
#define FLSI_JOURNAL_SEGMENT_H

#include "core/digest.h"
#include "flatstream/journal.h"
#include "journal/journal_manifest.h"
#include "journal/journal_marks.h"
#include "journal/journal_recovery.h"

/* What a new segment's marks begin with. */
typedef struct flsi_segment_start {
    uint64_t first_ordinal;
    uint64_t begun_ns; /* journal time */
    uint64_t epoch;
    uint64_t journal_id;   /* first half */
    uint32_t header_flags; /* FLSI_HEADER_... */
    uint32_t type_count;
    const flsi_manifest_type *types;
} flsi_segment_start;

typedef struct flsi_segment {
    flsi_file frames;
    flsi_file marks_file;
    const fls_allocator *allocator;
    const fls_digest_state *digest;
    uint64_t first_ordinal;
    uint64_t begun_ns;
    uint64_t epoch;
    /* The buffer. */
    uint8_t *memory;
    size_t memory_bytes;
    uint8_t *begin; /* of what is held: whole frames */
    uint8_t *next;
    uint8_t *limit;
    uint64_t begin_offset;  /* in the file, of begin */
    uint64_t begin_ordinal; /* of the first frame that is held */
    uint64_t next_ordinal;
    uint64_t last_time_ns;
    /* The proof of the last frame that is in the file, for a DURABLE record at begin_offset. */
    uint32_t proof_bytes;
    uint64_t proof;
    /* Marks. */
    flsi_marks_builder marks;
    uint64_t marks_offset;   /* in the file: what was written ends here */
    uint64_t marks_synced;   /* so much of it has survived a sync */
    uint64_t pieces_ordinal; /* the next OFFSET record speaks of it, at begin_offset */
} flsi_segment;

/* A new segment under the name of its first ordinal (name NULL) or under another, unfinished one,
 * to be renamed. Files only, no sync. digest and allocator must outlive it. */
fls_status flsi_segment_begin(flsi_segment *segment, const flsi_directory *directory,
                              const char *name, const char *marks_name,
                              const flsi_segment_start *start, const fls_digest_state *digest,
                              const fls_allocator *allocator, fls_error *err);
/* One that is there, at its clean end. */
fls_status flsi_segment_resume(flsi_segment *segment, const flsi_directory *directory,
                               const flsi_journal_place *place, const fls_digest_state *digest,
                               const fls_allocator *allocator, fls_error *err);
/* Closes the files and frees memory; what is held is lost. Harmless on a closed one. */
void flsi_segment_end(flsi_segment *segment);

/* Frames one payload; time 0: none is noted. FLS_NO_SPACE and other failures of writing: the
 * message is not taken, and the segment is as before. */
fls_status flsi_segment_put(flsi_segment *segment, const void *payload, size_t size,
                            uint64_t time_ns, fls_error *err);
/* A gap, clock or other record that belongs before the next message. */
fls_status flsi_segment_mark(flsi_segment *segment, const flsi_record *record, fls_error *err);

/* Hands all frames to the file, then the marks about them to theirs. On FLS_NO_SPACE the file is
 * cut back to its last whole frame, and what was not written is still held. */
fls_status flsi_segment_flush(flsi_segment *segment, fls_error *err);

/* After a sync of the frames returned: says with a DURABLE record that what was below (ordinal,
 * offset, proof as they were at that flush) is durable, and writes it; not synced. */
fls_status flsi_segment_mark_durable(flsi_segment *segment, uint64_t ordinal, uint64_t offset,
                                     uint32_t proof_bytes, uint64_t proof, fls_error *err);
/* The last record: FLSI_SEAL_...; written, not synced. Everything was flushed before. */
fls_status flsi_segment_seal(flsi_segment *segment, uint32_t flags, fls_error *err);

#endif
