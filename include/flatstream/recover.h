/* How a stream ends, what of it is sound, and cutting off a tail that was never a message.
 *
 * Reading never changes the stream; cutting is a call of its own, and keeps what it cut.
 */
#ifndef FLATSTREAM_RECOVER_H
#define FLATSTREAM_RECOVER_H

#include "flatstream/checksum.h"
#include "flatstream/frame.h"
#include "flatstream/source.h"

FLS_BEGIN_DECLS

/* The four ends of a stream; docs/FORMAT.md defines them. */
typedef enum fls_stream_end {
    FLS_STREAM_CLEAN = 1, /* between two frames */
    FLS_STREAM_TORN_TAIL =
        2, /* an incomplete last frame, behind which nothing sound can be proven */
    FLS_STREAM_ZERO_TAIL = 3, /* zero bytes that were never messages */
    FLS_STREAM_DAMAGED = 4    /* anything else: nothing may be cut */
} fls_stream_end;

/* "clean", "torn_tail", "zero_tail", "damaged". */
FLS_API const char *fls_stream_end_name(fls_stream_end end);

typedef struct fls_recover_options {
    uint32_t struct_bytes; /* sizeof(fls_recover_options) */
    fls_checksum checksum; /* DETECT is allowed */
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes;       /* 0: FLS_DEFAULT_MAX_FRAME_BYTES */
    uint32_t discard_cut;           /* truncate: 1: do not keep what is cut */
    const fls_allocator *allocator; /* NULL: libc */
    /* May be NULL: called from time to time with the bytes done so far. */
    void (*progress)(void *self, uint64_t bytes);
    void *progress_self;
} fls_recover_options;

#define FLS_RECOVER_OPTIONS_INIT                                                        \
    {                                                                                   \
        sizeof(fls_recover_options), FLS_CHECKSUM_DEFAULT, NULL, 0, 0, NULL, NULL, NULL \
    }

typedef struct fls_recover_report {
    uint32_t struct_bytes; /* sizeof(fls_recover_report), set by the caller */
    fls_stream_end end;
    fls_checksum checksum; /* the stream's: as asked for or as found; DETECT if an empty stream */
    uint32_t proof_found;  /* 1: behind the fault a sound frame was proven, at proof_offset */
    uint64_t frames;       /* sound messages before the end or fault */
    uint64_t last_good_offset; /* end of the last of them */
    uint64_t stream_bytes;  /* bytes there are; up to the fault only for a source without a size */
    uint64_t payload_bytes; /* of the sound messages */
    uint64_t proof_offset;
    uint64_t truncated_bytes; /* cut off by truncate */
    fls_error fault;          /* what is wrong at last_good_offset; FLS_OK for a clean end */
    char cut_suffix[48];      /* where truncate kept what it cut: path + this; empty if nowhere */
    uint64_t reserved[4];
} fls_recover_report;

#define FLS_RECOVER_REPORT_INIT                    \
    {                                              \
        .struct_bytes = sizeof(fls_recover_report) \
    }

/* Walk a stream with the reading rules and fill the report in every case. FLS_OK: the report is
 * whole, whatever the end is; other statuses: the source failed, memory ran out, or the checksum to
 * be detected could not be proven. The source stays the caller's; one that can be read at an offset
 * is read from its start, where it has to stand. One that cannot, such as a pipe, is held in memory
 * from the first fault on. */
FLS_API FLS_MUST_USE fls_status fls_recover(const fls_source *source,
                                            const fls_recover_options *options,
                                            fls_recover_report *report, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_recover_file(const char *path,
                                                 const fls_recover_options *options,
                                                 fls_recover_report *report, fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_recover_memory(const void *data, size_t size,
                                                   const fls_recover_options *options,
                                                   fls_recover_report *report, fls_error *err);

/* Recovers under the writer's lock, and cuts a torn or zero tail to last_good_offset; what is cut
 * is first written and synced as PATH.cut-OFFSET (with .1, .2 ... behind it when that exists). A
 * clean stream is left as it is, with FLS_OK. A damaged one is left as it is, and its fault's
 * status is returned; so is one that proves to have another checksum than asked for
 * (FLS_CHECKSUM_MISMATCH, with both names). FLS_UNSUPPORTED for "/dev/fd/N" and its like. */
FLS_API FLS_MUST_USE fls_status fls_recover_truncate(const char *path,
                                                     const fls_recover_options *options,
                                                     fls_recover_report *report, fls_error *err);

/* Finds the checksum of a stream from its first size bytes; at_end says that these are all. FLS_OK,
 * or FLS_END for a stream without messages (no bytes, or nothing but a zero tail: any checksum
 * would do), FLS_NEED_MORE when more bytes could decide it, FLS_CHECKSUM_UNPROVEN with the reason.
 * max_frame_bytes 0: the default. */
FLS_API FLS_MUST_USE fls_status fls_detect_checksum(const void *data, size_t size, int at_end,
                                                    uint32_t max_frame_bytes,
                                                    fls_checksum *checksum, fls_error *err);

FLS_END_DECLS

#endif
