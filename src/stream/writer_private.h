/* The object behind a writer: writer_open.c makes and ends it, writer.c puts messages into it. */
#ifndef FLSI_STREAM_WRITER_PRIVATE_H
#define FLSI_STREAM_WRITER_PRIVATE_H

#include "core/digest.h"
#include "flatstream/writer.h"
#include "stream/memory_state.h"

/* The strictest alignment that a validator may ask for. */
#define FLSI_WRITER_MAX_ALIGNMENT 64u

struct fls_writer {
    fls_writer_front front; /* first: inline code casts to it */
    uint32_t plain_limit;   /* payloads of 1..plain_limit bytes need no checks but for room */
    uint32_t plain_short;   /* 1: short ones neither, and their checksum is xxh3 */
    uint32_t max_frame_bytes;
    fls_digest_state digest;
    fls_sink sink;
    const fls_allocator *allocator;
    uint8_t *buffer; /* our own, or lent by the sink */
    size_t capacity;
    size_t piece;
    size_t baseline;        /* capacity that is never given back */
    int lends;              /* the sink lends its memory */
    uint64_t buffer_offset; /* stream offset of the buffer's first byte */
    const fls_validator *validators;
    size_t validator_count;
    const fls_observer *observers;
    size_t observer_count;
    uint32_t alignment; /* that validators need */
    uint32_t allow_empty;
    uint64_t first_ordinal;
    uint8_t *scratch; /* aligned copies for validators */
    size_t scratch_capacity;
    fls_builder *builder;
    fls_error failure;        /* sticky */
    flsi_memory_state memory; /* of the buffer; below: each has its own run of messages */
    flsi_memory_state scratch_memory;
    flsi_memory_state builder_memory;
};

/* Makes a writer that has no sink yet, so that everything that can be wrong with the options, or
 * with memory, is found out before a file is touched. lends: its sink will lend its memory. */
fls_status flsi_writer_new(fls_writer **writer, const fls_writer_options *options, int lends,
                           fls_error *err);

/* Gives a new writer its sink, and the place in the stream where that stands. */
void flsi_writer_start(fls_writer *writer, fls_sink sink, uint64_t first_offset,
                       uint64_t first_ordinal);

/* Sets what the fast paths may take: everything, unless each message has to be looked at, because
 * of validators, observers, a failure, or a policy to be asked while the buffer is over its
 * baseline. */
void flsi_writer_choose_path(fls_writer *writer);

/* How much of the buffer is filled before a piece is handed on: up to the next multiple of the
 * piece size in the stream; all of a buffer that the sink lends, or that had to grow. */
size_t flsi_writer_edge(const fls_writer *writer);

/* Sets where the fast paths stop: at the edge, but never before what the buffer holds. */
void flsi_writer_set_limit(fls_writer *writer);

/* Goes on in a buffer that holds bytes_held bytes of the stream already. */
void flsi_writer_use_buffer(fls_writer *writer, uint8_t *buffer, size_t capacity,
                            size_t bytes_held);

/* NULL, with FLS_NO_MEMORY in err, when there is none. */
void *flsi_writer_allocate(const fls_writer *writer, size_t bytes, fls_error *err);
/* memory may be NULL. */
void flsi_writer_release(const fls_writer *writer, void *memory, size_t bytes);

#endif
