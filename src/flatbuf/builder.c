/* Building FlatBuffers without generated code, byte for byte as the official C++ builder does for
 * the same calls with force_defaults.
 *
 * The block is filled from its end downwards. `cursor` is the lowest byte written; every position
 * and every alignment counts from the block's end, which is 64-byte aligned, so that aligning the
 * cursor's address is aligning the position, and the finished bytes start as aligned as they ask
 * for.
 *
 *   table    [soffset to vtable i32][fields, the last one set first, each aligned to its size]
 *   vtable   [its bytes u16][table's bytes u16][field 0's offset u16] ... [last field set]
 *   string   [size u32][bytes][0]
 *   vector   [count u32][elements]
 *   struct   [its bytes], as an object of its own, a field or an element
 *   buffer   [offset of the root table u32][identifier, if any][zeros][everything else]
 *
 * 1. A field is written at the call that sets it: zeros down to its alignment, then the value.
 * 2. The end of a table writes the soffset, then the vtable, trimmed behind the last slot set. If
 * an equal vtable stands in the buffer already, that one is used and the new one taken back.
 * 3. A string's terminator and a vector's last byte lie right below the padding that makes the size
 *    or count in front fall on 4 bytes, and the elements on their own alignment. An empty vector
 *    aligns its count only. A struct on its own may end anywhere.
 * 4. The buffer's start is aligned to the largest alignment that anything in it asked for.
 * 5. Zeros are written over the whole of a value's width before the value itself: whatever padding
 *    lies between is then zero, without a branch. FLSI_HEADROOM bytes are always there for it.
 *
 * Each call first looks, inline in the header, whether it is the one that repeats the last message
 * (builder_repeat.c); here is what it does otherwise.
 */
#include "flatbuf/builder_private.h"

extern inline fls_table fls_builder_table(fls_builder *builder, uint32_t field_count);
extern inline int fls_builder_repeats(const fls_builder_front *front, fls_table table,
                                      uint32_t slot, uint32_t bytes);
extern inline void fls_builder_u8(fls_builder *builder, fls_table table, uint32_t slot,
                                  uint8_t value);
extern inline void fls_builder_u16(fls_builder *builder, fls_table table, uint32_t slot,
                                   uint16_t value);
extern inline void fls_builder_u32(fls_builder *builder, fls_table table, uint32_t slot,
                                   uint32_t value);
extern inline void fls_builder_u64(fls_builder *builder, fls_table table, uint32_t slot,
                                   uint64_t value);
extern inline void fls_builder_i8(fls_builder *builder, fls_table table, uint32_t slot,
                                  int8_t value);
extern inline void fls_builder_i16(fls_builder *builder, fls_table table, uint32_t slot,
                                   int16_t value);
extern inline void fls_builder_i32(fls_builder *builder, fls_table table, uint32_t slot,
                                   int32_t value);
extern inline void fls_builder_i64(fls_builder *builder, fls_table table, uint32_t slot,
                                   int64_t value);
extern inline void fls_builder_bool(fls_builder *builder, fls_table table, uint32_t slot,
                                    int value);
extern inline void fls_builder_f32(fls_builder *builder, fls_table table, uint32_t slot,
                                   float value);
extern inline void fls_builder_f64(fls_builder *builder, fls_table table, uint32_t slot,
                                   double value);
extern inline fls_ref fls_builder_end(fls_builder *builder, fls_table table);
extern inline fls_status fls_builder_finish(fls_builder *builder, fls_ref root,
                                            const char *identifier, const void **data, size_t *size,
                                            fls_error *err);
extern inline void fls_store_u16(void *to, uint16_t value);
extern inline void fls_store_u32(void *to, uint32_t value);
extern inline void fls_store_u64(void *to, uint64_t value);

void flsi_builder_close_table(fls_builder *b)
{
    memset(b->placed, 0, b->used_slots * sizeof *b->placed);
    b->used_slots = 0;
    b->slots = 0;
    b->front.open = 0;
    b->has_structs = 0;
}

FLSI_NOINLINE void flsi_builder_fail(fls_builder *b, fls_status status, const char *why)
{
    flsi_builder_stop_repeating(b);
    if (b->status == FLS_OK) {
        b->status = status;
        b->why = why;
    }
    flsi_builder_close_table(b);
}

static int is_finished_table(const fls_builder *b, fls_ref ref)
{
    return (ref.position & (FLSI_REF_STRUCT | FLSI_REF_KIND_MASK)) == FLSI_REF_TABLE &&
           flsi_builder_has_finished(b, ref);
}

/* The next buffer starts; no table is open. */
static void start_over(fls_builder *b)
{
    b->cursor = b->end;
    b->alignments = 0;
    b->vtable_count = 0;
    b->is_learned = 0;
    b->status = FLS_OK;
    if ((b->strings.count | b->many_vtables.count) != 0) {
        flsi_builder_forget_shared(b);
    }
}

void fls_builder_reset(fls_builder *builder)
{
    fls_builder *b = builder;
    if (flsi_builder_repeats(b)) {
        b->front.last = FLS_BUILDER_AT_FINISH;
        b->front.open = 0;
        b->status = FLS_OK;
        return;
    }
    flsi_builder_close_table(b);
    start_over(b);
}

static uint32_t new_serial(fls_builder *b)
{
    uint32_t serial = b->front.serial + 1;
    serial += serial == 0;
    b->front.serial = serial;
    b->front.open = serial;
    return serial;
}

fls_table fls_builder_table_slow(fls_builder *builder, uint32_t field_count)
{
    fls_builder *b = builder;
    if (!flsi_builder_between_tables(b) ||
        (field_count > b->slot_capacity && !flsi_builder_grow_slots(b, field_count))) {
        return (fls_table){0};
    }
    b->slots = field_count;
    b->table_end = b->cursor;
    return (fls_table){new_serial(b)};
}

/* Room for a value of width bytes, with everything from it to the old cursor zero. */
FLSI_ALWAYS_INLINE uint8_t *push_zero(fls_builder *b, uint32_t width)
{
    static const uint8_t zeros[8];
    uint8_t *old = b->cursor;
    uint8_t *at = flsi_align_down(old - width, width);
    memcpy(old - width, zeros, width);
    b->cursor = at;
    b->alignments |= width;
    return at;
}

FLSI_ALWAYS_INLINE void store(uint8_t *at, uint64_t value, uint32_t width)
{
    switch (width) {
    case 1: *at = (uint8_t)value; break;
    case 2: flsi_store_le16(at, (uint16_t)value); break;
    case 4: flsi_store_le32(at, (uint32_t)value); break;
    default: flsi_store_le64(at, value); break;
    }
}

FLSI_ALWAYS_INLINE void note_place(fls_builder *b, uint32_t slot, const uint8_t *at, uint32_t what)
{
    /* Cut to 16 bits in a table that is too large, which its end refuses. */
    b->placed[slot] = what << 16 | (uint16_t)(b->table_end - at);
    if (slot >= b->used_slots) {
        b->used_slots = slot + 1;
    }
}

FLSI_ALWAYS_INLINE void push_field(fls_builder *b, uint32_t slot, uint64_t value, uint32_t width)
{
    uint8_t *at = push_zero(b, width);
    store(at, value, width);
    note_place(b, slot, at, width);
}

/* Says what is wrong with setting a slot, or makes room for it. */
static FLSI_NOINLINE int can_put(fls_builder *b, fls_table table, uint32_t slot)
{
    flsi_builder_stop_repeating(b);
    if (b->front.open == 0 || table.serial != b->front.open) {
        flsi_builder_misuse(b, "a field was set in a table that is not being built");
    } else if (slot >= b->slots) {
        flsi_builder_misuse(b, "a field was set in a slot that the table does not have");
    } else if (b->placed[slot] != 0) {
        flsi_builder_misuse(b, "a field was set twice");
    } else {
        return flsi_builder_ensure(b, 0);
    }
    return 0;
}

/* Whether there is nothing to be said against it. While no table is open, and while repeating,
 * slots is 0. */
FLSI_ALWAYS_INLINE int may_put(const fls_builder *b, fls_table table, uint32_t slot)
{
    return FLS_LIKELY(table.serial == b->front.open && slot < b->slots && b->placed[slot] == 0 &&
                      flsi_builder_room(b) >= FLSI_HEADROOM) != 0;
}

static FLSI_NOINLINE void put_checked(fls_builder *b, fls_table table, uint32_t slot,
                                      uint64_t value, uint32_t width)
{
    if (can_put(b, table, slot)) {
        push_field(b, slot, value, width);
    }
}

FLSI_ALWAYS_INLINE void put(fls_builder *b, fls_table table, uint32_t slot, uint64_t value,
                            uint32_t width)
{
    if (may_put(b, table, slot)) {
        push_field(b, slot, value, width);
    } else { /* a call in tail position: the road above has no registers to save */
        put_checked(b, table, slot, value, width);
    }
}

void fls_builder_u8_slow(fls_builder *builder, fls_table table, uint32_t slot, uint8_t value)
{
    put(builder, table, slot, value, 1);
}

void fls_builder_u16_slow(fls_builder *builder, fls_table table, uint32_t slot, uint16_t value)
{
    put(builder, table, slot, value, 2);
}

void fls_builder_u32_slow(fls_builder *builder, fls_table table, uint32_t slot, uint32_t value)
{
    put(builder, table, slot, value, 4);
}

void fls_builder_u64_slow(fls_builder *builder, fls_table table, uint32_t slot, uint64_t value)
{
    put(builder, table, slot, value, 8);
}

/* The slot can be set. */
FLSI_ALWAYS_INLINE void push_reference(fls_builder *b, uint32_t slot, fls_ref ref)
{
    if (!flsi_builder_has_finished(b, ref)) {
        flsi_builder_misuse(b, "a reference to something that is not in this buffer");
        return;
    }
    uint8_t *at = push_zero(b, 4);
    flsi_store_le32(at, flsi_builder_offset(b, at, ref));
    note_place(b, slot, at, FLSI_PLACED_REFERENCE);
}

void fls_builder_ref(fls_builder *builder, fls_table table, uint32_t slot, fls_ref ref)
{
    if (ref.position != 0 && (may_put(builder, table, slot) || can_put(builder, table, slot))) {
        push_reference(builder, slot, ref);
    }
}

void fls_builder_union(fls_builder *builder, fls_table table, uint32_t slot, uint8_t tag,
                       fls_ref value)
{
    fls_builder *b = builder;
    if (tag == 0) {
        return;
    }
    if (slot == 0 || value.position == 0) {
        flsi_builder_misuse(b, slot == 0 ? "a union in slot 0, which has none before it for its tag"
                                         : "a union with a tag and without a value");
        return;
    }
    if (may_put(b, table, slot) || can_put(b, table, slot)) {
        push_reference(b, slot, value);
        fls_builder_u8_slow(b, table, slot - 1, tag);
    }
}

void fls_builder_struct(fls_builder *builder, fls_table table, uint32_t slot, const void *bytes,
                        size_t size, uint32_t alignment)
{
    fls_builder *b = builder;
    if (!may_put(b, table, slot) && !can_put(b, table, slot)) {
        return;
    }
    uint8_t *at = flsi_builder_push_struct(b, bytes, size, alignment);
    if (at != NULL) {
        note_place(b, slot, at, FLSI_PLACED_STRUCT);
        b->has_structs = 1;
    }
}

/* Two vtables of the same size, which is 4 at the least: short ones mostly, which memcmp would be
 * called for. */
static int is_same_vtable(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    size_t at = 0;
    for (; bytes - at >= 8; at += 8) {
        if (flsi_load_le64(a + at) != flsi_load_le64(b + at)) {
            return 0;
        }
    }
    for (; at < bytes; at += 2) {
        if (flsi_load_le16(a + at) != flsi_load_le16(b + at)) {
            return 0;
        }
    }
    return 1;
}

/* The position of a vtable equal to this one, 0 when there is none among the few. All of them
 * differ, so the order of the search does not show; the newest is the likeliest. */
static FLSI_NOINLINE uint32_t find_vtable(const fls_builder *b, const uint8_t *vtable)
{
    uint32_t head = flsi_load_le32(vtable);
    for (uint32_t i = b->vtable_count; i-- > 0;) {
        const uint8_t *other = b->end - b->vtables[i];
        if (flsi_load_le32(other) == head && is_same_vtable(other, vtable, head & UINT16_MAX)) {
            return b->vtables[i];
        }
    }
    return 0;
}

/* Writes the vtable of the open table below `table`, and closes the table. */
FLSI_ALWAYS_INLINE uint8_t *write_vtable(fls_builder *b, uint8_t *table, uint32_t table_bytes)
{
    uint32_t count = b->used_slots;
    uint8_t *vtable = table - 4 - 2 * (size_t)count;
    uint32_t *placed = b->placed;
    flsi_store_le32(vtable, (4 + 2 * count) | table_bytes << 16);
    for (size_t i = 0; i < count; i++) {
        uint32_t offset = table_bytes - placed[i]; /* but for what is above 16 bits */
        flsi_store_le16(vtable + 4 + 2 * i, (uint16_t)(placed[i] == 0 ? 0 : offset));
        placed[i] = 0;
    }
    b->used_slots = 0;
    b->slots = 0;
    b->front.open = 0;
    b->has_structs = 0;
    return vtable;
}

static int is_worth_learning(const fls_builder *b)
{
    return b->table_end == b->end && b->used_slots <= FLSI_FEW_SLOTS && b->patience == 0 &&
           !b->has_structs;
}

/* With the vtable's bytes and FLSI_HEADROOM there. */
static fls_ref end_table(fls_builder *b)
{
    uint8_t *at = push_zero(b, 4);
    fls_ref ref = flsi_builder_refer(b, at, FLSI_REF_TABLE);
    size_t table_bytes = (size_t)(b->table_end - at);
    if (FLSI_UNLIKELY(table_bytes > UINT16_MAX)) {
        flsi_builder_misuse(b, "a table of more than 65535 bytes");
        return (fls_ref){0};
    }
    int is_learned = is_worth_learning(b);
    if (is_learned) {
        flsi_builder_learn(b);
    }
    uint8_t *vtable = write_vtable(b, at, (uint32_t)table_bytes);
    uint32_t position = b->vtable_count == 0 ? 0 : find_vtable(b, vtable);
    if (position == 0) {
        uint32_t own = flsi_builder_position(b, vtable);
        if (FLSI_UNLIKELY(b->vtable_count == FLSI_FEW_VTABLES || b->many_vtables.count != 0)) {
            position = flsi_builder_share_vtable(b, vtable);
        } else {
            position = own;
            b->vtables[b->vtable_count++] = own;
        }
        if (position == 0) {
            return (fls_ref){0};
        }
        b->cursor = position == own ? vtable : b->cursor;
    }
    if (is_learned) {
        b->front.table = ref.position;
        b->memo.cursor = b->cursor;
    }
    flsi_store_le32(at, position - flsi_builder_position(b, at));
    return ref;
}

fls_ref fls_builder_end_slow(fls_builder *builder, fls_table table)
{
    fls_builder *b = builder;
    flsi_builder_stop_repeating(b);
    if (b->front.open == 0 || table.serial != b->front.open) {
        flsi_builder_misuse(b, "a table was ended that is not being built");
        return (fls_ref){0};
    }
    if (!flsi_builder_ensure(b, 4 + 2 * (size_t)b->used_slots)) {
        return (fls_ref){0};
    }
    return end_table(b);
}

/* The status is FLS_OK, the root is a table, and there is room for the largest alignment. */
static uint8_t *push_root(fls_builder *b, fls_ref root, const char *identifier)
{
    uint32_t alignment = 4;
    while (b->alignments >= 2 * alignment) {
        alignment *= 2;
    }
    uint8_t *start = flsi_align_down(b->cursor - (identifier != NULL ? 8 : 4), alignment);
    if (FLS_LIKELY(alignment <= 8)) {
        flsi_store_le64(b->cursor - 8, 0);
        flsi_store_le64(b->cursor - 16, 0);
    } else {
        memset(start, 0, (size_t)(b->cursor - start));
    }
    if (identifier != NULL) {
        memcpy(start + 4, identifier, 4);
    }
    flsi_store_le32(start, flsi_builder_offset(b, start, root));
    return start;
}

fls_status fls_builder_finish_slow(fls_builder *builder, fls_ref root, const char *identifier,
                                   const void **data, size_t *size, fls_error *err)
{
    fls_builder *b = builder;
    flsi_builder_stop_repeating(b);
    if (b->front.open != 0) {
        flsi_builder_misuse(b, "a buffer was finished inside a table");
    } else if (!is_finished_table(b, root)) {
        flsi_builder_misuse(b, "a buffer was finished without a root table");
    }
    if (b->status != FLS_OK || !flsi_builder_ensure(b, FLSI_BLOCK_ALIGN)) {
        fls_status status = fls_error_set(err, b->status, 0, b->why != NULL ? b->why : b->reason);
        start_over(b);
        *data = NULL;
        *size = 0;
        return status;
    }
    uint8_t *start = push_root(b, root, identifier);
    *data = start;
    *size = flsi_builder_position(b, start);
    if (b->patience != 0) {
        b->patience--;
    } else if (b->is_learned) {
        flsi_builder_expect(b, root, identifier != NULL, start);
    }
    start_over(b);
    return FLS_OK;
}
