/* Marks as they lie in their file: its frames, one after the other, also while a writer goes on.
 */
#ifndef FLSI_JOURNAL_MARKS_FILE_H
#define FLSI_JOURNAL_MARKS_FILE_H

#include "journal/journal_marks.h"
#include "os/os_file.h"

typedef struct flsi_marks_file {
    const flsi_file *file; /* NULL: there is none, and it is as an empty one */
    const fls_allocator *allocator;
    uint8_t *window;
    size_t capacity;
    uint64_t window_offset;
    size_t window_bytes;
} flsi_marks_file;

void flsi_marks_file_init(flsi_marks_file *marks, const flsi_file *file,
                          const fls_allocator *allocator);
void flsi_marks_file_fini(flsi_marks_file *marks);

/* The frame at an offset, proven: its records, borrowed until the next call, and where the next one
 * begins. FLS_END: no whole frame is there, perhaps not yet. FLS_INVALID_FRAME,
 * FLS_CHECKSUM_MISMATCH: what is there is none. */
fls_status flsi_marks_file_frame(flsi_marks_file *marks, uint64_t at, const uint8_t **records,
                                 size_t *size, uint64_t *next, fls_error *err);

/* A walk over a marks file of which no more than a piece is in memory. */
typedef struct flsi_marks_pass {
    flsi_marks_walk walk;
    flsi_marks_file marks;
    uint64_t file_bytes;
} flsi_marks_pass;

/* As flsi_marks_walk_begin and _next; data of a record is there until the next call. Fini in every
 * case. */
fls_status flsi_marks_pass_begin(flsi_marks_pass *pass, const flsi_file *file, uint64_t file_bytes,
                                 const fls_allocator *allocator, fls_error *err);
/* From a frame that begins with an OFFSET on: what is before it is known to be valid. The header is
 * not read. */
fls_status flsi_marks_pass_resume(flsi_marks_pass *pass, const flsi_file *file, uint64_t file_bytes,
                                  uint64_t frame, const fls_allocator *allocator, fls_error *err);
fls_status flsi_marks_pass_next(flsi_marks_pass *pass, flsi_record *record, fls_error *err);
void flsi_marks_pass_fini(flsi_marks_pass *pass);

/* The first frame that proves itself, from an offset on and before another; `end` is where the file
 * ends. FLS_END: none does. FLS_NEED_MORE: so much looks as if it were one that only going from
 * frame to frame can tell. */
fls_status flsi_marks_file_find(flsi_marks_file *marks, uint64_t from, uint64_t to, uint64_t end,
                                uint64_t *at, fls_error *err);

/* Where reading may begin that is only after what the marks say of their end (docs/JOURNAL.md,
 * section 6, rule 1): *from is 0, or a frame that begins with an OFFSET with a time, below the
 * newest durable mark. end: of the file. */
fls_status flsi_marks_file_near_end(flsi_marks_file *marks, uint64_t end, uint64_t *from,
                                    fls_error *err);

#endif
