/* Going over the frames of one segment from an offset to an end, while they are sound, and over
 * what proves sound behind a fault.
 */
#ifndef FLSI_JOURNAL_SCAN_H
#define FLSI_JOURNAL_SCAN_H

#include "flatstream/frame.h"
#include "journal/journal_marks_file.h"

typedef struct flsi_scan {
    const flsi_file *file;
    const fls_allocator *allocator;
    fls_checksum checksum;
    uint32_t max_frame_bytes;
    uint64_t end; /* of what is looked at */
    /* In: where to begin, the beginning of a frame. Out: behind the last sound one. */
    uint64_t ordinal;
    uint64_t offset;
    fls_error fault; /* out: what is wrong at offset; FLS_OK when that is the end */
} flsi_scan;

/* Calls seen (may be NULL) with each sound message. FLS_OK, whatever was found; what seen returns
 * when that is not FLS_OK; else the file could not be read, or memory ran out. */
fls_status flsi_scan_frames(flsi_scan *scan,
                            fls_status (*seen)(void *self, const fls_message *message,
                                               fls_error *err),
                            void *self, fls_error *err);

/* After a fault: how many frames behind it prove sound. */
fls_status flsi_scan_behind(const flsi_scan *scan, uint64_t *messages, fls_error *err);

/* Reads just so many bytes at an offset; FLS_UNEXPECTED_EOF when there are not so many. */
fls_status flsi_read_exactly(const flsi_file *file, uint64_t offset, void *to, size_t size,
                             fls_error *err);
fls_status flsi_write_exactly(const flsi_file *file, uint64_t offset, const void *from, size_t size,
                              fls_error *err);

/* What the proof of a DURABLE record comes to at an offset: the XXH3-64 of so many bytes before it,
 * at most FLSI_PROOF_BYTES. */
fls_status flsi_proof_at(const flsi_file *file, uint64_t offset, uint32_t bytes, uint64_t *proof,
                         fls_error *err);

#endif
