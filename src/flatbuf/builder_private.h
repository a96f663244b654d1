/* What the files of the builder share: the object, and the small steps that all of them take.
 *
 *   builder.c         the calls: tables and their fields, finishing
 *   builder_content.c strings, vectors and what else is finished before a table
 *   builder_checked.c the end of a table that a schema describes
 *   builder_shared.c  which shared strings and vtables stand in the buffer already
 *   builder_block.c   memory: the block, the arrays beside it, new, free, shrink
 *   builder_repeat.c  recognising a message made by the same calls as the one before
 */
#ifndef FLSI_FLATBUF_BUILDER_PRIVATE_H
#define FLSI_FLATBUF_BUILDER_PRIVATE_H

#include "core/bytes.h"
#include "flatstream/builder.h"

/* Always there below the cursor before anything is written: a value, and its padding. */
#define FLSI_HEADROOM 16u

/* Also the largest alignment that something in a message may have. */
#define FLSI_BLOCK_ALIGN 64u

/* Positions are below 2^31, so that an soffset reaches from one end to the other. */
#define FLSI_MOST_BYTES ((size_t)0x7FFFFFF0u)

/* With one slot more the vtable's own size would not fit its 16 bits. */
#define FLSI_MOST_SLOTS 32765u

/* What a builder has room for from the start. */
#define FLSI_FEW_SLOTS FLS_BUILDER_REPEATED

/* As many vtables are looked through one by one. */
#define FLSI_FEW_VTABLES 16u

/* What a reference refers to. The position of anything but a struct is a multiple of 4, and the
 * kind is in the two low bits; the highest bit, which no position has, says that it is a struct. */
#define FLSI_REF_TABLE     1u
#define FLSI_REF_STRING    2u
#define FLSI_REF_VECTOR    3u
#define FLSI_REF_KIND_MASK 3u
#define FLSI_REF_STRUCT    0x80000000u

/* What is noted of a slot of the open table: width of a scalar or one of these << 16 | distance. */
#define FLSI_PLACED_REFERENCE 0x20u
#define FLSI_PLACED_STRUCT    0x40u

/* front.last while nothing is repeated. */
#define FLSI_LAST_NONE 0x40000u

/* What else is known of the message that the front describes. */
typedef struct flsi_memo {
    uint8_t *cursor; /* after the end of the table */
    uint32_t object; /* that the table was checked against, and its schema, or NULL */
    uint64_t schema_hash;
    const fls_schema *schema; /* may be gone; another one of the same hash does as well */
} flsi_memo;

/* A shared string or a vtable, if it belongs to this message. */
typedef struct flsi_shared {
    uint32_t message; /* number of its message */
    uint32_t position;
} flsi_shared;

/* A hash table of them. */
typedef struct flsi_shared_set {
    flsi_shared *places; /* a power of two of them, half of them taken at most; or NULL */
    uint32_t capacity;
    uint32_t count;
} flsi_shared_set;

struct fls_builder {
    fls_builder_front front; /* first: inline code casts to it */
    uint8_t *cursor;
    uint8_t *base;       /* of the block */
    uint32_t *placed;    /* of each slot of the open table: what it is << 16 | bytes to table_end */
    uint8_t *table_end;  /* where the cursor stood when the open table was started */
    uint32_t slots;      /* that the open table has; 0 when there is none, or repeating */
    uint32_t used_slots; /* 1 + the highest slot set; everything in placed from here on is 0 */
    uint32_t alignments; /* asked for, or-ed together; 4 at the least goes without saying */
    uint8_t *end;        /* of the block */
    uint32_t vtable_count; /* of the positions in vtables */
    uint32_t slot_capacity;
    fls_status status;
    uint32_t patience; /* messages to go before the next is learned */
    const char *why;   /* of a status that is not FLS_OK; NULL: it is in reason */
    int is_learned;    /* memo describes the first table of this message */
    int has_structs;   /* the open table has: it is not learned */
    flsi_shared_set strings;
    flsi_shared_set many_vtables; /* all, once they are not few; vtables is empty then */
    uint32_t message;             /* number of this one among those with one of these; not 0 */
    char reason[120];
    size_t block_bytes;
    const fls_allocator *allocator;
    flsi_memo memo;
    uint32_t few_placed[FLSI_FEW_SLOTS];
    uint32_t vtables[FLSI_FEW_VTABLES]; /* positions of the first, in the order they were written */
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
    return b->front.last != FLSI_LAST_NONE;
}

/* Forgets the open table. */
void flsi_builder_close_table(fls_builder *b);

/* The first failure stays; what follows does nothing until it was reported. Stops repeating: no
 * inline call may pass over a failure. */
void flsi_builder_fail(fls_builder *b, fls_status status, const char *why);

/* Each makes room, or fails: for `bytes` below the cursor and FLSI_HEADROOM, for a table with
 * `count` slots. Not 0 on success. */
int flsi_builder_grow(fls_builder *b, size_t bytes);
int flsi_builder_grow_slots(fls_builder *b, uint32_t count);

/* A struct below the cursor; NULL after a failure. */
uint8_t *flsi_builder_push_struct(fls_builder *b, const void *bytes, size_t size,
                                  uint32_t alignment);

/* The place in a set for a string's bytes or a whole vtable: that of an equal one, or a free one
 * for flsi_builder_share, which may come after the block has moved. NULL after a failure. */
flsi_shared *flsi_builder_find_shared(fls_builder *b, flsi_shared_set *set, const void *key,
                                      size_t size);
void flsi_builder_share(const fls_builder *b, flsi_shared_set *set, flsi_shared *place,
                        uint32_t position);

/* What stands there; 0 when the place is free. */
static inline uint32_t flsi_builder_shared_at(const fls_builder *b, const flsi_shared *place)
{
    return place->message == b->message ? place->position : 0;
}

/* The position of a vtable equal to this one, or of this one itself, which is then in the set, as
 * are the few there were. 0 after a failure. */
uint32_t flsi_builder_share_vtable(fls_builder *b, const uint8_t *vtable);

/* Forgets what both sets hold. */
void flsi_builder_forget_shared(fls_builder *b);

/* Notes the calls that made the open table, the first object of its message. */
void flsi_builder_learn(fls_builder *b);

/* The message was finished: from the next one on its calls are recognised, if that table was all of
 * it. */
void flsi_builder_expect(fls_builder *b, fls_ref root, int is_named, uint8_t *message);

/* Stops repeating: brings everything to where the calls made so far would have brought it. */
void flsi_builder_diverge(fls_builder *b);

/* At the start of every call that is not what was expected. */
static inline void flsi_builder_stop_repeating(fls_builder *b)
{
    if (flsi_builder_repeats(b)) {
        flsi_builder_diverge(b);
    }
}

static inline void flsi_builder_misuse(fls_builder *b, const char *why)
{
    flsi_builder_fail(b, FLS_INVALID_ARGUMENT, why);
}

/* Strings and vectors, and new tables, only between tables. */
static inline int flsi_builder_between_tables(fls_builder *b)
{
    flsi_builder_stop_repeating(b);
    if (FLS_LIKELY(b->status == FLS_OK && b->front.open == 0)) {
        return 1;
    }
    flsi_builder_misuse(b, "a string, vector or table was started inside a table");
    return 0;
}

static inline uint32_t flsi_ref_position(fls_ref ref)
{
    uint32_t mark = (ref.position & FLSI_REF_STRUCT) != 0 ? FLSI_REF_STRUCT : FLSI_REF_KIND_MASK;
    return ref.position & ~mark;
}

static inline int flsi_builder_has_finished(const fls_builder *b, fls_ref ref)
{
    uint32_t position = flsi_ref_position(ref);
    return position != ref.position && position != 0 &&
           position <= flsi_builder_position(b, b->cursor);
}

static inline fls_ref flsi_builder_refer(const fls_builder *b, const uint8_t *object, uint32_t kind)
{
    return (fls_ref){flsi_builder_position(b, object) | kind};
}

/* The value of a reference that stands at `at`. */
static inline uint32_t flsi_builder_offset(const fls_builder *b, const uint8_t *at, fls_ref ref)
{
    return flsi_builder_position(b, at) - flsi_ref_position(ref);
}

static inline int flsi_builder_ensure(fls_builder *b, size_t bytes)
{
    return FLS_LIKELY(flsi_builder_room(b) >= FLSI_HEADROOM &&
                      flsi_builder_room(b) - FLSI_HEADROOM >= bytes) ||
           flsi_builder_grow(b, bytes);
}

#endif
