/* Messages out of a stream: from a source, through a buffer, checked, handed out without a copy.
 *
 * A source in memory or mapped is read where it lies. Otherwise frames are read into a buffer and
 * handed out there. Once the buffer has its size, reading does not allocate. One thread at a time.
 */
#ifndef FLATSTREAM_READER_H
#define FLATSTREAM_READER_H

#include "flatstream/checksum.h"
#include "flatstream/frame.h"
#include "flatstream/memory_policy.h"
#include "flatstream/recover.h"
#include "flatstream/source.h"
#include "flatstream/validator.h"

FLS_BEGIN_DECLS

/* Where a reader is: another one on the same stream can go on there. */
typedef struct fls_reader_position {
    uint64_t offset;  /* of the frame that is next */
    uint64_t ordinal; /* of its message */
    uint64_t state;   /* what the messages before it were like; 0: not known */
} fls_reader_position;

typedef struct fls_reader_options {
    uint32_t struct_bytes; /* sizeof(fls_reader_options) */
    fls_checksum
        checksum; /* DETECT: found by proof over the first frames, before the first message */
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes; /* largest payload accepted; 0: FLS_DEFAULT_MAX_FRAME_BYTES */
    uint32_t
        alignment; /* of payloads handed out: a power of two up to 64; 0: as they lie. A payload
                      not so aligned in place is copied once. Validators may ask for more. */
    size_t buffer_bytes;             /* read at once; 0: 256 KiB */
    const fls_validator *validators; /* run in order, after the checksum */
    size_t validator_count;
    const fls_observer *observers;
    size_t observer_count;
    const fls_allocator *allocator;         /* NULL: libc */
    const fls_memory_policy *memory_policy; /* NULL: keep */
    uint64_t first_ordinal; /* of the stream's first message and byte, for streams that are */
    uint64_t first_offset;  /* part of something longer */
    /* NULL: from the start. Read only while the reader is opened. The source has to be one that
     * lends its bytes or can be read at an offset (else FLS_UNSUPPORTED); where it stands does not
     * matter and does not change. */
    const fls_reader_position *position;
} fls_reader_options;

#define FLS_READER_OPTIONS_INIT                                                                  \
    {                                                                                            \
        sizeof(fls_reader_options), FLS_CHECKSUM_DEFAULT, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, \
            NULL, 0, 0, NULL                                                                     \
    }

typedef struct fls_reader fls_reader;

/* Takes the source over, also when it fails: closing the reader closes it. A source that can be
 * read at an offset has to stand at its start. options may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_reader_open(fls_reader **reader, fls_source source,
                                                const fls_reader_options *options, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_reader_open_file(fls_reader **reader, const char *path,
                                                     const fls_reader_options *options,
                                                     fls_error *err);
/* See fls_source_map_file for what a mapped file must not do. */
FLS_API FLS_MUST_USE fls_status fls_reader_open_mapped(fls_reader **reader, const char *path,
                                                       const fls_reader_options *options,
                                                       fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_reader_open_memory(fls_reader **reader, const void *data,
                                                       size_t size,
                                                       const fls_reader_options *options,
                                                       fls_error *err);
FLS_API void fls_reader_close(fls_reader *reader); /* NULL is harmless */

/* FLS_OK: one message, borrowed until the next call on this reader. FLS_END: a clean end.
 * FLS_WOULD_BLOCK: the source has nothing now; call again. Anything else: the message at
 * fls_reader_offset() is not sound or was refused, or the source failed; calling again says the
 * same. */
FLS_API FLS_MUST_USE fls_status fls_reader_next(fls_reader *reader, fls_message *message,
                                                fls_error *err);

/* Up to capacity messages, all borrowed until the next call. FLS_OK: *count is 1 or more. A fault
 * behind the first message is reported by the next call. On any other status *count is 0. Does not
 * wait for more input once it has a message. */
FLS_API FLS_MUST_USE fls_status fls_reader_next_batch(fls_reader *reader, fls_message *messages,
                                                      size_t capacity, size_t *count,
                                                      fls_error *err);

/* Calls back with each message until the end (FLS_OK), a fault, or a status other than FLS_OK from
 * the callback, which is then returned; FLS_STOPPED is a good one. The reader goes on behind that
 * message. */
FLS_API FLS_MUST_USE fls_status fls_reader_each(fls_reader *reader,
                                                fls_status (*callback)(void *self,
                                                                       const fls_message *message),
                                                void *self, fls_error *err);

/* After FLS_CHECKSUM_MISMATCH or FLS_VALIDATION_FAILED: steps over that message, whose ordinal is
 * used up, trusting its length. */
FLS_API FLS_MUST_USE fls_status fls_reader_skip(fls_reader *reader, fls_error *err);

/* How the stream ends, after a call on the reader returned `status`: FLS_END, or a fault of the
 * stream with its error in *fault. Decides as fls_recover does, looking at the bytes behind the
 * fault; of a source that cannot be read at an offset that is what is in the buffer, and what can
 * be read on if need be. Fills the report but for payload_bytes: frames counts messages up to here,
 * those stepped over too. */
FLS_API FLS_MUST_USE fls_status fls_reader_ending(fls_reader *reader, fls_status status,
                                                  const fls_error *fault,
                                                  fls_recover_report *report, fls_error *err);

/* The stream's checksum: as asked for, or as found once the first message was read. */
FLS_API fls_checksum fls_reader_checksum(const fls_reader *reader);

/* Messages handed out, plus the first ordinal; and the stream offset behind the last of them.
 * Within a callback of fls_reader_each they may be ahead of its message. */
FLS_API uint64_t fls_reader_ordinal(const fls_reader *reader);
FLS_API uint64_t fls_reader_offset(const fls_reader *reader);

/* The position behind the last message that was handed out, for fls_reader_options.position. Not
 * within a callback of fls_reader_each. */
FLS_API void fls_reader_get_position(const fls_reader *reader, fls_reader_position *position);

/* Memory that the reader's buffers hold now. */
FLS_API size_t fls_reader_buffer_bytes(const fls_reader *reader);

FLS_END_DECLS

#endif
