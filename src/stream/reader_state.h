/* What a reader is, for the files that make it up: reader.c and reader_position.c. */
#ifndef FLSI_STREAM_READER_STATE_H
#define FLSI_STREAM_READER_STATE_H

#include "stream/memory_state.h"
#include "stream/reader_private.h"

/* What payloads looked like so far, for deciding how the stream ends. */
typedef enum roots_seen { ROOTS_UNSEEN, ROOTS_ALL, ROOTS_NOT_ALL, ROOTS_DO_NOT_MATTER } roots_seen;

struct fls_reader {
    fls_cursor cursor;
    fls_source source;
    const fls_allocator *allocator;
    const fls_validator *validators;
    size_t validator_count;
    const fls_observer *observers;
    size_t observer_count;
    uint32_t alignment;
    uint32_t max_frame_bytes;
    int detecting;      /* the checksum is not known yet */
    int at_end;         /* the source has no more */
    int borrowed;       /* the window is the source's own memory */
    int skippable;      /* the last answer was a fault of one message only */
    int one_way;        /* what was read cannot be read again */
    int reads_at;       /* bytes are read at an offset, the place of the source does not move */
    int roots;          /* a roots_seen */
    uint64_t look_at;   /* the first message from this offset on is looked at */
    uint64_t source_at; /* where the next read begins in the source */
    uint64_t limit;     /* stream offset beyond which little is read at once; 0: none */
    uint64_t first_offset;
    uint64_t first_ordinal;
    const uint8_t *borrowed_data;
    size_t borrowed_bytes;
    fls_error failure; /* of the source; sticky */
    void *allocation;  /* allocated; the buffer begins at the first page in it */
    uint8_t *buffer;
    size_t capacity;
    size_t head_room;
    size_t area;
    size_t baseline;  /* capacity that is never given back */
    uint8_t *aligned; /* copies of misaligned payloads */
    size_t aligned_capacity;
    size_t largest; /* frame bytes that the last messages needed of the buffer */
    flsi_memory_state memory;
};

/* Looks at some of the messages, if roots are not decided yet: which ones depends neither on how
 * they come in batches nor on where a reader began. */
void flsi_reader_note_roots(fls_reader *reader, const fls_message *messages, size_t count);

#endif
