/* The strings that are shared within a message: a hash table of their positions, open-addressed and
 * at most half full. Each entry says which message it belongs to, so that all are forgotten at once
 * when the next one starts.
 */
#include "core/xxh3.h"
#include "flatbuf/builder_private.h"

#define FIRST_SHARED 64u

/* The place of a string in the table: that of an equal one, or the free one where it belongs. */
static flsi_shared *find_place(const fls_builder *b, flsi_shared *table, uint32_t capacity,
                               const void *text, size_t size)
{
    uint32_t mask = capacity - 1;
    uint32_t at = (uint32_t)flsi_xxh3_baseline(text, size) & mask;
    for (; table[at].message == b->message; at = (at + 1) & mask) {
        const uint8_t *string = b->end - table[at].position;
        if (flsi_load_le32(string) == size && (size == 0 || memcmp(string + 4, text, size) == 0)) {
            break;
        }
    }
    return &table[at];
}

int flsi_builder_room_to_share(fls_builder *b)
{
    if (FLS_LIKELY(2 * b->shared_count < b->shared_capacity)) {
        return 1;
    }
    const fls_allocator *from = b->allocator;
    uint32_t capacity = b->shared_capacity != 0 ? 2 * b->shared_capacity : FIRST_SHARED;
    flsi_shared *table = from->resize(from->self, NULL, 0, capacity * sizeof *table);
    if (table == NULL) {
        flsi_builder_fail(b, FLS_NO_MEMORY, "out of memory for the strings of a message");
        return 0;
    }
    memset(table, 0, capacity * sizeof *table);
    for (uint32_t i = 0; i < b->shared_capacity; i++) {
        if (b->shared[i].message == b->message) {
            const uint8_t *string = b->end - b->shared[i].position;
            *find_place(b, table, capacity, string + 4, flsi_load_le32(string)) = b->shared[i];
        }
    }
    if (b->shared != NULL) {
        from->free(from->self, b->shared, b->shared_capacity * sizeof *b->shared);
    }
    b->shared = table;
    b->shared_capacity = capacity;
    return 1;
}

fls_ref flsi_builder_find_shared(const fls_builder *b, const char *text, size_t size)
{
    const flsi_shared *place =
        find_place(b, b->shared, b->shared_capacity, text != NULL ? text : "", size);
    return (fls_ref){place->message == b->message ? place->position | FLSI_REF_STRING : 0};
}

void flsi_builder_share(fls_builder *b, fls_ref string)
{
    uint32_t position = flsi_ref_position(string);
    const uint8_t *at = b->end - position;
    *find_place(b, b->shared, b->shared_capacity, at + 4, flsi_load_le32(at)) =
        (flsi_shared){b->message, position};
    b->shared_count++;
}

void flsi_builder_forget_shared(fls_builder *b)
{
    b->shared_count = 0;
    b->message++;
    if (b->message == 0) {
        memset(b->shared, 0, b->shared_capacity * sizeof *b->shared);
        b->message = 1;
    }
}
