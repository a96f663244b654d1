/* The index of a stream: a file of marks (marks.h), types INDEX, OFFSET, DURABLE, SIZES, SPAN and
 * LABEL. docs/INDEX.md is normative.
 *
 *   frame 1     INDEX, LABEL when there are times that have one
 *   each other  a part: OFFSET of the first message behind the part before, OFFSET ..., SIZES, SPAN
 *               with times, DURABLE
 *
 * A file is valid if and only if
 *   1  every frame is sound, and its payload a multiple of 32, of at most FLSI_INDEX_FRAME_BYTES;
 *   2  the first frame has an INDEX record first, and at most one LABEL behind it; its checksum may
 *      be 0 when there is no other frame;
 *   3  every other frame has these records in this order: one or more OFFSET, one SIZES, one SPAN
 *      if and only if the header says that times are noted, one DURABLE at the end. Between them
 *      may be records that are passed over;
 *   4  the first OFFSET of a frame has ordinal and offset of the DURABLE before, or 0 and 0. Every
 *      later OFFSET and the DURABLE lie behind the one before by so many messages, and at least by
 *      as many bytes as frames of empty messages take;
 *   5  DURABLE has a proof of 1 to 4096 bytes, no more than there are behind the last OFFSET;
 *   6  SIZES is about all messages before the DURABLE: their payload is what lies before its offset
 *      less their headers; the smallest and largest can be those of so many messages with so much
 *      payload; the smallest never grows, the largest never shrinks;
 *   7  times of OFFSET never go back, and are 0 unless times are noted. SPAN is about all messages
 *      before the DURABLE: messages with a time are no more than these and never get fewer, the
 *      least time never grows, the greatest never shrinks and is not below that of an OFFSET before
 *      it; without such messages both times are 0, else none is.
 * What comes behind the last frame up to which all is valid is as if it were not there.
 */
#ifndef FLSI_STREAM_INDEX_PRIVATE_H
#define FLSI_STREAM_INDEX_PRIVATE_H

#include "flatstream/index.h"
#include "stream/marks.h"

#define FLSI_INDEX_FRAME_BYTES 65536u
/* A part ends before the first message in another stretch of so many intervals. */
#define FLSI_INDEX_PART 64u

/* All messages before a place. */
typedef struct flsi_index_sum {
    uint64_t messages;
    uint64_t offset; /* behind the last */
    uint64_t smallest;
    uint64_t largest;
    uint64_t timed;
    uint64_t time_min_ns;
    uint64_t time_max_ns;
} flsi_index_sum;

/* The end of a frame of the index. */
typedef struct flsi_index_part {
    flsi_index_sum sum;
    uint64_t proof; /* XXH3-64 of so many bytes before sum.offset, which are of the last frame */
    uint32_t proof_bytes;
    uint64_t entries;     /* up to here */
    uint64_t index_bytes; /* up to here */
} flsi_index_part;

struct fls_index {
    const fls_allocator *allocator;
    fls_checksum checksum; /* DETECT: not known */
    uint64_t interval_bytes;
    int has_times;
    int stale;
    uint64_t stream_bytes;
    uint64_t header_bytes;
    /* Entries; offsets in an array of their own, to be lent. */
    uint64_t *offsets;
    uint64_t *ordinals;
    uint64_t *times;
    size_t entries;
    size_t room;
    flsi_index_part *parts;
    size_t part_count;
    size_t part_room;
    fls_error fault;
    char label[256];
};

static inline uint32_t flsi_index_unit(fls_checksum checksum)
{
    return FLS_LENGTH_BYTES + fls_checksum_width(checksum);
}

/* What all parts of an index come to; zeros when there are none. */
flsi_index_sum flsi_index_total(const fls_index *index);

/* Takes the valid part of an index in; what is wrong behind it goes to index->fault. Other statuses
 * than FLS_OK: the header is not valid, the source failed, or memory ran out. */
fls_status flsi_index_load(fls_index *index, const fls_source *source, fls_error *err);

/* A source that does not close the one that it is made of; ops has to outlive it. */
fls_status flsi_index_lend(const fls_source *from, fls_source_ops *ops, fls_source *lent,
                           fls_error *err);

/* Copies what the caller's struct has room for. */
void flsi_index_info_out(fls_index_info *to, const fls_index_info *from);

#endif
