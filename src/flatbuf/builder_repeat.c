/* Recognising a message that is made by the same calls as the one before, but for the values.
 *
 * Streams are long runs of such messages, and the last one still lies in the block: its vtable,
 * offsets and padding are what the next one needs. So the calls that made a message of one table of
 * scalars are noted, each with the call before it and the place where it wrote. As long as each
 * call of the next message comes after the one that it came after, it stores its value there, and
 * nothing else has to be done.
 *
 * 1. While repeating, only `last`, `open` and `serial` change in the builder, and the block differs
 *    from a finished message in values only. As each slot follows exactly one call, the calls made
 *    are known from the last one.
 * 2. Any other call diverges first: the state is rebuilt from the calls made so far, below which
 *    the block says nothing, and building goes on as if nothing had been expected.
 * 3. Where messages differ, learning each of them would be in vain: after a divergence, and after a
 *    message whose first table was not all of it, PATIENCE messages are not learned.
 */
#include "flatbuf/builder_private.h"

#define PATIENCE   64u
#define WIDTH_MASK 0xFFu

void flsi_builder_learn(fls_builder *b)
{
    fls_builder_front *front = &b->front;
    uint32_t order[FLSI_FEW_SLOTS];
    uint32_t count = 0;
    memset(front->fields, 0, sizeof front->fields);
    b->memo.schema = NULL;
    /* The earlier a field was set, the nearer it is to the table's end. */
    for (uint32_t slot = 0; slot < b->used_slots; slot++) {
        uint16_t distance = (uint16_t)b->placed[slot];
        if (distance != 0) {
            uint32_t place = count++;
            for (; place > 0 && (uint16_t)b->placed[order[place - 1]] > distance; place--) {
                order[place] = order[place - 1];
            }
            order[place] = slot;
        }
    }
    front->slots = b->slots;
    front->last_set = FLS_BUILDER_AT_TABLE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t placed = b->placed[order[i]];
        front->fields[order[i]] =
            (fls_builder_field){front->last_set | placed >> 16, 0, b->table_end - (uint16_t)placed};
        front->last_set = order[i] << 8;
    }
    b->is_learned = 1;
}

void flsi_builder_expect(fls_builder *b, fls_ref root, int is_named, uint8_t *message)
{
    if (b->memo.cursor != b->cursor) {
        b->patience = PATIENCE;
        return;
    }
    b->front.root = root.position;
    b->front.is_named = is_named != 0;
    b->front.message = message;
    b->front.message_bytes = flsi_builder_position(b, message);
    b->front.last = FLS_BUILDER_AT_FINISH;
}

static void rebuild_table(fls_builder *b, uint32_t last)
{
    const fls_builder_field *fields = b->front.fields;
    b->slots = b->front.slots;
    b->table_end = b->end;
    if (last != FLS_BUILDER_AT_TABLE) {
        b->cursor = fields[last >> 8].at;
    }
    while (last != FLS_BUILDER_AT_TABLE) {
        uint32_t slot = last >> 8;
        uint32_t width = fields[slot].key & WIDTH_MASK;
        b->placed[slot] = width << 16 | (uint16_t)(b->table_end - fields[slot].at);
        b->alignments |= width;
        if (slot >= b->used_slots) {
            b->used_slots = slot + 1;
        }
        last = fields[slot].key & ~WIDTH_MASK;
    }
}

FLSI_NOINLINE void flsi_builder_diverge(fls_builder *b)
{
    uint32_t last = b->front.last;
    b->front.last = FLSI_LAST_NONE;
    b->patience = PATIENCE;
    if (last == FLS_BUILDER_AT_END) {
        rebuild_table(b, b->front.last_set);
        flsi_builder_close_table(b);
        b->cursor = b->memo.cursor;
        b->vtables[0] = flsi_builder_position(b, b->cursor);
        b->vtable_count = 1;
    } else if (last != FLS_BUILDER_AT_FINISH) {
        rebuild_table(b, last);
    }
}
