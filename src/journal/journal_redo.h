/* The redo log: REDO beside the segments, a file of fixed size in which the bytes of small commits
 * stand one behind another. Writing over bytes that are there needs one write and one flush, where
 * a file that grows needs its length and a second file its own sync: so a commit that somebody
 * waits for is synced here, and the segment and its marks, which have the same bytes already, are
 * synced when the log is full. docs/JOURNAL.md, "The redo log", has the rules by number.
 *
 *   an entry: a frame with checksum xxh3, and in it
 *    0 u32 version = 1         4 u32 epoch            8 u64 first 8 bytes of the journal's id
 *   16 u64 pass               24 u64 first ordinal of the segment
 *   32 u64 offset of the frames in the segment        40 u64 offset of the marks in theirs
 *   48 u32 bytes of frames    52 u32 bytes of marks
 *   56 u64 proof              64 u32 proof bytes, as in a DURABLE record at that offset   68 u32 0
 *   72 the bytes of the frames, then those of the marks
 */
#ifndef FLSI_JOURNAL_REDO_H
#define FLSI_JOURNAL_REDO_H

#include "journal/journal_manifest.h"
#include "journal/journal_names.h"
#include "os/os_directory.h"

#define FLSI_REDO_HEADER_BYTES ((size_t)72)
/* Of the file. */
#define FLSI_REDO_LEAST_BYTES ((uint64_t)4096)
#define FLSI_REDO_MOST_BYTES  ((uint64_t)2 * 1024 * 1024)
/* Of an entry, at most: more is worth a sync of the files. */
#define FLSI_REDO_FRAMES_BYTES ((size_t)96 * 1024)
#define FLSI_REDO_MARKS_BYTES  ((size_t)16 * 1024)

/* What is being gathered for the next entry, and the file. Zeros are a log that is off: what is
 * noted in it is nothing. */
typedef struct flsi_redo {
    flsi_file file;
    const fls_allocator *allocator;
    uint32_t is_on;
    uint32_t is_broken; /* the entry being gathered lacks something */
    uint8_t *gathered;  /* FLSI_REDO_... bytes: header, frames */
    uint8_t *sealed;    /* as much again: the entry that is written */
    uint8_t *marks;     /* gathered */
    size_t frames_bytes;
    size_t marks_bytes;
    uint64_t frames_from; /* offset in the segment of what is gathered */
    uint64_t marks_from;
    uint64_t proof; /* of what is before it */
    uint32_t proof_bytes;
    size_t sealed_bytes;
    uint64_t file_bytes;
    uint64_t pass;
    uint64_t end; /* of the entries of this pass in the file; 0: none */
} flsi_redo;

/* Makes the file, of so many bytes, all zeros and synced, and takes memory. On a failure the log
 * stays off, and there is no file. */
fls_status flsi_redo_open(flsi_redo *redo, const flsi_directory *directory, uint64_t file_bytes,
                          const fls_allocator *allocator, fls_error *err);
/* Closes the file and frees memory; off. The file stays. Harmless when off. */
void flsi_redo_close(flsi_redo *redo);

/* From here on frames and marks are gathered: what is before is in the files, or in an entry. */
void flsi_redo_begin(flsi_redo *redo, uint64_t frames_offset, uint64_t marks_offset, uint64_t proof,
                     uint32_t proof_bytes);
/* Bytes that were written to the segment, or to its marks. NULL is allowed for a log. */
void flsi_redo_note_frames(flsi_redo *redo, uint64_t offset, const uint8_t *bytes, size_t size);
void flsi_redo_note_marks(flsi_redo *redo, uint64_t offset, const uint8_t *bytes, size_t size);
/* Something was written that is not noted: no entry before the next begin. */
void flsi_redo_break(flsi_redo *redo);

/* Whether all frames up to an offset, and all marks up to another, are gathered, and the file has
 * room for them. */
int flsi_redo_has(const flsi_redo *redo, uint64_t frames_end, uint64_t marks_end);

/* Whose entry it is. */
typedef struct flsi_redo_owner {
    uint32_t epoch;
    uint64_t journal_id; /* first half */
    uint64_t segment;    /* first ordinal */
} flsi_redo_owner;

static inline int flsi_redo_owners_equal(const flsi_redo_owner *a, const flsi_redo_owner *b)
{
    return a->epoch == b->epoch && a->journal_id == b->journal_id && a->segment == b->segment;
}

/* What is gathered becomes the entry that flsi_redo_write writes, and nothing is gathered then:
 * flsi_redo_begin comes next. flsi_redo_has said that it may. */
void flsi_redo_seal(flsi_redo *redo, const flsi_redo_owner *owner);
/* Writes the sealed entry behind the others and syncs. After a failure the log must not be written
 * any more; the file stays, since it has what is not synced elsewhere yet. */
fls_status flsi_redo_write(flsi_redo *redo, fls_error *err);
/* All that the entries hold is synced where it belongs: the next one is the first of a pass. */
void flsi_redo_begin_pass(flsi_redo *redo);

/* Removes the file; not synced. FLS_OK also when there is none. */
fls_status flsi_redo_remove(const flsi_directory *directory, fls_error *err);

/* ---- journal_redo_apply.c ---- */

/* Writes what the log holds of the last segment, whose first ordinal is given, into its files, and
 * syncs them. manifest NULL: it is lost, and any epoch will do. Nothing that does not fit is used;
 * a log that is not there is FLS_OK. FLS_CHECKSUM_MISMATCH: it is damaged, and what stands behind
 * the damage is missing in the segment; what stands before it was written all the same. */
fls_status flsi_redo_apply(const flsi_directory *directory, const flsi_manifest *manifest,
                           uint64_t segment, const fls_allocator *allocator, fls_error *err);

/* An entry taken apart. */
typedef struct flsi_redo_entry {
    flsi_redo_owner owner;
    uint64_t pass;
    uint64_t frames_offset;
    uint64_t marks_offset;
    uint64_t proof;
    uint32_t proof_bytes;
    size_t frames_bytes;
    size_t marks_bytes;
    const uint8_t *frames;
    const uint8_t *marks;
} flsi_redo_entry;

/* Whether the start of `left` bytes looks like an entry of an owner: worth decoding. */
int flsi_redo_may_be(const uint8_t *from, size_t left, const flsi_redo_owner *owner);
/* The entry at the start of `left` bytes; *size of it. FLS_END when what is there is none. */
fls_status flsi_redo_decode(flsi_redo_entry *entry, const uint8_t *from, size_t left, size_t *size);

#endif
