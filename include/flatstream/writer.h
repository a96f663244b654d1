/* Messages into a stream: framed, checked, gathered in a buffer, handed to a sink.
 *
 * After an error of the sink a writer is sticky: it gives the same error again and writes nothing
 * behind a torn frame. A refused message (FLS_VALIDATION_FAILED, FLS_INVALID_FRAME,
 * FLS_INVALID_ARGUMENT) leaves writer and stream as they were. One thread at a time.
 */
#ifndef FLATSTREAM_WRITER_H
#define FLATSTREAM_WRITER_H

#include <string.h>

#include "flatstream/builder.h"
#include "flatstream/checksum.h"
#include "flatstream/frame.h"
#include "flatstream/memory_policy.h"
#include "flatstream/recover.h"
#include "flatstream/sink.h"
#include "flatstream/validator.h"

FLS_BEGIN_DECLS

typedef struct fls_writer_options {
    uint32_t struct_bytes; /* sizeof(fls_writer_options) */
    fls_checksum checksum;
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes; /* largest payload accepted; 0: FLS_DEFAULT_MAX_FRAME_BYTES */
    uint32_t allow_empty;     /* 1: empty payloads are written; they are never valid FlatBuffers */
    size_t buffer_bytes;      /* frames gathered before they are handed on; 0: 256 KiB */
    const fls_validator *validators; /* run in order */
    size_t validator_count;
    const fls_observer *observers;
    size_t observer_count;
    const fls_allocator *allocator; /* NULL: libc */
    const fls_memory_policy
        *memory_policy; /* of builder, buffer and validators' copies, each for itself; NULL: keep */
    uint64_t first_ordinal; /* of the first message, for errors and observers */
    uint64_t first_offset;  /* stream offset of the first frame */
    uint32_t discard_cut;   /* open_append: 1: do not keep what recovery cuts off */
    uint32_t reserved;
} fls_writer_options;

#define FLS_WRITER_OPTIONS_INIT                                                                  \
    {                                                                                            \
        sizeof(fls_writer_options), FLS_CHECKSUM_DEFAULT, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, \
            NULL, 0, 0, 0, 0                                                                     \
    }

typedef struct fls_writer fls_writer;

/* What inline code reads of a writer: frozen. The object goes on behind it. */
typedef struct fls_writer_front {
    uint8_t *next;         /* where the next frame goes */
    uint8_t *limit;        /* end of the buffer */
    uint64_t messages;     /* written by this writer */
    uint32_t inline_limit; /* payloads of 1..inline_limit bytes need no more than room */
    uint32_t reserved;
} fls_writer_front;

/* Takes the sink over, also when it fails: closing the writer closes the sink. options may be NULL.
 */
FLS_API FLS_MUST_USE fls_status fls_writer_open(fls_writer **writer, fls_sink sink,
                                                const fls_writer_options *options, fls_error *err);

/* A new file, or an existing one emptied; see fls_sink_open_file. It is not touched when the
 * options are refused or there is not enough memory. */
FLS_API FLS_MUST_USE fls_status fls_writer_open_file(fls_writer **writer, const char *path,
                                                     const fls_writer_options *options,
                                                     fls_error *err);

/* Goes on behind the last sound frame of a file, made if it is not there. Takes the writer's lock,
 * recovers, proves that the checksum asked for is the stream's (FLS_CHECKSUM_MISMATCH with both
 * names when it is another one, FLS_CHECKSUM_UNPROVEN when it cannot be told), cuts a torn or zero
 * tail (kept beside the file unless discard_cut). A damaged stream is refused with its fault and
 * left untouched, as any is when the options are refused. report (may be NULL) is filled in every
 * case but argument errors. Only a regular file named itself can be appended to: FLS_UNSUPPORTED
 * for others, "/dev/fd/N" among them. */
FLS_API FLS_MUST_USE fls_status fls_writer_open_append(fls_writer **writer, const char *path,
                                                       const fls_writer_options *options,
                                                       fls_recover_report *report, fls_error *err);

/* Frames one payload and takes it into the buffer, or past it when it is large. FLS_WOULD_BLOCK:
 * not taken, nothing changed; flush and try again. */
FLS_API FLS_MUST_USE fls_status fls_writer_write_slow(fls_writer *writer, const void *payload,
                                                      size_t size, fls_error *err);
FLS_API FLS_MUST_USE inline fls_status fls_writer_write(fls_writer *writer, const void *payload,
                                                        size_t size, fls_error *err)
{
    fls_writer_front *front = (fls_writer_front *)writer;
    uint8_t *frame = front->next;
    if (FLS_LIKELY(size - 1u < front->inline_limit &&
                   size + FLS_LENGTH_BYTES <= (size_t)(front->limit - frame))) {
        frame[0] = (uint8_t)size;
        frame[1] = (uint8_t)(size >> 8);
        frame[2] = (uint8_t)(size >> 16);
        frame[3] = (uint8_t)(size >> 24);
        front->next = frame + FLS_LENGTH_BYTES + size;
        front->messages++;
        memcpy(frame + FLS_LENGTH_BYTES, payload,
               size); /* last, so that nothing outlives the call */
        return FLS_OK;
    }
    return fls_writer_write_slow(writer, payload, size, err);
}

/* One payload gathered from pieces. Custom checksums and validators see it contiguous. */
FLS_API FLS_MUST_USE fls_status fls_writer_writev(fls_writer *writer, const fls_span *spans,
                                                  size_t count, fls_error *err);

/* Simple mode: the writer's own builder, and writing what was built. On any failure the builder is
 * empty again and the stream as it was. */
FLS_API fls_builder *fls_writer_builder(fls_writer *writer); /* NULL only when memory ran out */
FLS_API FLS_MUST_USE fls_status fls_writer_write_root(fls_writer *writer, fls_ref root,
                                                      fls_error *err);

/* Hands everything to the operating system. FLS_WOULD_BLOCK: part of it; call again. */
FLS_API FLS_MUST_USE fls_status fls_writer_flush(fls_writer *writer, fls_error *err);

/* Flushes and makes it durable. A failure is final for this writer. */
FLS_API FLS_MUST_USE fls_status fls_writer_sync(fls_writer *writer, fls_error *err);

/* Flushes, closes the sink, frees the writer in every case; reports the first error, late ones too.
 * NULL is harmless. A sink that would block is FLS_WOULD_BLOCK, and then the writer stays open. */
FLS_API FLS_MUST_USE fls_status fls_writer_close(fls_writer *writer, fls_error *err);

/* Frees the writer without flushing, and aborts the sink: a file that appears whole does not
 * appear. */
FLS_API void fls_writer_abort(fls_writer *writer);

FLS_API uint64_t fls_writer_messages(const fls_writer *writer); /* written by this writer */
FLS_API uint64_t fls_writer_offset(const fls_writer *writer); /* stream offset of the next frame */

FLS_END_DECLS

#endif
