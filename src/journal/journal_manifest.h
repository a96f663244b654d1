/* journal.json: what a journal is. Written by us alone, one member a line in a fixed order, so that
 * any JSON reader can read it and ours need not read any JSON; the last member is the XXH3-64 of
 * all bytes before its line.
 */
#ifndef FLSI_JOURNAL_MANIFEST_H
#define FLSI_JOURNAL_MANIFEST_H

#include "flatstream/frame.h"
#include "flatstream/journal.h"
#include "os/os_directory.h"

#define FLSI_MANIFEST_VERSION    1u
#define FLSI_MANIFEST_TYPES      64u
#define FLSI_MANIFEST_ROOT_BYTES 256u

typedef struct flsi_manifest_type {
    uint64_t schema_hash;
    char identifier[4]; /* zeros: none */
    char root[FLSI_MANIFEST_ROOT_BYTES];
} flsi_manifest_type;

typedef struct flsi_manifest {
    uint8_t id[16];
    uint64_t epoch; /* of the newest writer; below 2^32 */
    fls_checksum checksum;
    uint32_t max_frame_bytes;
    uint32_t has_times;
    uint64_t created_ns; /* wall time */
    /* As the newest writer had them; options of a later one replace them. */
    uint64_t segment_bytes;
    uint64_t segment_messages;
    uint64_t segment_age_ns;
    uint64_t retain_bytes;
    uint64_t retain_segments;
    uint64_t retain_age_ns;
    uint64_t compatible;   /* feature bits; none are known yet */
    uint64_t incompatible; /* feature bits: one that is not known refuses the journal. 1: segments
                              may be compressed */
    uint32_t type_count;   /* of the newest segment; older ones are in their marks */
    flsi_manifest_type types[FLSI_MANIFEST_TYPES];
} flsi_manifest;

#define FLSI_FEATURE_COMPRESSED 1u

/* The second half of the id, made of the first: marks have only that, and tell all of it so. */
void flsi_manifest_complete_id(flsi_manifest *manifest);

/* The text, at most capacity bytes; returns the length, SIZE_MAX when it does not fit. */
size_t flsi_manifest_encode(const flsi_manifest *manifest, char *text, size_t capacity);
/* FLS_INVALID_FRAME: not a manifest, with the line; FLS_CHECKSUM_MISMATCH: changed;
 * FLS_UNSUPPORTED: a version or feature that is not known. */
fls_status flsi_manifest_decode(flsi_manifest *manifest, const char *text, size_t size,
                                fls_error *err);

/* FLS_END when there is none. */
fls_status flsi_manifest_load(flsi_manifest *manifest, const flsi_directory *directory,
                              const fls_allocator *allocator, fls_error *err);
/* New file, sync, rename, sync of the directory. */
fls_status flsi_manifest_store(const flsi_manifest *manifest, const flsi_directory *directory,
                               const fls_allocator *allocator, fls_error *err);

#endif
