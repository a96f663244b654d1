/* Compressing the sealed segments of a journal: for fls_journal_compress and for a writer's thread.
 *
 * Safe beside readers, a writer, retention and others that compress, and at every step against a
 * crash: the plain file goes only when the compressed one is proven, durable and in its place.
 * Whoever removes a segment has to remove NAME.fls first and NAME.fls.zst after it, whether it saw
 * one or not, so that none comes back.
 */
#ifndef FLSI_JOURNAL_COMPRESS_H
#define FLSI_JOURNAL_COMPRESS_H

#include "journal/journal_kept.h"
#include "journal/journal_manifest.h"

typedef struct flsi_compress_job {
    const flsi_directory *directory;
    flsi_kept *kept;       /* its segments, when they are known; NULL: it is listed */
    fls_checksum checksum; /* as the manifest has it, which has FLSI_FEATURE_COMPRESSED already */
    uint32_t max_frame_bytes;
    int level; /* 0: the default of zstd */
    const fls_allocator *allocator;
    /* May be NULL: called after every megabyte or so, for what may not wait; what is not FLS_OK
     * ends the job and is returned. */
    fls_status (*between)(void *self);
    void *between_self;
    /* What it came to. */
    uint64_t segments;
    uint64_t saved_bytes;
} flsi_compress_job;

/* All that are sealed and followed by another segment. One that is damaged stays as it is, the
 * others are gone on with, and the first fault is returned. */
fls_status flsi_compress_sealed(flsi_compress_job *job, fls_error *err);

#endif
