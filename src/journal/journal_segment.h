/* A segment that is being written: frames gathered in a buffer and handed to NAME.fls, marks to
 * NAME.flm. Knows nothing of threads, locks or when to sync: what uses it does.
 *
 * The buffer holds whole frames only, and lies at the same place in a page as its first byte does
 * in the file. The file may have the beginning of the first of them already; a flush leaves it with
 * whole frames only. Everything is written at an offset, so that what a full disk cut off is
 * written again over itself.
 */
#ifndef FLSI_JOURNAL_SEGMENT_H
#define FLSI_JOURNAL_SEGMENT_H

#include "core/digest.h"
#include "flatstream/journal.h"
#include "journal/journal_manifest.h"
#include "journal/journal_marks.h"
#include "journal/journal_recovery.h"
#include "journal/journal_redo.h"

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
    uint32_t notes_times; /* 1: each message's time goes into a TIMES record */
    uint32_t short_xxh3;  /* 1: short payloads need no choice of checksum */
    /* The buffer. */
    uint8_t *memory;
    size_t memory_bytes;
    uint8_t *base;  /* first page in it */
    uint8_t *begin; /* of what is held: whole frames */
    uint8_t *next;
    uint8_t *last;         /* the last frame that is held */
    uint8_t *limit;        /* up to here frames need no looking at; next: no piece is open */
    uint64_t begin_offset; /* in the file, of begin */
    uint64_t
        edge_offset; /* in the file: up to here the buffer is filled before it is handed over */
    uint64_t begin_ordinal; /* of the first frame that is held */
    uint64_t next_ordinal;
    uint64_t last_time_ns;
    /* The proof of the last frame that is in the file, for a DURABLE record at begin_offset; 0 and
     * 0 until something was flushed. */
    uint32_t proof_bytes;
    uint64_t proof;
    /* Marks. A piece is what one frame of marks speaks of: at most 64 KiB, or one frame. */
    flsi_marks_builder marks;
    uint64_t marks_offset; /* in the file: what was written ends here */
    uint64_t marks_synced; /* so much of it has survived a sync */
    flsi_redo *redo;       /* what is written is noted in it; NULL: in none */
} flsi_segment;

/* A new segment under the name of its first ordinal (name NULL) or under another, unfinished one,
 * to be renamed. One of no bytes that is there already is begun again; any other is FLS_IO. Files
 * only, no sync. digest and allocator must outlive it. */
fls_status flsi_segment_begin(flsi_segment *segment, const flsi_directory *directory,
                              const char *name, const char *marks_name,
                              const flsi_segment_start *start, const fls_digest_state *digest,
                              const fls_allocator *allocator, fls_error *err);
/* One that is there, at its clean end. header_flags are those that it began with. */
fls_status flsi_segment_resume(flsi_segment *segment, const flsi_directory *directory,
                               const flsi_journal_place *place, uint32_t header_flags,
                               const fls_digest_state *digest, const fls_allocator *allocator,
                               fls_error *err);
/* Closes the files and frees memory; what is held is lost. Harmless on a closed one, and on one
 * that is all zero. */
void flsi_segment_end(flsi_segment *segment);

/* Frames one payload; time 0: none is noted. FLS_NO_SPACE and other failures of writing: the
 * message is not taken, and the segment is as before. size is at most UINT32_MAX. */
fls_status flsi_segment_put(flsi_segment *segment, const void *payload, size_t size,
                            uint64_t time_ns, fls_error *err);
/* Frames as many of the entries, from the first, as need no looking at: those of 1 to most_bytes
 * bytes (less than 2^32) and no time of their own, that fit the open piece and begin before
 * end_offset. How many; none fails. */
size_t flsi_segment_put_run(flsi_segment *segment, const fls_journal_entry *entries, size_t count,
                            size_t most_bytes, uint64_t end_offset, uint64_t time_ns);
/* A gap, clock or other record that belongs before the next message. */
fls_status flsi_segment_mark(flsi_segment *segment, const flsi_record *record, fls_error *err);

/* Hands all frames to the file, then the marks about them to theirs. On FLS_NO_SPACE the file is
 * cut back to its last whole frame, and what was not written is still held. */
fls_status flsi_segment_flush(flsi_segment *segment, fls_error *err);

/* What flsi_segment_take_back goes back to. */
typedef struct flsi_segment_point {
    uint64_t ordinal;
    uint64_t offset;
    uint64_t marks_offset;
    uint64_t last_time_ns;
    uint64_t proof;
    uint32_t proof_bytes;
} flsi_segment_point;

/* Where a segment is that holds nothing. */
flsi_segment_point flsi_segment_here(const flsi_segment *segment);
/* Takes everything back that was put since it was there, whether a file has it or not: after a put
 * or a flush that failed. */
fls_status flsi_segment_take_back(flsi_segment *segment, const flsi_segment_point *point,
                                  fls_error *err);

/* After a sync of the frames, or of the redo log, returned: writes the DURABLE or LOGGED record
 * that says what is durable (ordinal, offset, proof as they were at that flush); not synced. Marks
 * that are held stay held. */
fls_status flsi_segment_mark_durable(flsi_segment *segment, const flsi_record *record,
                                     fls_error *err);
/* The last record: FLSI_SEAL_...; written, not synced. Everything was flushed before. */
fls_status flsi_segment_seal(flsi_segment *segment, uint32_t flags, fls_error *err);

/* Bytes of all frames, those that are held too. */
FLSI_ALWAYS_INLINE uint64_t flsi_segment_bytes(const flsi_segment *segment)
{
    return segment->begin_offset + (uint64_t)(segment->next - segment->begin);
}

/* Whether a payload of that size begins a piece, of which the marks tell the time. A frame for
 * which there might just be room may be said to. */
FLSI_ALWAYS_INLINE int flsi_segment_begins_piece(const flsi_segment *segment, size_t size)
{
    return size + FLS_MAX_HEADER_BYTES > (size_t)(segment->limit - segment->next);
}

/* Whether frames or marks are held that no file has. */
FLSI_ALWAYS_INLINE int flsi_segment_holds(const flsi_segment *segment)
{
    return segment->next != segment->begin || segment->marks.size != 0;
}

#endif
