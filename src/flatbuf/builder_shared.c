/* What is shared within a message: strings, where the caller asks for it, and vtables, once there
 * are many. Each kind has a hash table of positions, open-addressed and at most half full. An entry
 * says which message it belongs to, so that all are forgotten at once when the next one starts.
 */
#include "core/xxh3.h"
#include "flatbuf/builder_private.h"

#define FIRST_SHARED 64u

/* The bytes that tell an entry from others. */
static const uint8_t *key_of(const fls_builder *b, const flsi_shared_set *set, uint32_t position,
                             size_t *size)
{
    const uint8_t *at = b->end - position;
    if (set == &b->strings) {
        *size = flsi_load_le32(at);
        return at + 4;
    }
    *size = flsi_load_le16(at);
    return at;
}

/* The place of an entry with this key, or the free one where it belongs. */
static flsi_shared *find_place(const fls_builder *b, const flsi_shared_set *set, const void *key,
                               size_t size)
{
    uint32_t mask = set->capacity - 1;
    uint32_t at = (uint32_t)flsi_xxh3_baseline(key, size) & mask;
    for (; set->places[at].message == b->message; at = (at + 1) & mask) {
        size_t other_size;
        const uint8_t *other = key_of(b, set, set->places[at].position, &other_size);
        if (other_size == size && memcmp(other, key, size) == 0) {
            break;
        }
    }
    return &set->places[at];
}

static int grow(fls_builder *b, flsi_shared_set *set)
{
    const fls_allocator *from = b->allocator;
    flsi_shared_set old = *set;
    uint32_t capacity = old.capacity != 0 ? 2 * old.capacity : FIRST_SHARED;
    flsi_shared *places = from->resize(from->self, NULL, 0, capacity * sizeof *places);
    if (places == NULL) {
        flsi_builder_fail(b, FLS_NO_MEMORY,
                          "out of memory for the strings or vtables of a message");
        return 0;
    }
    memset(places, 0, capacity * sizeof *places);
    set->places = places;
    set->capacity = capacity;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.places[i].message == b->message) {
            size_t size;
            const uint8_t *key = key_of(b, set, old.places[i].position, &size);
            *find_place(b, set, key, size) = old.places[i];
        }
    }
    if (old.places != NULL) {
        from->free(from->self, old.places, old.capacity * sizeof *old.places);
    }
    return 1;
}

flsi_shared *flsi_builder_find_shared(fls_builder *b, flsi_shared_set *set, const void *key,
                                      size_t size)
{
    if (FLSI_UNLIKELY(2 * set->count >= set->capacity) && !grow(b, set)) {
        return NULL;
    }
    return find_place(b, set, key, size);
}

void flsi_builder_share(const fls_builder *b, flsi_shared_set *set, flsi_shared *place,
                        uint32_t position)
{
    *place = (flsi_shared){b->message, position};
    set->count++;
}

static uint32_t share_vtable(fls_builder *b, const uint8_t *vtable)
{
    flsi_shared_set *set = &b->many_vtables;
    flsi_shared *place = flsi_builder_find_shared(b, set, vtable, flsi_load_le16(vtable));
    if (place == NULL) {
        return 0;
    }
    uint32_t position = flsi_builder_shared_at(b, place);
    if (position == 0) {
        position = flsi_builder_position(b, vtable);
        flsi_builder_share(b, set, place, position);
    }
    return position;
}

uint32_t flsi_builder_share_vtable(fls_builder *b, const uint8_t *vtable)
{
    for (uint32_t i = 0; i < b->vtable_count; i++) {
        if (share_vtable(b, b->end - b->vtables[i]) == 0) {
            return 0;
        }
    }
    b->vtable_count = 0;
    return share_vtable(b, vtable);
}

static void clear(flsi_shared_set *set)
{
    if (set->capacity != 0) {
        memset(set->places, 0, set->capacity * sizeof *set->places);
    }
}

void flsi_builder_forget_shared(fls_builder *b)
{
    b->strings.count = 0;
    b->many_vtables.count = 0;
    b->message++;
    if (b->message == 0) {
        clear(&b->strings);
        clear(&b->many_vtables);
        b->message = 1;
    }
}
