/* The marks of a segment: NAME.flm beside NAME.fls. A stream of frames in the wire format, checksum
 * xxh3, each with one or more records of 32 bytes, types 1 to 9 of stream/marks.h.
 *
 * A file is valid if and only if
 *   1  every frame is sound and its payload a multiple of 32, of at most FLSI_MARKS_FRAME_BYTES;
 *   2  the first record is the only HEADER, and TYPE records come with it in the first frame;
 *   3  ordinals of OFFSET and TIMES never go back, offsets neither, and those of DURABLE neither,
 *      nor those of LOGGED (which come after their sync, and so may be behind the OFFSET before
 *      them); none is below the header's. A frame with TIMES begins with the OFFSET of the first of
 * its messages, so that places are found by looking at the beginnings of frames only; it may lack
 * one only where it goes on with the messages of a frame that was full; 4  behind a SEAL with flag
 * 1 or 4 there is nothing. What comes behind the first thing that is not valid is as if it were not
 * there.
 */
#ifndef FLSI_JOURNAL_MARKS_H
#define FLSI_JOURNAL_MARKS_H

#include "flatstream/journal.h"
#include "stream/marks.h"

/* Walks the records of a marks file, to the first thing that is not valid. The file lies in memory,
 * or a piece of it does. Offsets are those in the file. */
typedef struct flsi_marks_walk {
    const uint8_t *data;
    uint64_t data_offset; /* of data's first byte */
    uint64_t size;        /* end of the data */
    uint64_t frame;       /* offset of the frame that the record is in */
    uint64_t next;        /* of the record that comes next */
    uint64_t frame_end;
    uint64_t valid_bytes; /* whole valid frames up to here */
    flsi_record header;
    uint64_t ordinal; /* rule 3 */
    uint64_t offset;
    uint64_t durable_ordinal;
    uint64_t durable_offset;
    uint64_t logged_ordinal; /* of LOGGED records */
    uint64_t logged_offset;
    uint64_t times_end;     /* ordinal behind the last TIMES */
    int begins_with_offset; /* the frame does */
    uint32_t sealed;        /* flags of the last SEAL, when nothing came behind it; else 0 */
} flsi_marks_walk;

/* FLS_OK: the header is in walk->header, and is the first record that flsi_marks_walk_next hands
 * out. Else what is wrong with it; FLS_END for an empty file. */
fls_status flsi_marks_walk_begin(flsi_marks_walk *walk, const void *data, size_t size,
                                 fls_error *err);
/* FLS_OK and a record; FLS_END; or what is not valid at walk->frame (err has the offset):
 * FLS_UNEXPECTED_EOF when all that is wrong is that there is no more of it. */
fls_status flsi_marks_walk_next(flsi_marks_walk *walk, flsi_record *record, fls_error *err);
/* After FLS_END or FLS_UNEXPECTED_EOF: goes on with other data, the first byte of which is the one
 * at walk->valid_bytes. */
void flsi_marks_walk_continue(flsi_marks_walk *walk, const void *data, size_t size);

/* The times of a TIMES record, one after the other: 0 on the last one. times->count are left. */
typedef struct flsi_times_walk {
    const uint8_t *next;
    const uint8_t *end;
    uint64_t ordinal; /* of time_ns */
    uint64_t time_ns;
    uint32_t count;
} flsi_times_walk;

void flsi_times_begin(flsi_times_walk *times, const flsi_record *record);
int flsi_times_next(flsi_times_walk *times);

#endif
