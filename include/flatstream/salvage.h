/* Messages out of a damaged stream: everything that can be proven sound, and for every other byte
 * why nothing came out of it.
 *
 * A salvager goes through a stream from its start to its end and hands out events. They tile the
 * stream: each begins at the byte where the one before ended, the first at 0, the last ends where
 * the stream does. So what was recovered and what was lost are together the stream, byte by byte.
 * What counts as proof of a frame, and where it is looked for, is in docs/SALVAGE.md.
 */
#ifndef FLATSTREAM_SALVAGE_H
#define FLATSTREAM_SALVAGE_H

#include "flatstream/checksum.h"
#include "flatstream/frame.h"
#include "flatstream/recover.h"
#include "flatstream/source.h"

FLS_BEGIN_DECLS

typedef enum fls_salvage_kind {
    FLS_SALVAGE_MESSAGES = 1,  /* messages as they stand in the stream */
    FLS_SALVAGE_REPAIRED = 2,  /* one message whose frame had a flipped bit: see repair */
    FLS_SALVAGE_LOST = 3,      /* bytes of which no message is proven */
    FLS_SALVAGE_UNANCHORED = 4 /* frames that hold but chain to no known boundary: they may be a
                                  stream that was the payload of a lost message */
} fls_salvage_kind;

/* What was mended of a frame: a bit of its length; or of its checksum, where the payload's own
 * differs from it in nothing else. */
typedef enum fls_salvage_repair {
    FLS_REPAIR_LENGTH = 1,
    FLS_REPAIR_CHECKSUM = 2
} fls_salvage_repair;

/* Why bytes were lost; the name of each is what reports call it. */
typedef enum fls_salvage_loss {
    FLS_LOSS_PAYLOAD = 1,   /* "payload": one frame, whose payload or checksum is wrong, between
                               boundaries that are proven */
    FLS_LOSS_FRAMING = 2,   /* "framing": the length does not hold, up to the next proven frame */
    FLS_LOSS_TORN_TAIL = 3, /* "torn_tail" and "zero_tail": as in recover.h */
    FLS_LOSS_ZERO_TAIL = 4
} fls_salvage_loss;

FLS_API const char *fls_salvage_loss_name(fls_salvage_loss loss);

typedef struct fls_salvage_event {
    fls_salvage_kind kind;
    fls_salvage_repair repair; /* of REPAIRED, else 0 */
    fls_salvage_loss loss;     /* of LOST, else 0 */
    uint32_t gave_up;          /* of LOST: 1: candidates were passed over because the budget of
                                  hashing was spent */
    uint64_t from;             /* stream offsets of the bytes that the event is about */
    uint64_t to;
    /* MESSAGES, REPAIRED; UNANCHORED too where they are kept: borrowed until the next call.
     * Ordinals count what is handed out, from 0; offsets are those of the damaged stream. */
    const fls_message *messages;
    size_t count;
    uint64_t frames; /* of UNANCHORED: how many there are, kept or not */
    fls_error fault; /* of REPAIRED and LOST: what a reader says of the frame at `from` */
} fls_salvage_event;

/* Offsets at which a frame is known to begin, such as those of an index or of a journal's marks, in
 * rising order. They are evidence, not truth: one at which no frame holds is passed over. */
typedef struct fls_salvage_anchors {
    const uint64_t *offsets;
    size_t count;
} fls_salvage_anchors;

typedef struct fls_salvage_options {
    uint32_t struct_bytes; /* sizeof(fls_salvage_options) */
    fls_checksum checksum; /* DETECT: found by proof, behind a damaged beginning too */
    const fls_custom_checksum *custom_checksum;
    uint32_t max_frame_bytes;    /* largest payload at a known boundary; 0: the default */
    uint32_t search_frame_bytes; /* largest payload that a search believes; 0: the larger of 1 MiB
                                    and four times the largest sound one so far */
    uint32_t keep_unanchored;    /* 1: their messages are handed out */
    uint32_t hash_per_byte;      /* a search may hash so many bytes for each that it passes; 0: 8 */
    uint32_t believe_zeros;      /* 1: a run of zeros that fills a sector of 512 bytes is empty
                                    messages where a reader says so, not the place of lost ones */
    uint32_t threads; /* that check ahead which frames are sound, reading the source at once; 0,
                         1: none. The events are the same but for how messages are grouped in
                         them. Nothing is there for them to do without a checksum. */
    fls_salvage_anchors anchors;
    const fls_allocator *allocator; /* NULL: libc */
} fls_salvage_options;

#define FLS_SALVAGE_OPTIONS_INIT                                                                  \
    {                                                                                             \
        sizeof(fls_salvage_options), FLS_CHECKSUM_DETECT, NULL, 0, 0, 0, 0, 0, 0, {NULL, 0}, NULL \
    }

/* Counts of what was handed out so far; of everything once FLS_END was returned. */
typedef struct fls_salvage_report {
    uint32_t struct_bytes; /* sizeof(fls_salvage_report), set by the caller */
    fls_checksum checksum;
    uint64_t stream_bytes;
    uint64_t messages; /* handed out: sound, repaired and kept unanchored ones */
    uint64_t repaired;
    uint64_t lost_ranges;
    uint64_t lost_bytes; /* of LOST, and of UNANCHORED where they are not kept */
    uint64_t unanchored_frames;
    uint64_t unanchored_bytes;
    uint64_t gave_up; /* ranges in which the budget was spent */
    fls_stream_end end;
    uint32_t reserved32;
    uint64_t reserved[4];
} fls_salvage_report;

#define FLS_SALVAGE_REPORT_INIT                    \
    {                                              \
        .struct_bytes = sizeof(fls_salvage_report) \
    }

typedef struct fls_salvager fls_salvager;

/* The source stays the caller's, and has to outlive the salvager: one that lends its bytes, or that
 * can be read at an offset and knows its size; else FLS_UNSUPPORTED. Where threads are asked for,
 * all of them read it, and call a custom checksum. Memory is bounded by the largest frame, and by a
 * few MiB for each thread. options may be NULL. A salvager is used by one thread at a time. */
FLS_API FLS_MUST_USE fls_status fls_salvage_open(fls_salvager **salvager, const fls_source *source,
                                                 const fls_salvage_options *options,
                                                 fls_error *err);
FLS_API FLS_MUST_USE fls_status fls_salvage_open_memory(fls_salvager **salvager, const void *data,
                                                        size_t size,
                                                        const fls_salvage_options *options,
                                                        fls_error *err);
FLS_API void fls_salvage_close(fls_salvager *salvager); /* NULL is harmless */

/* FLS_OK: one event. FLS_END: the stream is through. FLS_CHECKSUM_UNPROVEN: which checksum it has
 * cannot be told. Other statuses: the source failed or memory ran out. */
FLS_API FLS_MUST_USE fls_status fls_salvage_next(fls_salvager *salvager, fls_salvage_event *event,
                                                 fls_error *err);

FLS_API void fls_salvage_get_report(const fls_salvager *salvager, fls_salvage_report *report);

/* The first frame at or behind `from` and before `to` that is proven: a place where a walk can
 * begin. FLS_END: there is none. Proven is what a search calls so; a walk that comes to the place
 * from the start of the stream decides. checksum must not be DETECT. */
FLS_API FLS_MUST_USE fls_status fls_salvage_find(const fls_source *source, uint64_t from,
                                                 uint64_t to, const fls_salvage_options *options,
                                                 uint64_t *offset, fls_error *err);

FLS_END_DECLS

#endif
