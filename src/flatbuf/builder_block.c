/* The builder's memory: one block that is filled from its end downwards, and beside it the slots of
 * the open table, which have room in the object itself while they are few, and what is shared.
 */
#include "flatbuf/builder_private.h"

#define FIRST_CAPACITY 1024u

static void *take(const fls_builder *b, size_t bytes)
{
    return b->allocator->resize(b->allocator->self, NULL, 0, bytes);
}

static void give(const fls_builder *b, void *memory, size_t bytes)
{
    b->allocator->free(b->allocator->self, memory, bytes);
}

static void set_block(fls_builder *b, uint8_t *block, size_t bytes)
{
    b->base = block;
    b->block_bytes = bytes;
    b->end = flsi_align_down(block + bytes, FLSI_BLOCK_ALIGN);
}

FLSI_NOINLINE int flsi_builder_grow(fls_builder *b, size_t bytes)
{
    size_t used = (size_t)(b->end - b->cursor);
    size_t beside = FLSI_HEADROOM + FLSI_BLOCK_ALIGN; /* that the end may have to move down by */
    if (used > FLSI_MOST_BYTES - beside || bytes > FLSI_MOST_BYTES - beside - used) {
        flsi_builder_fail(b, FLS_INVALID_ARGUMENT, "message of 2^31 bytes or more");
        return 0;
    }
    size_t needed = used + bytes + beside;
    size_t capacity = b->block_bytes > FLSI_MOST_BYTES / 2 ? FLSI_MOST_BYTES : 2 * b->block_bytes;
    if (capacity < needed) {
        capacity = needed;
    }
    capacity = (capacity + FLSI_BLOCK_ALIGN - 1) & ~(size_t)(FLSI_BLOCK_ALIGN - 1);
    uint8_t *block = take(b, capacity);
    if (block == NULL) {
        flsi_builder_fail(b, FLS_NO_MEMORY, "out of memory for a message being built");
        return 0;
    }
    uint8_t *old = b->base;
    size_t old_bytes = b->block_bytes;
    const uint8_t *old_cursor = b->cursor;
    size_t table_used = b->front.open != 0 ? (size_t)(b->end - b->table_end) : 0;
    set_block(b, block, capacity);
    b->cursor = b->end - used;
    b->table_end = b->end - table_used;
    b->is_learned = 0; /* what was noted points into the old block */
    memcpy(b->cursor, old_cursor, used);
    give(b, old, old_bytes);
    return 1;
}

/* Nothing in the old array is needed: between tables all of it is zero. */
FLSI_NOINLINE int flsi_builder_grow_slots(fls_builder *b, uint32_t count)
{
    if (count > FLSI_MOST_SLOTS) {
        flsi_builder_fail(b, FLS_INVALID_ARGUMENT, "a table with more than 32765 slots");
        return 0;
    }
    uint32_t capacity = (count + 63) & ~63u;
    uint32_t *placed = take(b, capacity * sizeof *placed);
    if (placed == NULL) {
        flsi_builder_fail(b, FLS_NO_MEMORY, "out of memory for a table's slots");
        return 0;
    }
    memset(placed, 0, capacity * sizeof *placed);
    if (b->placed != b->few_placed) {
        give(b, b->placed, b->slot_capacity * sizeof *b->placed);
    }
    b->placed = placed;
    b->slot_capacity = capacity;
    return 1;
}

static void drop_set(const fls_builder *b, flsi_shared_set *set)
{
    if (set->places != NULL) {
        give(b, set->places, set->capacity * sizeof *set->places);
        *set = (flsi_shared_set){0};
    }
}

static void drop_side_arrays(fls_builder *b)
{
    if (b->placed != b->few_placed) {
        give(b, b->placed, b->slot_capacity * sizeof *b->placed);
        b->placed = b->few_placed;
        b->slot_capacity = FLSI_FEW_SLOTS;
    }
    drop_set(b, &b->strings);
    drop_set(b, &b->many_vtables);
}

fls_status fls_builder_new(fls_builder **builder, const fls_allocator *allocator, fls_error *err)
{
    const fls_allocator *from = allocator != NULL ? allocator : fls_allocator_libc();
    *builder = NULL;
    fls_builder *b = from->resize(from->self, NULL, 0, sizeof *b);
    if (b == NULL) {
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a builder");
    }
    memset(b, 0, sizeof *b);
    b->allocator = from;
    uint8_t *block = take(b, FIRST_CAPACITY);
    if (block == NULL) {
        give(b, b, sizeof *b);
        return fls_error_set(err, FLS_NO_MEMORY, 0, "out of memory for a builder");
    }
    b->front.last = FLSI_LAST_NONE;
    b->message = 1;
    b->placed = b->few_placed;
    b->slot_capacity = FLSI_FEW_SLOTS;
    set_block(b, block, FIRST_CAPACITY);
    b->cursor = b->end;
    *builder = b;
    return FLS_OK;
}

void fls_builder_free(fls_builder *builder)
{
    if (builder != NULL) {
        const fls_allocator *from = builder->allocator;
        drop_side_arrays(builder);
        give(builder, builder->base, builder->block_bytes);
        from->free(from->self, builder, sizeof *builder);
    }
}

size_t fls_builder_capacity(const fls_builder *builder)
{
    size_t side = 0;
    if (builder->placed != builder->few_placed) {
        side += builder->slot_capacity * sizeof *builder->placed;
    }
    side += builder->strings.capacity * sizeof *builder->strings.places;
    side += builder->many_vtables.capacity * sizeof *builder->many_vtables.places;
    return builder->block_bytes + side;
}

void fls_builder_shrink(fls_builder *builder, size_t capacity)
{
    fls_builder *b = builder;
    if (fls_builder_capacity(b) <= capacity) {
        return;
    }
    if (flsi_builder_repeats(b)) {
        flsi_builder_diverge(b);
    }
    if (b->cursor != b->end || b->front.open != 0) {
        return;
    }
    drop_side_arrays(b);
    size_t bytes = capacity & ~(size_t)(FLSI_BLOCK_ALIGN - 1);
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
