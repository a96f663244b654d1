/* What the files of the builder share: the object, and the small steps that all of them take.
 *
 *   builder.c         the calls: tables, strings, vectors, finishing
 *   builder_block.c   memory: the block, the arrays beside it, new, free, shrink
 *   builder_repeat.c  recognising a message made by the same calls as the one before
 */
#ifndef FLSI_FLATBUF_BUILDER_PRIVATE_H
#define FLSI_FLATBUF_BUILDER_PRIVATE_H

#include "core/bytes.h"
#include "flatstream/builder.h"

/* Always there below the cursor before anything is written: a value, and its padding. */
#define FLSI_HEADROOM    16u
#define FLSI_BLOCK_ALIGN 16u

/* Positions are below 2^31, so that an soffset reaches from one end to the other. */
#define FLSI_MOST_BYTES ((size_t)0x7FFFFFF0u)

/* With one slot more the vtable's own size would not fit its 16 bits. */
#define FLSI_MOST_SLOTS 32765u

/* What a builder has room for from the start. */
#define FLSI_FEW_SLOTS   32u
#define FLSI_FEW_VTABLES 16u

/* The call that was made last while a message repeats the one before it: a field set (its slot
 * shifted by 8; the low byte is free for a width), or one of these. */
#define FLSI_LAST_FINISH 0x10000u
#define FLSI_LAST_TABLE  0x20000u
#define FLSI_LAST_END    0x30000u
#define FLSI_LAST_NONE   0x40000u /* not repeating */

/* A field of the message to be repeated. */
typedef struct flsi_repeated {
    uint32_t key; /* the call before it | the width; 0 when it was not set */
    uint8_t *at;
} flsi_repeated;

typedef struct flsi_memo {
    uint32_t slots;   /* that the table was started with */
    uint32_t last;    /* the call before the table's end */
    uint32_t table;   /* the reference that its end returned */
    uint32_t root;    /* what the message was finished with */
    int is_named;     /* with an identifier */
    uint8_t *cursor;  /* after the end of the table */
    uint8_t *message; /* its first byte */
    size_t message_bytes;
    flsi_repeated fields[FLSI_FEW_SLOTS];
} flsi_memo;

struct fls_builder {
    uint32_t last;  /* FLSI_LAST_ or a slot */
    uint32_t open;  /* serial of the open table; 0 when there is none */
    uint32_t slots; /* that the open table has; 0 when there is none, or repeating */
    uint8_t *cursor;
    uint8_t *base;       /* of the block */
    uint32_t *placed;    /* of each slot of the open table: width << 16 | bytes to table_end */
    uint8_t *table_end;  /* where the cursor stood when the open table was started */
    uint32_t used_slots; /* 1 + the highest slot set; everything in placed from here on is 0 */
    uint32_t alignments; /* asked for, or-ed together; 4 at the least goes without saying */
    uint8_t *end;        /* of the block */
    uint32_t *vtables;   /* positions of all in the buffer, in the order they were written */
    uint32_t vtable_count;
    uint32_t vtable_capacity;
    uint32_t slot_capacity;
    uint32_t serial; /* of the last table started */
    fls_status status;
    uint32_t patience; /* messages to go before the next is learned */
    const char *why;   /* of a status that is not FLS_OK */
    int is_learned;    /* memo describes the first table of this message */
    size_t block_bytes;
    const fls_allocator *allocator;
    flsi_memo memo;
    uint32_t few_placed[FLSI_FEW_SLOTS];
    uint32_t few_vtables[FLSI_FEW_VTABLES];
};

static inline uint8_t *flsi_align_down(uint8_t *at, uintptr_t alignment)
{
    return at - ((uintptr_t)at & (alignment - 1));
}

static inline size_t flsi_builder_room(const fls_builder *b)
{
    return (size_t)(b->cursor - b->base);
}

static inline uint32_t flsi_builder_position(const fls_builder *b, const uint8_t *at)
{
    return (uint32_t)(b->end - at);
}

static inline int flsi_builder_repeats(const fls_builder *b)
{
    return b->last != FLSI_LAST_NONE;
}

/* Forgets the open table. */
void flsi_builder_close_table(fls_builder *b);

/* The first failure stays; what follows does nothing until it was reported. */
void flsi_builder_fail(fls_builder *b, fls_status status, const char *why);

/* Each makes room, or fails: for `bytes` below the cursor and FLSI_HEADROOM, for a table with
 * `count` slots, for one vtable more. Not 0 on success. */
int flsi_builder_grow(fls_builder *b, size_t bytes);
int flsi_builder_grow_slots(fls_builder *b, uint32_t count);
int flsi_builder_grow_vtables(fls_builder *b);

/* Notes the calls that made the open table, the first object of its message. */
void flsi_builder_learn(fls_builder *b);

/* The message was finished: from the next one on its calls are recognised, if that table was all of
 * it. */
void flsi_builder_expect(fls_builder *b, fls_ref root, int is_named, uint8_t *message);

/* Stops repeating: brings everything to where the calls made so far would have brought it. */
void flsi_builder_diverge(fls_builder *b);

static inline int flsi_builder_ensure(fls_builder *b, size_t bytes)
{
    return FLS_LIKELY(flsi_builder_room(b) >= FLSI_HEADROOM &&
                      flsi_builder_room(b) - FLSI_HEADROOM >= bytes) ||
           flsi_builder_grow(b, bytes);
}

#endif
