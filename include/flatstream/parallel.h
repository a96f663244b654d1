/* One stream read by several threads, with results in the stream's order.
 *
 * A stream that can be read at any offset is cut into pieces of some megabytes. Where in a piece
 * the first frame begins is known from an index, or guessed from what looks like one, or where
 * frames are long found over their headers, or by proof (fls_salvage_find); whether that was right
 * shows when the walk through the piece before it ends just there. A wrong one costs time: that
 * piece is read again from the right place. So what comes out is what one thread would have read,
 * whatever the bytes are.
 */
#ifndef FLATSTREAM_PARALLEL_H
#define FLATSTREAM_PARALLEL_H

#include "flatstream/reader.h"
#include "flatstream/salvage.h"

FLS_BEGIN_DECLS

/* Messages of one piece, after it was read. */
typedef struct fls_parallel_piece {
    uint64_t first_ordinal; /* of the first of them in the stream */
    uint64_t messages;
    uint64_t from; /* stream offsets of the frames */
    uint64_t to;
} fls_parallel_piece;

/* What is done with messages. A result is whatever the caller makes of it: a buffer of text, a
 * count. There are a few of them, used again and again. */
typedef struct fls_parallel_work {
    uint32_t struct_bytes; /* sizeof(fls_parallel_work) */
    uint32_t reserved;
    void *self;
    /* make, dispose, begin and take are all NULL where the reader's own checks and the count of
     * messages are all there is to do: results are NULL then. */
    /* A new result, or NULL when there is no memory for it; on the calling thread. */
    void *(*make)(void *self);
    void (*dispose)(void *self, void *result);
    /* Empties a result: a piece begins, perhaps for the second time. On the piece's thread. */
    void (*begin)(void *self, void *result);
    /* Messages of a piece in their order, on some thread, beside other pieces'. Ordinals
     * count from 0 in each piece; offsets are the stream's. A status other than FLS_OK refuses the
     * message behind the first *taken of them: everything ends before it. */
    fls_status (*take)(void *self, void *result, const fls_message *messages, size_t count,
                       size_t *taken, fls_error *err);
    /* A piece's result, in the order of the stream, on the calling thread. A status other than
     * FLS_OK ends everything and is returned. */
    fls_status (*collect)(void *self, void *result, const fls_parallel_piece *piece,
                          fls_error *err);
} fls_parallel_work;

typedef struct fls_parallel_options {
    uint32_t struct_bytes; /* sizeof(fls_parallel_options) */
    uint32_t threads;      /* with the calling one; 0: as many as there are processors */
    size_t piece_bytes;    /* rounded up to a multiple of 64 KiB; 0: 4 MiB */
    /* Of the reading: checksum, limit, alignment, buffer, where to begin; validators and allocator,
     * which several threads call at once. Observers would see messages out of order:
     * FLS_INVALID_ARGUMENT. NULL: defaults. */
    const fls_reader_options *reading;
    /* Stream offsets of frames, as fls_index_anchors gives them: pieces begin at such where there
     * are any, without guessing. They are not believed; a wrong one costs time like a wrong guess,
     * and from then on all are guessed. NULL: none. */
    const fls_salvage_anchors *anchors;
} fls_parallel_options;

#define FLS_PARALLEL_OPTIONS_INIT                      \
    {                                                  \
        sizeof(fls_parallel_options), 0, 0, NULL, NULL \
    }

typedef struct fls_parallel_report {
    uint32_t struct_bytes;        /* sizeof(fls_parallel_report), set by the caller */
    fls_checksum checksum;        /* the stream's, as far as it is known */
    uint64_t messages;            /* that were collected */
    fls_reader_position position; /* behind them: a reader can go on there */
    uint64_t pieces;
    uint64_t again; /* of them, those that were read a second time */
    uint64_t reserved[4];
} fls_parallel_report;

#define FLS_PARALLEL_REPORT_INIT                    \
    {                                               \
        .struct_bytes = sizeof(fls_parallel_report) \
    }

/* Reads the messages of a stream and has them worked on, up to its end or to the first frame that
 * is not sound or is refused; that one is not told of here: a reader that goes on at the report's
 * position meets it. FLS_END: a clean end. FLS_STOPPED: everything before report->position was
 * collected, and something else stands there. Other statuses: the source failed, memory or threads
 * ran out, or what collect returned; the report says how far it came.
 *
 * The source stays the caller's; it lends its bytes, or can be read at an offset by several threads
 * at once and knows its size, else FLS_UNSUPPORTED. The allocator is called by several threads. */
FLS_API FLS_MUST_USE fls_status fls_parallel_read(const fls_source *source,
                                                  const fls_parallel_options *options,
                                                  const fls_parallel_work *work,
                                                  fls_parallel_report *report, fls_error *err);

/* Processors that this program may use. */
FLS_API uint32_t fls_parallel_processors(void);

FLS_END_DECLS

#endif
