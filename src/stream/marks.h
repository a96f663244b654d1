/* Records of 32 bytes in frames under xxh3, which say where the messages of a stream are: the marks
 * of a journal's segments (journal/journal_marks.h), and the index of a stream (index_file.h).
 * Those say which records come where; what each holds is here. Integers are little-endian.
 *
 *   byte  0     type
 *         1     flags, or what the type says
 *         2..3  zero, but in HEADER and INDEX
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
 *   9 LOGGED    as DURABLE, but for a sync of the journal's redo log, which has the same bytes
 *   16 INDEX    1 version = 1
 *               2 checksum of the stream (fls_checksum, 1 to 4; 0: it has no messages)
 *               3 flags: 1 times are noted
 *               8 u64 interval, bytes, 64 to 2^48
 *   17 SIZES    8 u64 smallest payload, 16 u64 largest payload, 24 u64 bytes of payload
 *   18 SPAN     8 u64 messages that have a time, 16 u64 least time, 24 u64 greatest
 *   19 LABEL    4 u32 bytes of data; data: what the times are
 *
 * Everything else in a record is zero; ordinals are below FLSI_ORDINALS. Data fills whole records
 * behind its own, with zeros at the end, in the same frame. Types of 128 and more that are not
 * known are passed over, with as much data as their bytes 4..7 say; other unknown types make the
 * file unreadable for this version.
 */
#ifndef FLSI_STREAM_MARKS_H
#define FLSI_STREAM_MARKS_H

#include "core/bytes.h"
#include "flatstream/allocator.h"
#include "flatstream/checksum.h"
#include "flatstream/frame.h"

#define FLSI_RECORD_BYTES       32u
#define FLSI_PROOF_BYTES        4096u
#define FLSI_MARKS_FRAME_BYTES  (4u << 20)
#define FLSI_MARKS_VERSION      1u
#define FLSI_INDEX_VERSION      1u
#define FLSI_MARKS_HEADER_BYTES (FLS_LENGTH_BYTES + 8u) /* of a frame with xxh3 */

#define FLSI_INDEX_LEAST_INTERVAL 64u
#define FLSI_INDEX_MOST_INTERVAL  (UINT64_C(1) << 48)

/* Every ordinal in a record or the name of a journal's file is below this, so that adding to one
 * cannot overflow; a journal's writer begins below half of it. */
#define FLSI_ORDINALS (UINT64_C(1) << 63)

enum {
    FLSI_RECORD_HEADER = 1,
    FLSI_RECORD_OFFSET = 2,
    FLSI_RECORD_TIMES = 3,
    FLSI_RECORD_DURABLE = 4,
    FLSI_RECORD_CLOCK = 5,
    FLSI_RECORD_GAP = 6,
    FLSI_RECORD_SEAL = 7,
    FLSI_RECORD_TYPE = 8,
    FLSI_RECORD_LOGGED = 9,
    FLSI_RECORD_INDEX = 16,
    FLSI_RECORD_SIZES = 17,
    FLSI_RECORD_SPAN = 18,
    FLSI_RECORD_LABEL = 19,
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
    uint32_t small;    /* u32 at 4: epoch, data bytes, proof bytes, producer */
    uint64_t ordinal;  /* at 8; HEADER: at 16; SPAN: messages */
    uint64_t id;       /* HEADER: journal id; TYPE: schema hash */
    uint64_t offset;   /* at 16: offset; GAP: messages */
    uint64_t time_ns;  /* HEADER 24, OFFSET 24, TIMES 16, CLOCK 16, SEAL 24, SPAN 16 */
    uint64_t value;    /* DURABLE and LOGGED: proof; CLOCK: wall time; TIMES: count; TYPE: id, LE;
                          INDEX: interval; SIZES: bytes of payload */
    uint64_t last_ns;  /* TIMES: time of the last message, when it was decoded; SPAN: greatest */
    uint64_t smallest; /* SIZES */
    uint64_t largest;
    const uint8_t *data; /* of TIMES, TYPE, LABEL and compatible ones: small bytes, else NULL */
} flsi_record;

void flsi_record_encode(uint8_t to[FLSI_RECORD_BYTES], const flsi_record *record);

/* Whether a journal's marks may have records of a type, to this version. */
int flsi_record_is_known(uint8_t type);
/* How many of size bytes the record at their start takes with its data; a multiple of 32, as size
 * is. */
size_t flsi_record_bytes(const uint8_t *from, size_t size);

/* Takes the record at the start of size bytes apart, with its data. *used: bytes it takes, a
 * multiple of 32. FLS_INVALID_FRAME with what is wrong; FLS_UNSUPPORTED for an unknown type below
 * 128. size is not 0. */
fls_status flsi_record_decode(flsi_record *record, const uint8_t *from, size_t size, size_t *used,
                              fls_error *err);

/* Whether a frame of marks is at the start of `left` bytes, which are at the offset `at` of their
 * file, whole and sound: how many bytes its records have in *length. FLS_UNEXPECTED_EOF: all that
 * is wrong is that there are no more. */
fls_status flsi_marks_frame(const uint8_t *frame, size_t left, uint64_t at, uint32_t *length,
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

#endif
