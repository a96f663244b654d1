/* Building FlatBuffers without generated code, byte for byte as the official C++ builder does for
 * the same calls with force_defaults.
 *
 * The block is filled from its end downwards. `cursor` is the lowest byte written; every position
 * and every alignment counts from the block's end, which is 16-byte aligned, so that aligning the
 * cursor's address is aligning the position, and the finished bytes start as aligned as they ask
 * for.
 *
 *   table    [soffset to vtable i32][fields, the last one set first, each aligned to its size]
 *   vtable   [its bytes u16][table's bytes u16][field 0's offset u16] ... [last field set]
 *   string   [size u32][bytes][0]
 *   vector   [count u32][elements]
 *   buffer   [offset of the root table u32][identifier, if any][zeros][everything else]
 *
 * 1. A field is written at the call that sets it: zeros down to its alignment, then the value.
 * 2. The end of a table writes the soffset, then the vtable, trimmed behind the last slot set. If
 * an equal vtable stands in the buffer already, that one is used and the new one taken back.
 * 3. A string's terminator and a vector's last byte lie right below the padding that makes the size
 *    or count in front fall on 4 bytes, and the elements on their own size. An empty vector aligns
 *    its count only.
 * 4. The buffer's start is aligned to the largest alignment that anything in it asked for.
 * 5. Zeros are written over the whole of a value's width before the value itself: whatever padding
 *    lies between is then zero, without a branch. HEADROOM bytes are always there for it.
 */
#include "flatstream/builder.h"

#include "core/bytes.h"

#define HEADROOM       16u
#define BLOCK_ALIGN    16u
#define FIRST_CAPACITY 1024u

/* Positions are below 2^31, so that an soffset reaches from one end to the other. */
#define MOST_BYTES ((size_t)0x7FFFFFF0u)

/* With one slot more the vtable's own size would not fit its 16 bits. */
#define MOST_SLOTS 32765u

#define FEW_SLOTS   32u
#define FEW_VTABLES 16u

/* What a reference refers to, in the two low bits of its position, which is a multiple of 4. */
enum { KIND_TABLE = 1, KIND_STRING = 2, KIND_VECTOR = 3, KIND_MASK = 3 };

struct fls_builder {
    uint8_t *cursor;
    uint8_t *base;    /* of the block */
    uint16_t *placed; /* for each slot of the open table: bytes from it to table_end; 0 is unset */
    uint8_t *table_end;  /* where the cursor stood when the open table was started */
    uint32_t open;       /* serial of the open table; 0 when there is none */
    uint32_t slots;      /* that the open table has */
    uint32_t used_slots; /* 1 + the highest slot set; everything in placed from here on is 0 */
    uint32_t alignments; /* all that were asked for, or-ed together */
    uint8_t *end;        /* of the block */
    uint32_t *vtables;   /* positions of all in the buffer, in the order they were written */
    uint32_t vtable_count;
    uint32_t vtable_capacity;
    uint32_t slot_capacity;
    uint32_t serial; /* of the last table started */
    fls_status status;
    const char *why; /* of a status that is not FLS_OK */
    size_t block_bytes;
    const fls_allocator *allocator;
    uint16_t few_placed[FEW_SLOTS];
    uint32_t few_vtables[FEW_VTABLES];
};

static uint8_t *align_down(uint8_t *at, uintptr_t alignment)
{
    return at - ((uintptr_t)at & (alignment - 1));
}

static size_t room_of(const fls_builder *b)
{
    return (size_t)(b->cursor - b->base);
}

static uint32_t position_of(const fls_builder *b, const uint8_t *at)
{
    return (uint32_t)(b->end - at);
}

static void close_table(fls_builder *b)
{
    memset(b->placed, 0, b->used_slots * sizeof *b->placed);
    b->used_slots = 0;
    b->slots = 0;
    b->open = 0;
}

/* The first failure stays; what follows does nothing until it was reported. */
static FLSI_NOINLINE void fail(fls_builder *b, fls_status status, const char *why)
{
    if (b->status == FLS_OK) {
        b->status = status;
        b->why = why;
    }
    close_table(b);
}

static void set_block(fls_builder *b, uint8_t *block, size_t bytes)
{
    b->base = block;
    b->block_bytes = bytes;
    b->end = align_down(block + bytes, BLOCK_ALIGN);
}

/* Makes room for `bytes` and HEADROOM. */
static FLSI_NOINLINE int grow(fls_builder *b, size_t bytes)
{
    size_t used = (size_t)(b->end - b->cursor);
    if (bytes > MOST_BYTES - 2 * HEADROOM - used) {
        fail(b, FLS_INVALID_ARGUMENT, "message of 2^31 bytes or more");
        return 0;
    }
    size_t needed = used + bytes + 2 * HEADROOM;
    size_t capacity = b->block_bytes > MOST_BYTES / 2 ? MOST_BYTES : 2 * b->block_bytes;
    if (capacity < needed) {
        capacity = needed;
    }
    capacity = (capacity + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
    uint8_t *block = b->allocator->resize(b->allocator->self, NULL, 0, capacity);
    if (block == NULL) {
        fail(b, FLS_NO_MEMORY, "out of memory for a message being built");
        return 0;
    }
    uint8_t *old = b->base;
    size_t old_bytes = b->block_bytes;
    const uint8_t *old_cursor = b->cursor;
    size_t table_used = b->open != 0 ? (size_t)(b->end - b->table_end) : 0;
    set_block(b, block, capacity);
    b->cursor = b->end - used;
    b->table_end = b->end - table_used;
    memcpy(b->cursor, old_cursor, used);
    b->allocator->free(b->allocator->self, old, old_bytes);
    return 1;
}

static int ensure(fls_builder *b, size_t bytes)
{
    return FLS_LIKELY(room_of(b) >= HEADROOM && room_of(b) - HEADROOM >= bytes) || grow(b, bytes);
}

/* Strings and vectors, and new tables, only between tables. */
static int between_tables(fls_builder *b)
{
    if (FLS_LIKELY(b->status == FLS_OK && b->open == 0)) {
        return 1;
    }
    fail(b, FLS_INVALID_ARGUMENT, "a string, vector or table was started inside a table");
    return 0;
}

static int is_finished_object(const fls_builder *b, fls_ref ref)
{
    return (ref.position & KIND_MASK) != 0 &&
           (ref.position & ~(uint32_t)KIND_MASK) <= position_of(b, b->cursor);
}

static int is_finished_table(const fls_builder *b, fls_ref ref)
{
    return (ref.position & KIND_MASK) == KIND_TABLE && is_finished_object(b, ref);
}

static fls_ref refer_to(const fls_builder *b, const uint8_t *object, uint32_t kind)
{
    return (fls_ref){position_of(b, object) | kind};
}

fls_status fls_builder_new(fls_builder **builder, const fls_allocator *allocator, fls_error *err)
{
    const fls_allocator *from = allocator != NULL ? allocator : fls_allocator_libc();
    *builder = NULL;
    fls_builder *b = from->resize(from->self, NULL, 0, sizeof *b);
    if (b == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a builder");
    }
    uint8_t *block = from->resize(from->self, NULL, 0, FIRST_CAPACITY);
    if (block == NULL) {
        from->free(from->self, b, sizeof *b);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a builder");
    }
    memset(b, 0, sizeof *b);
    b->allocator = from;
    b->placed = b->few_placed;
    b->slot_capacity = FEW_SLOTS;
    b->vtables = b->few_vtables;
    b->vtable_capacity = FEW_VTABLES;
    set_block(b, block, FIRST_CAPACITY);
    b->cursor = b->end;
    *builder = b;
    return FLS_OK;
}

static void drop_side_arrays(fls_builder *b)
{
    if (b->placed != b->few_placed) {
        b->allocator->free(b->allocator->self, b->placed, b->slot_capacity * sizeof *b->placed);
        b->placed = b->few_placed;
        b->slot_capacity = FEW_SLOTS;
    }
    if (b->vtables != b->few_vtables) {
        b->allocator->free(b->allocator->self, b->vtables, b->vtable_capacity * sizeof *b->vtables);
        b->vtables = b->few_vtables;
        b->vtable_capacity = FEW_VTABLES;
    }
}

void fls_builder_free(fls_builder *builder)
{
    if (builder != NULL) {
        const fls_allocator *from = builder->allocator;
        drop_side_arrays(builder);
        from->free(from->self, builder->base, builder->block_bytes);
        from->free(from->self, builder, sizeof *builder);
    }
}

/* The next buffer starts; no table is open. */
static void start_over(fls_builder *b)
{
    b->cursor = b->end;
    b->alignments = 0;
    b->vtable_count = 0;
    b->status = FLS_OK;
}

void fls_builder_reset(fls_builder *builder)
{
    close_table(builder);
    start_over(builder);
}

static int ensure_slots(fls_builder *b, uint32_t count)
{
    if (count <= b->slot_capacity) {
        return 1;
    }
    if (count > MOST_SLOTS) {
        fail(b, FLS_INVALID_ARGUMENT, "a table with more than 32765 slots");
        return 0;
    }
    /* Nothing in the old array is needed: between tables all of it is zero. */
    uint32_t capacity = (count + 63) & ~63u;
    uint16_t *placed = b->allocator->resize(b->allocator->self, NULL, 0, capacity * sizeof *placed);
    if (placed == NULL) {
        fail(b, FLS_NO_MEMORY, "out of memory for a table's slots");
        return 0;
    }
    memset(placed, 0, capacity * sizeof *placed);
    if (b->placed != b->few_placed) {
        b->allocator->free(b->allocator->self, b->placed, b->slot_capacity * sizeof *b->placed);
    }
    b->placed = placed;
    b->slot_capacity = capacity;
    return 1;
}

FLSI_ALWAYS_INLINE fls_table open_table(fls_builder *b, uint32_t field_count)
{
    uint32_t serial = b->serial + 1;
    serial += serial == 0;
    b->serial = serial;
    b->open = serial;
    b->slots = field_count;
    b->table_end = b->cursor;
    return (fls_table){serial};
}

static FLSI_NOINLINE fls_table table_slow(fls_builder *b, uint32_t field_count)
{
    if (!between_tables(b) || !ensure_slots(b, field_count)) {
        return (fls_table){0};
    }
    return open_table(b, field_count);
}

fls_table fls_builder_table(fls_builder *builder, uint32_t field_count)
{
    fls_builder *b = builder;
    if (FLS_LIKELY(b->status == FLS_OK && b->open == 0 && field_count <= b->slot_capacity)) {
        return open_table(b, field_count);
    }
    return table_slow(b, field_count);
}

/* Room for a value of width bytes, with everything from it to the old cursor zero. */
FLSI_ALWAYS_INLINE uint8_t *push_zero(fls_builder *b, uint32_t width)
{
    static const uint8_t zeros[8];
    uint8_t *old = b->cursor;
    uint8_t *at = align_down(old - width, width);
    memcpy(old - width, zeros, width);
    b->cursor = at;
    b->alignments |= width;
    return at;
}

FLSI_ALWAYS_INLINE void push_field(fls_builder *b, uint32_t slot, uint64_t value, uint32_t width)
{
    uint8_t *at = push_zero(b, width);
    switch (width) {
    case 1: *at = (uint8_t)value; break;
    case 2: flsi_store_le16(at, (uint16_t)value); break;
    case 4: flsi_store_le32(at, (uint32_t)value); break;
    default: flsi_store_le64(at, value); break;
    }
    /* Cut to 16 bits in a table that is too large, which its end refuses. */
    b->placed[slot] = (uint16_t)(b->table_end - at);
    if (slot >= b->used_slots) {
        b->used_slots = slot + 1;
    }
}

/* Says what is wrong with setting a slot, or makes room for it. */
static int can_put(fls_builder *b, fls_table table, uint32_t slot)
{
    if (b->open == 0 || table.serial != b->open) {
        fail(b, FLS_INVALID_ARGUMENT, "a field was set in a table that is not being built");
    } else if (slot >= b->slots) {
        fail(b, FLS_INVALID_ARGUMENT, "a field was set in a slot that the table does not have");
    } else if (b->placed[slot] != 0) {
        fail(b, FLS_INVALID_ARGUMENT, "a field was set twice");
    } else {
        return ensure(b, 0);
    }
    return 0;
}

static FLSI_NOINLINE void put_slow(fls_builder *b, fls_table table, uint32_t slot, uint64_t value,
                                   uint32_t width)
{
    if (can_put(b, table, slot)) {
        push_field(b, slot, value, width);
    }
}

/* While no table is open, slots is 0. */
FLSI_ALWAYS_INLINE void put(fls_builder *b, fls_table table, uint32_t slot, uint64_t value,
                            uint32_t width)
{
    if (FLS_LIKELY(table.serial == b->open && slot < b->slots && b->placed[slot] == 0 &&
                   room_of(b) >= HEADROOM)) {
        push_field(b, slot, value, width);
    } else {
        put_slow(b, table, slot, value, width);
    }
}

void fls_builder_u8(fls_builder *builder, fls_table table, uint32_t slot, uint8_t value)
{
    put(builder, table, slot, value, 1);
}

void fls_builder_u16(fls_builder *builder, fls_table table, uint32_t slot, uint16_t value)
{
    put(builder, table, slot, value, 2);
}

void fls_builder_u32(fls_builder *builder, fls_table table, uint32_t slot, uint32_t value)
{
    put(builder, table, slot, value, 4);
}

void fls_builder_u64(fls_builder *builder, fls_table table, uint32_t slot, uint64_t value)
{
    put(builder, table, slot, value, 8);
}

void fls_builder_bool(fls_builder *builder, fls_table table, uint32_t slot, int value)
{
    fls_builder_u8(builder, table, slot, value != 0);
}

void fls_builder_i8(fls_builder *builder, fls_table table, uint32_t slot, int8_t value)
{
    fls_builder_u8(builder, table, slot, (uint8_t)value);
}

void fls_builder_i16(fls_builder *builder, fls_table table, uint32_t slot, int16_t value)
{
    fls_builder_u16(builder, table, slot, (uint16_t)value);
}

void fls_builder_i32(fls_builder *builder, fls_table table, uint32_t slot, int32_t value)
{
    fls_builder_u32(builder, table, slot, (uint32_t)value);
}

void fls_builder_i64(fls_builder *builder, fls_table table, uint32_t slot, int64_t value)
{
    fls_builder_u64(builder, table, slot, (uint64_t)value);
}

void fls_builder_f32(fls_builder *builder, fls_table table, uint32_t slot, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_builder_u32(builder, table, slot, bits);
}

void fls_builder_f64(fls_builder *builder, fls_table table, uint32_t slot, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fls_builder_u64(builder, table, slot, bits);
}

/* The value of a reference that stands at `at`. */
static uint32_t offset_from(const fls_builder *b, const uint8_t *at, fls_ref ref)
{
    return position_of(b, at) - (ref.position & ~(uint32_t)KIND_MASK);
}

void fls_builder_ref(fls_builder *builder, fls_table table, uint32_t slot, fls_ref ref)
{
    fls_builder *b = builder;
    if (ref.position == 0 || !can_put(b, table, slot)) {
        return;
    }
    if (!is_finished_object(b, ref)) {
        fail(b, FLS_INVALID_ARGUMENT, "a reference to something that is not in this buffer");
        return;
    }
    push_field(b, slot, offset_from(b, align_down(b->cursor - 4, 4), ref), 4);
}

static FLSI_NOINLINE int remember_vtable_slow(fls_builder *b, uint32_t position)
{
    uint32_t capacity = 2 * b->vtable_capacity;
    int is_few = b->vtables == b->few_vtables;
    uint32_t *grown = b->allocator->resize(b->allocator->self, is_few ? NULL : b->vtables,
                                           is_few ? 0 : b->vtable_count * sizeof *grown,
                                           capacity * sizeof *grown);
    if (grown == NULL) {
        fail(b, FLS_NO_MEMORY, "out of memory for a message's vtables");
        return 0;
    }
    if (is_few) {
        memcpy(grown, b->few_vtables, sizeof b->few_vtables);
    }
    b->vtables = grown;
    b->vtable_capacity = capacity;
    b->vtables[b->vtable_count++] = position;
    return 1;
}

static int remember_vtable(fls_builder *b, uint32_t position)
{
    if (FLSI_UNLIKELY(b->vtable_count == b->vtable_capacity)) {
        return remember_vtable_slow(b, position);
    }
    b->vtables[b->vtable_count++] = position;
    return 1;
}

/* The position of a vtable equal to this one, 0 when there is none. All in the list differ, so the
 * order of the search does not show; the newest is the likeliest. */
static FLSI_NOINLINE uint32_t find_vtable(const fls_builder *b, const uint8_t *vtable)
{
    uint32_t head = flsi_load_le32(vtable);
    for (uint32_t i = b->vtable_count; i-- > 0;) {
        const uint8_t *other = b->end - b->vtables[i];
        if (flsi_load_le32(other) == head && memcmp(other, vtable, flsi_load_le16(vtable)) == 0) {
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
    uint16_t *placed = b->placed;
    flsi_store_le32(vtable, (4 + 2 * count) | table_bytes << 16);
    for (size_t i = 0; i < count; i++) {
        uint32_t from_end = placed[i];
        uint32_t offset = table_bytes - from_end;
        flsi_store_le16(vtable + 4 + 2 * i, (uint16_t)(from_end == 0 ? 0 : offset));
        placed[i] = 0;
    }
    b->used_slots = 0;
    b->slots = 0;
    b->open = 0;
    return vtable;
}

/* With the vtable's bytes and HEADROOM there. */
FLSI_ALWAYS_INLINE fls_ref end_table(fls_builder *b)
{
    uint8_t *at = push_zero(b, 4);
    size_t table_bytes = (size_t)(b->table_end - at);
    if (FLSI_UNLIKELY(table_bytes > UINT16_MAX)) {
        fail(b, FLS_INVALID_ARGUMENT, "a table of more than 65535 bytes");
        return (fls_ref){0};
    }
    uint8_t *vtable = write_vtable(b, at, (uint32_t)table_bytes);
    uint32_t position = b->vtable_count == 0 ? 0 : find_vtable(b, vtable);
    if (position == 0) {
        position = position_of(b, vtable);
        if (FLSI_UNLIKELY(!remember_vtable(b, position))) {
            return (fls_ref){0};
        }
        b->cursor = vtable;
    }
    flsi_store_le32(at, position - position_of(b, at));
    return refer_to(b, at, KIND_TABLE);
}

static FLSI_NOINLINE fls_ref end_slow(fls_builder *b, fls_table table)
{
    if (b->open == 0 || table.serial != b->open) {
        fail(b, FLS_INVALID_ARGUMENT, "a table was ended that is not being built");
        return (fls_ref){0};
    }
    if (!ensure(b, 4 + 2 * (size_t)b->used_slots)) {
        return (fls_ref){0};
    }
    return end_table(b);
}

fls_ref fls_builder_end(fls_builder *builder, fls_table table)
{
    fls_builder *b = builder;
    if (FLS_LIKELY(table.serial == b->open && b->open != 0 &&
                   room_of(b) >= HEADROOM + 4 + 2 * (size_t)b->used_slots)) {
        return end_table(b);
    }
    return end_slow(b, table);
}

fls_ref fls_builder_string(fls_builder *builder, const char *text, size_t size)
{
    fls_builder *b = builder;
    if (!between_tables(b) || !ensure(b, size <= MOST_BYTES ? size : MOST_BYTES)) {
        return (fls_ref){0};
    }
    uint8_t *content = align_down(b->cursor - size - 1, 4);
    flsi_store_le32(b->cursor - 4, 0);
    if (size != 0) {
        memcpy(content, text, size);
    }
    b->cursor = content - 4;
    flsi_store_le32(b->cursor, (uint32_t)size);
    b->alignments |= 4;
    return refer_to(b, b->cursor, KIND_STRING);
}

/* Makes room for a vector and writes its count; *content is where its elements belong. Not 0 on
 * success. */
static int push_vector(fls_builder *b, size_t count, uint32_t element_bytes, uint8_t **content)
{
    if (!between_tables(b)) {
        return 0;
    }
    if (!ensure(b, count <= MOST_BYTES / element_bytes ? count * element_bytes : MOST_BYTES)) {
        return 0;
    }
    uint32_t alignment = count != 0 && element_bytes > 4 ? element_bytes : 4;
    flsi_store_le64(b->cursor - 8, 0);
    *content = align_down(b->cursor - count * element_bytes, alignment);
    b->cursor = *content - 4;
    flsi_store_le32(b->cursor, (uint32_t)count);
    b->alignments |= alignment | 4;
    return 1;
}

static void copy_elements(uint8_t *to, const uint8_t *from, size_t count, uint32_t element_bytes)
{
    if (element_bytes == 1 || FLSI_LE16(UINT16_C(1)) == 1) {
        memcpy(to, from, count * element_bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < element_bytes; k++) {
            to[i * element_bytes + k] = from[i * element_bytes + (element_bytes - 1 - k)];
        }
    }
}

fls_ref fls_builder_vector(fls_builder *builder, const void *elements, size_t count,
                           uint32_t element_bytes)
{
    fls_builder *b = builder;
    uint8_t *content;
    if (element_bytes == 0 || element_bytes > 8 || (element_bytes & (element_bytes - 1)) != 0) {
        fail(b, FLS_INVALID_ARGUMENT, "a vector whose elements are not of 1, 2, 4 or 8 bytes");
        return (fls_ref){0};
    }
    if (!push_vector(b, count, element_bytes, &content)) {
        return (fls_ref){0};
    }
    if (count != 0) {
        copy_elements(content, elements, count, element_bytes);
    }
    return refer_to(b, b->cursor, KIND_VECTOR);
}

fls_ref fls_builder_ref_vector(fls_builder *builder, const fls_ref *refs, size_t count)
{
    fls_builder *b = builder;
    uint8_t *content;
    for (size_t i = 0; i < count && b->status == FLS_OK; i++) {
        if (!is_finished_object(b, refs[i])) {
            fail(b, FLS_INVALID_ARGUMENT, "a reference to something that is not in this buffer");
        }
    }
    if (!push_vector(b, count, 4, &content)) {
        return (fls_ref){0};
    }
    for (size_t i = 0; i < count; i++) {
        flsi_store_le32(content + 4 * i, offset_from(b, content + 4 * i, refs[i]));
    }
    return refer_to(b, b->cursor, KIND_VECTOR);
}

/* With HEADROOM there and a root table that was finished. */
FLSI_ALWAYS_INLINE void finish(fls_builder *b, fls_ref root, const char *identifier,
                               const void **data, size_t *size)
{
    uint32_t alignment = (b->alignments & 8) != 0 ? 8 : 4;
    flsi_store_le64(b->cursor - 8, 0);
    uint8_t *start = align_down(b->cursor - (identifier != NULL ? 8 : 4), alignment);
    if (identifier != NULL) {
        memcpy(start + 4, identifier, 4);
    }
    flsi_store_le32(start, offset_from(b, start, root));
    *data = start;
    *size = position_of(b, start);
    start_over(b);
}

static FLSI_NOINLINE fls_status finish_slow(fls_builder *b, fls_ref root, const char *identifier,
                                            const void **data, size_t *size, fls_error *err)
{
    if (b->open != 0) {
        fail(b, FLS_INVALID_ARGUMENT, "a buffer was finished inside a table");
    } else if (!is_finished_table(b, root)) {
        fail(b, FLS_INVALID_ARGUMENT, "a buffer was finished without a root table");
    }
    if (b->status == FLS_OK && ensure(b, 0)) {
        finish(b, root, identifier, data, size);
        return FLS_OK;
    }
    fls_status status = fls_error_set(err, b->status, 0, b->why);
    start_over(b);
    *data = NULL;
    *size = 0;
    return status;
}

fls_status fls_builder_finish(fls_builder *builder, fls_ref root, const char *identifier,
                              const void **data, size_t *size, fls_error *err)
{
    fls_builder *b = builder;
    if (FLS_LIKELY(b->status == FLS_OK && b->open == 0 && is_finished_table(b, root) &&
                   room_of(b) >= HEADROOM)) {
        finish(b, root, identifier, data, size);
        return FLS_OK;
    }
    return finish_slow(b, root, identifier, data, size, err);
}

size_t fls_builder_capacity(const fls_builder *builder)
{
    size_t side = 0;
    if (builder->placed != builder->few_placed) {
        side += builder->slot_capacity * sizeof *builder->placed;
    }
    if (builder->vtables != builder->few_vtables) {
        side += builder->vtable_capacity * sizeof *builder->vtables;
    }
    return builder->block_bytes + side;
}

void fls_builder_shrink(fls_builder *builder, size_t capacity)
{
    fls_builder *b = builder;
    if (b->cursor != b->end || b->open != 0 || fls_builder_capacity(b) <= capacity) {
        return;
    }
    drop_side_arrays(b);
    size_t bytes = capacity & ~(size_t)(BLOCK_ALIGN - 1);
    if (bytes < FIRST_CAPACITY) {
        bytes = FIRST_CAPACITY;
    }
    if (b->block_bytes <= bytes) {
        return;
    }
    uint8_t *block = b->allocator->resize(b->allocator->self, b->base, b->block_bytes, bytes);
    if (block != NULL) {
        set_block(b, block, bytes);
        b->cursor = b->end;
    }
}
