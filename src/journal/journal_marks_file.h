/* Marks as they lie in their file: its frames, one after the other, also while a writer goes on.
 */
#ifndef FLSI_JOURNAL_MARKS_FILE_H
#define FLSI_JOURNAL_MARKS_FILE_H

#include "journal/journal_marks.h"
#include "os/os_file.h"

#define FLSI_MARKS_HEADER_BYTES 12u

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

/* The first record of the frame at an offset, not proven, and where the next one begins. As above;
 * looks at no more than that. */
fls_status flsi_marks_file_peek(flsi_marks_file *marks, uint64_t at, flsi_record *record,
                                uint64_t *next, fls_error *err);

#endif
