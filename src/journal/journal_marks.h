/* The marks of a segment: NAME.flm beside NAME.fls. A stream of frames in the wire format, checksum
 * xxh3, each with one or more records of 32 bytes; integers are little-endian.
 *
 *   byte  0     type
 *         1     flags, or what the type says
 *         2..3  zero, but in HEADER
 *
 *   1 HEADER    1 version = 1
 *               2 checksum of the segment (fls_checksum, 1 to 4)
 *               3 flags: 1 times are noted, 2 times are estimated
 *               4 u32 epoch
 *               8 u64 first half of the journal's id
 *               16 u64 first ordinal
 *               24 u64 journal time at which the segment was begun
 *   2 OFFSET    8 u64 ordinal, 16 u64 offset of its frame, 24 u64 its time (0: not known)
 *   3 TIMES     4 u32 bytes of data, 8 u64 ordinal, 16 u64 its time, 24 u32 count; data: for each
 *               of the count - 1 messages that follow the first how much later than the one before
 *               it was received, ns, LEB128
 *   4 DURABLE   4 u32 proof bytes, 8 u64 ordinal, 16 u64 offset, 24 u64 proof: everything below the
 *               ordinal, which begins at the offset, has survived a sync. The proof is XXH3-64 of
 *               so many bytes before the offset: of the last frame, at most FLSI_PROOF_BYTES of it;
 *               0 and 0 at the start of a segment
 *   5 CLOCK     1 flags (1 the wall clock stepped), 8 u64 ordinal that comes next, 16 u64 journal
 *               time, 24 u64 wall time, ns since 1970
 *   6 GAP       1 fls_gap_reason, 4 u32 producer, 8 u64 ordinal that comes next, 16 u64 messages
 *   7 SEAL      1 flags (1 rotated, 2 closed, 4 by recovery), 8 u64 ordinal behind the last
 *               message, 16 u64 offset behind it, 24 u64 time of the last message
 *   8 TYPE      4 u32 bytes of data, 8 u64 schema hash, 16 identifier (4 bytes, zeros: none); data:
 *               name of the root table
 *
 * Everything else in a record is zero; ordinals are below FLSI_ORDINALS. Data fills whole records
 * behind its own, with zeros at the end, in the same frame. Types of 128 and more that are not
 * known are passed over, with as much data as their bytes 4..7 say; other unknown types make the
 * file unreadable for this version.
 *
 * A file is valid if and only if
 *   1  every frame is sound and its payload a multiple of 32, of at most FLSI_MARKS_FRAME_BYTES;
 *   2  the first record is the only HEADER, and TYPE records come with it in the first frame;
 *   3  ordinals of OFFSET and TIMES never go back, offsets neither, and those of DURABLE neither
 *      (which comes after its sync, and so may be behind the OFFSET before it); none is below the
 *      header's. A frame with TIMES begins with the OFFSET of the first of its messages, so that
 *      places are found by looking at the beginnings of frames only; it may lack one only where it
 *      goes on with the messages of a frame that was full;
 *   4  behind a SEAL with flag 1 or 4 there is nothing.
 * What comes behind the first thing that is not valid is as if it were not there.
 */
#ifndef FLSI_JOURNAL_MARKS_H
#define FLSI_JOURNAL_MARKS_H

#include "core/bytes.h"
#include "flatstream/allocator.h"
#include "flatstream/journal.h"

#define FLSI_RECORD_BYTES      32u
#define FLSI_PROOF_BYTES       4096u
#define FLSI_MARKS_FRAME_BYTES (4u << 20)
#define FLSI_MARKS_VERSION     1u

enum {
    FLSI_RECORD_HEADER = 1,
    FLSI_RECORD_OFFSET = 2,
    FLSI_RECORD_TIMES = 3,
    FLSI_RECORD_DURABLE = 4,
    FLSI_RECORD_CLOCK = 5,
    FLSI_RECORD_GAP = 6,
    FLSI_RECORD_SEAL = 7,
    FLSI_RECORD_TYPE = 8,
    FLSI_RECORD_COMPATIBLE = 128 /* and more */
};

enum { FLSI_HEADER_TIMES = 1, FLSI_HEADER_ESTIMATED = 2 };
enum { FLSI_CLOCK_STEP = 1 };
enum { FLSI_SEAL_ROTATED = 1, FLSI_SEAL_CLOSED = 2, FLSI_SEAL_RECOVERED = 4 };

/* A record, taken apart. What its type does not have is 0. */
typedef struct flsi_record {
    uint8_t type;
    uint8_t flags;    /* byte 1: flags, version or reason */
    uint8_t checksum; /* HEADER */
    uint8_t header_flags;
    uint32_t small;      /* u32 at 4: epoch, data bytes, proof bytes, producer */
    uint64_t ordinal;    /* at 8; HEADER: at 16 */
    uint64_t id;         /* HEADER: journal id; TYPE: schema hash */
    uint64_t offset;     /* at 16: offset; GAP: messages */
    uint64_t time_ns;    /* HEADER 24, OFFSET 24, TIMES 16, CLOCK 16, SEAL 24 */
    uint64_t value;      /* DURABLE: proof; CLOCK: wall time; TIMES: count; TYPE: identifier, LE */
    uint64_t last_ns;    /* TIMES: time of the last message, when it was decoded */
    const uint8_t *data; /* of TIMES, TYPE and compatible ones: small bytes, else NULL */
} flsi_record;

void flsi_record_encode(uint8_t to[FLSI_RECORD_BYTES], const flsi_record *record);

/* Whether there are records of a type, to this version. */
int flsi_record_is_known(uint8_t type);
/* How many of size bytes the record at their start takes with its data; a multiple of 32, as size
 * is. */
size_t flsi_record_bytes(const uint8_t *from, size_t size);

/* Takes the record at the start of size bytes apart, with its data. *used: bytes it takes, a
 * multiple of 32. FLS_INVALID_FRAME with what is wrong; FLS_UNSUPPORTED for an unknown type below
 * 128. size is not 0. */
fls_status flsi_record_decode(flsi_record *record, const uint8_t *from, size_t size, size_t *used,
                              fls_error *err);

/* Records gathered into frames. No input or output. */
typedef struct flsi_marks_builder {
    const fls_allocator *allocator;
    uint8_t *frames; /* whole frames, then the one that is open */
    size_t capacity;
    size_t size;       /* of all */
    size_t open_frame; /* where the open frame's header goes, SIZE_MAX: none is open */
    /* The TIMES record that is being gathered, in memory of its own. */
    uint8_t *times;
    size_t times_capacity;
    size_t times_bytes;
    uint64_t times_first_ordinal;
    uint64_t times_first_ns;
    uint64_t times_last_ns;
    uint32_t times_count;
} flsi_marks_builder;

void flsi_marks_builder_init(flsi_marks_builder *marks, const fls_allocator *allocator);
void flsi_marks_builder_fini(flsi_marks_builder *marks);

/* Makes room for so many records and times, so that the calls below cannot fail. A record with data
 * counts for as many as it takes. FLS_NO_MEMORY. */
fls_status flsi_marks_reserve(flsi_marks_builder *marks, size_t records, size_t times,
                              fls_error *err);
/* data has record->small bytes for types that have some. An OFFSET that comes behind CLOCK and GAP
 * records only, in the open frame, is put before them (rule 3). */
void flsi_marks_add(flsi_marks_builder *marks, const flsi_record *record, const void *data);
/* The time of one message; ordinals come in a row, times never go back. */
void flsi_marks_add_time(flsi_marks_builder *marks, uint64_t ordinal, uint64_t time_ns);
/* Closes TIMES record and frame: marks->frames holds marks->size bytes to be written. */
void flsi_marks_close_frame(flsi_marks_builder *marks);
/* Forgets the first bytes, which were written. */
void flsi_marks_written(flsi_marks_builder *marks, size_t bytes);

/* Walks the records of a marks file, to the first thing that is not valid. The file lies in memory,
 * or a piece of it does. Offsets are those in the file. */
typedef struct flsi_marks_walk {
    const uint8_t *data;
    size_t data_offset; /* of data's first byte */
    size_t size;        /* end of the data */
    size_t frame;       /* offset of the frame that the record is in */
    size_t next;        /* of the record that comes next */
    size_t frame_end;
    size_t valid_bytes; /* whole valid frames up to here */
    flsi_record header;
    uint64_t ordinal; /* rule 3 */
    uint64_t offset;
    uint64_t durable_ordinal;
    uint64_t durable_offset;
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
