/* An index of a stream: a file beside it that says where its messages are, so that a reader can
 * begin at an ordinal or a time without reading what is before. The format is in docs/INDEX.md.
 *
 * An index can be made again at any time, and is never trusted over the stream. When it is opened
 * it is held against the stream: it is used as far as it proves to be of this stream, and no
 * further. Before a position is used fls_index_prove reads the messages from there up to the next
 * one that the index knows. What is not found so: a stream in which messages far before a position
 * were exchanged for others that come to as many bytes but are not as many.
 */
#ifndef FLATSTREAM_INDEX_H
#define FLATSTREAM_INDEX_H

#include "flatstream/reader.h"
#include "flatstream/salvage.h"
#include "flatstream/sink.h"

FLS_BEGIN_DECLS

#define FLS_INDEX_INTERVAL_BYTES 65536u

typedef struct fls_index fls_index;

/* ---- making ---- */

typedef struct fls_index_options {
    uint32_t struct_bytes; /* sizeof(fls_index_options) */
    fls_checksum checksum; /* of the stream; DETECT: found by proof. Not CUSTOM */
    uint32_t max_frame_bytes;
    uint32_t threads;        /* that read; 0: as many as there are processors */
    uint64_t interval_bytes; /* the first message in each stretch of so many bytes is noted, 64 or
                                more; 0: FLS_INDEX_INTERVAL_BYTES */
    /* The time of a message, in ns and not 0; 0 is returned when it has none. Called by several
     * threads at once. NULL: the index has no times. */
    int (*time_of)(void *self, const fls_message *message, uint64_t *time_ns);
    void *time_self;
    const char *label; /* what the times are, such as the path of a field; up to 255 bytes, or NULL
                        */
    const fls_allocator *allocator; /* NULL: libc. Called by several threads */
    /* May be NULL: called from time to time with the bytes done so far. */
    void (*progress)(void *self, uint64_t bytes);
    void *progress_self;
} fls_index_options;

#define FLS_INDEX_OPTIONS_INIT                                                                 \
    {                                                                                          \
        sizeof(fls_index_options), FLS_CHECKSUM_DETECT, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, \
            NULL                                                                               \
    }

/* What an index says of the messages that it covers. */
typedef struct fls_index_info {
    uint32_t struct_bytes;  /* sizeof(fls_index_info), set by the caller */
    fls_checksum checksum;  /* DETECT: of no messages, which fit each */
    uint64_t covered_bytes; /* of the stream, from its start */
    uint64_t messages;
    uint64_t payload_bytes;
    uint64_t size_min; /* of payloads; 0 when there are none */
    uint64_t size_max;
    uint64_t entries; /* messages whose place is known */
    uint64_t interval_bytes;
    uint32_t has_times;
    uint32_t stale; /* 1: the index covers more than this, which is not, or no longer, what the
                       stream has: that is passed over */
    uint64_t timed; /* messages that have a time */
    uint64_t time_min_ns;
    uint64_t time_max_ns;
    uint64_t stream_bytes; /* when it was opened; 0 without a stream */
    uint64_t index_bytes;  /* that are valid */
    fls_error fault;       /* of the index, behind its valid bytes; or of the stream, where making
                              it ended. FLS_OK: none */
    uint64_t reserved[4];
} fls_index_info;

#define FLS_INDEX_INFO_INIT                    \
    {                                          \
        .struct_bytes = sizeof(fls_index_info) \
    }

/* Reads a stream to its end and writes its index to a sink, which is for the caller to close: one
 * of fls_sink_open_file_atomic appears then, whole. Where the stream is damaged, or ends within a
 * frame, the index covers what is before, info->fault says what is there, and the status is FLS_OK.
 * The source is as fls_parallel_read wants it: it lends its bytes, or can be read at an offset by
 * several threads at once and knows its size. info may be NULL.
 * FLS_CHECKSUM_UNPROVEN: which checksum it has cannot be told. */
FLS_API FLS_MUST_USE fls_status fls_index_build(const fls_source *stream, const fls_sink *sink,
                                                const fls_index_options *options,
                                                fls_index_info *info, fls_error *err);

/* The same for a stream that has grown since: only what is behind the part that the old index
 * covers is read. The old one has to have been opened with the stream. Checksum, interval and label
 * are the old one's, and so has time_of to be: FLS_INVALID_ARGUMENT when only one has times. */
FLS_API FLS_MUST_USE fls_status fls_index_extend(const fls_index *old, const fls_source *stream,
                                                 const fls_sink *sink,
                                                 const fls_index_options *options,
                                                 fls_index_info *info, fls_error *err);

/* fls_index_build of a file; index_path NULL: path with ".fli" behind it. It appears whole or not
 * at all. */
FLS_API FLS_MUST_USE fls_status fls_index_build_file(const char *path, const char *index_path,
                                                     const fls_index_options *options,
                                                     fls_index_info *info, fls_error *err);

/* ---- using ---- */

/* Reads an index, all of it, to its end or to the first thing in it that is not valid; memory is
 * 24 bytes for each entry. Then looks which part of it is of this stream, from the end of the
 * index on: one where the bytes before the place where the part ends are those that were there.
 * Both sources stay the caller's and are not needed afterwards. stream NULL: nothing is proven.
 *
 * FLS_OK: it can be used, as far as fls_index_get_info says. FLS_CHECKSUM_MISMATCH: it is of
 * another stream, or of one that was shortened or changed at all the ends looked at. Other damage:
 * its header is not valid. FLS_UNSUPPORTED: of a later version. allocator may be NULL. */
FLS_API FLS_MUST_USE fls_status fls_index_open(fls_index **index, const fls_source *source,
                                               const fls_source *stream,
                                               const fls_allocator *allocator, fls_error *err);
FLS_API void fls_index_close(fls_index *index); /* NULL is harmless */

FLS_API void fls_index_get_info(const fls_index *index, fls_index_info *info);

/* What the times are; "" when that was not said. Lives as long as the index. */
FLS_API const char *fls_index_label(const fls_index *index);

/* One of the entries, in order: places to split the work on a stream at. The time is that of the
 * message there or the greatest before it, whichever is greater; 0: none is known. Both may be
 * NULL. FLS_INVALID_ARGUMENT when there are not as many. */
FLS_API FLS_MUST_USE fls_status fls_index_entry(const fls_index *index, uint64_t number,
                                                fls_reader_position *position, uint64_t *time_ns);

/* The last place that is known at or before a message; behind the last message that is covered the
 * place there. For fls_reader_options.position, after fls_index_prove. */
FLS_API void fls_index_find_ordinal(const fls_index *index, uint64_t ordinal,
                                    fls_reader_position *position);

/* A place such that all messages before it have a time below time_ns, or none: a reader that goes
 * on there meets the first one at or behind that time. Times need not be in order. */
FLS_API void fls_index_find_time(const fls_index *index, uint64_t time_ns,
                                 fls_reader_position *position);

/* Reads the stream from a position that the index gave up to the next one that it knows. FLS_OK: as
 * many sound messages are there as it says, and end where it says. FLS_CHECKSUM_MISMATCH: they do
 * not, and the index is not to be used; other damage: the stream is damaged there, which the caller
 * will meet. max_frame_bytes as in the options of readers. */
FLS_API FLS_MUST_USE fls_status fls_index_prove(const fls_index *index, const fls_source *stream,
                                                const fls_reader_position *position,
                                                uint32_t max_frame_bytes, fls_error *err);

/* Where frames begin, for fls_salvage_options.anchors; lent until the index is closed. */
FLS_API void fls_index_anchors(const fls_index *index, fls_salvage_anchors *anchors);

FLS_END_DECLS

#endif
