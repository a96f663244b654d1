/* A piece of a segment in memory, from one known place to the next: its messages, with the ordinals
 * that they really have, also where some between them are damaged.
 */
#ifndef FLSI_JOURNAL_PIECE_H
#define FLSI_JOURNAL_PIECE_H

#include "flatstream/frame.h"
#include "journal/journal_view.h"

/* Damage in a piece. */
typedef struct flsi_piece_fault {
    size_t index; /* of the message behind it, in the piece */
    uint64_t from_offset;
    uint64_t to_offset;
    uint64_t lost; /* messages */
    int is_one;    /* it is a frame whose end is known: one message */
    int estimated; /* lost is: of all that are missing in the piece, how many are so here */
    fls_error error;
} flsi_piece_fault;

#define FLSI_PIECE_FAULTS 64

typedef struct flsi_piece {
    const fls_allocator *allocator;
    const flsi_segment_view *view; /* whose it is; NULL: nothing is held */
    uint64_t ordinal;              /* of its first message */
    uint64_t end_ordinal;          /* one more than the last one's, lost ones too */
    uint64_t offset;
    uint64_t end_offset; /* behind the last frame, or the damage at the end */
    uint8_t *bytes;
    size_t byte_capacity;
    fls_message *messages; /* payloads lie in bytes; times are not set */
    size_t count;
    size_t capacity;
    flsi_piece_fault faults[FLSI_PIECE_FAULTS]; /* the last one may stand for several */
    size_t fault_count;
} flsi_piece;

void flsi_piece_init(flsi_piece *piece, const fls_allocator *allocator);
void flsi_piece_fini(flsi_piece *piece);

/* Where a piece ends. */
typedef struct flsi_piece_end {
    uint64_t offset;  /* so many bytes of the segment may be looked at */
    uint64_t ordinal; /* of the message that begins or would begin at offset; UINT64_MAX: not known,
                         and a frame that is incomplete there is not damage */
} flsi_piece_end;

/* Reads all from a place to the end. Damage is no failure: it is in faults. */
fls_status flsi_piece_read(flsi_piece *piece, const flsi_segment_view *view,
                           const flsi_place *place, const flsi_piece_end *end, fls_error *err);

#endif
