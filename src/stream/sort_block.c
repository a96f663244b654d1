/* Records in memory, and sorting them: by their numbers with a radix sort of 16-byte entries, byte
 * by byte from the lowest, without those that are the same in all of them; then by group; and what
 * is still equal by merging. Every step is stable.
 */
#include "core/bytes.h"
#include "stream/sort_private.h"

#define LENGTH_BYTES 4u
#define DIGITS       256u
#define GROUP_SHIFT  56
#define PLACE_MASK   ((UINT64_C(1) << GROUP_SHIFT) - 1)

/* Shorter runs are sorted by insertion. */
#define INSERTION_MOST 12u

void flsi_sort_block_clear(flsi_sort_block *block)
{
    block->used = 0;
    block->count = 0;
    block->last = 0;
    block->in_order = 1;
    block->has_more = 0;
    block->has_group = 0;
}

/* Entries twice, and as much as it takes to align them. */
int flsi_sort_block_has_room(const flsi_sort_block *block, size_t record_bytes)
{
    const size_t entry = 2 * sizeof(flsi_sort_entry);
    size_t left = block->capacity - block->used;
    size_t wanted = LENGTH_BYTES + record_bytes + (block->count + 2) * entry;
    return left >= wanted;
}

static void read_at(const flsi_sort_block *block, size_t place, flsi_sort_record *record)
{
    const uint8_t *at = block->memory + place;
    (void)flsi_sort_record_read(record, at + LENGTH_BYTES, flsi_load_le32(at));
}

uint8_t *flsi_sort_block_add(flsi_sort_block *block, const fls_sort_key *key, unsigned flags,
                             size_t payload_bytes, int descending)
{
    uint8_t *at = block->memory + block->used;
    size_t bytes = flsi_sort_record_bytes(key, payload_bytes);
    if (block->in_order && block->count > 0) {
        flsi_sort_record before;
        read_at(block, block->last, &before);
        block->in_order = flsi_sort_key_compare(&before.key, key, descending) <= 0;
    }
    block->has_more |= key->fine != 0 || key->text_size != 0;
    block->has_group |= key->group != 0;
    block->last = block->used;
    block->used += LENGTH_BYTES + bytes;
    block->count++;
    flsi_store_le32(at, (uint32_t)bytes);
    return flsi_sort_record_write(at + LENGTH_BYTES, key, flags);
}

const uint8_t *flsi_sort_block_record(const flsi_sort_block *block, const flsi_sort_entry *entry,
                                      size_t *size)
{
    const uint8_t *at = block->memory + (size_t)(entry->place & PLACE_MASK);
    *size = flsi_load_le32(at);
    return at + LENGTH_BYTES;
}

void flsi_sort_block_expect(const flsi_sort_block *block, const flsi_sort_entry *entry)
{
#if defined(__GNUC__) || defined(__clang__)
    const uint8_t *at = block->memory + (size_t)(entry->place & PLACE_MASK);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
#else
    (void)block;
    (void)entry;
#endif
}

/* ---- the radix sort ---- */

static void make_entries(const flsi_sort_block *block, flsi_sort_entry *entries)
{
    size_t place = 0;
    for (size_t i = 0; i < block->count; i++) {
        const uint8_t *at = block->memory + place;
        entries[i].number = flsi_load_le64(at + LENGTH_BYTES + 2);
        entries[i].place = (uint64_t)place | (uint64_t)at[LENGTH_BYTES] << GROUP_SHIFT;
        place += LENGTH_BYTES + flsi_load_le32(at);
    }
}

/* Which bytes of the numbers differ at all. */
static uint64_t differing_bits(const flsi_sort_entry *entries, size_t count)
{
    uint64_t differ = 0;
    for (size_t i = 1; i < count; i++) {
        differ |= entries[i].number ^ entries[0].number;
    }
    return differ;
}

static void scatter(const flsi_sort_entry *from, flsi_sort_entry *to, size_t count, unsigned shift,
                    int by_group)
{
    size_t places[DIGITS] = {0};
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        places[((by_group ? from[i].place : from[i].number) >> shift) % DIGITS]++;
    }
    for (size_t i = 0; i < DIGITS; i++) {
        size_t here = places[i];
        places[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[((by_group ? from[i].place : from[i].number) >> shift) % DIGITS]++] = from[i];
    }
}

/* The result is in the one that is returned. */
static flsi_sort_entry *sort_by_number(const flsi_sort_block *block, flsi_sort_entry *entries,
                                       flsi_sort_entry *other)
{
    uint64_t differ = differing_bits(entries, block->count);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift) % DIGITS != 0) {
            scatter(entries, other, block->count, shift, 0);
            flsi_sort_entry *swap = entries;
            entries = other;
            other = swap;
        }
    }
    if (block->has_group) {
        scatter(entries, other, block->count, GROUP_SHIFT, 1);
        return other;
    }
    return entries;
}

/* ---- what is equal so far ---- */

static int compare(const flsi_sort_block *block, const flsi_sort_entry *a, const flsi_sort_entry *b,
                   int descending)
{
    flsi_sort_record x;
    flsi_sort_record y;
    read_at(block, (size_t)(a->place & PLACE_MASK), &x);
    read_at(block, (size_t)(b->place & PLACE_MASK), &y);
    return flsi_sort_key_compare(&x.key, &y.key, descending);
}

static void insert_sort(const flsi_sort_block *block, flsi_sort_entry *entries, size_t count,
                        int descending)
{
    for (size_t i = 1; i < count; i++) {
        flsi_sort_entry moved = entries[i];
        size_t to = i;
        while (to > 0 && compare(block, &entries[to - 1], &moved, descending) > 0) {
            entries[to] = entries[to - 1];
            to--;
        }
        entries[to] = moved;
    }
}

/* Two runs that are one behind the other into `to`. */
static void merge_two(const flsi_sort_block *block, const flsi_sort_entry *from, size_t middle,
                      size_t count, flsi_sort_entry *to, int descending)
{
    size_t left = 0;
    size_t right = middle;
    for (size_t i = 0; i < count; i++) {
        int takes_right =
            left == middle ||
            (right < count && compare(block, &from[left], &from[right], descending) > 0);
        to[i] = takes_right ? from[right++] : from[left++];
    }
}

static void merge_sort(const flsi_sort_block *block, flsi_sort_entry *entries,
                       flsi_sort_entry *other, size_t count, int descending)
{
    flsi_sort_entry *from = entries;
    flsi_sort_entry *to = other;
    for (size_t at = 0; at < count; at += INSERTION_MOST) {
        size_t most = count - at < INSERTION_MOST ? count - at : INSERTION_MOST;
        insert_sort(block, entries + at, most, descending);
    }
    for (size_t width = INSERTION_MOST; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t both = count - at < 2 * width ? count - at : 2 * width;
            merge_two(block, from + at, both < width ? both : width, both, to + at, descending);
        }
        flsi_sort_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries) {
        memcpy(entries, from, count * sizeof *entries);
    }
}

static void sort_equal_ones(const flsi_sort_block *block, flsi_sort_entry *entries,
                            flsi_sort_entry *other, int descending)
{
    size_t from = 0;
    for (size_t i = 1; i <= block->count; i++) {
        if (i < block->count && entries[i].number == entries[from].number &&
            entries[i].place >> GROUP_SHIFT == entries[from].place >> GROUP_SHIFT) {
            continue;
        }
        if (i - from > 1) {
            merge_sort(block, entries + from, other + from, i - from, descending);
        }
        from = i;
    }
}

const flsi_sort_entry *flsi_sort_block_sort(flsi_sort_block *block, int descending)
{
    size_t align = (size_t)(-(uintptr_t)(block->memory + block->used) % sizeof(flsi_sort_entry));
    flsi_sort_entry *entries = (flsi_sort_entry *)(void *)(block->memory + block->used + align);
    flsi_sort_entry *other = entries + block->count;
    make_entries(block, entries);
    if (block->in_order) {
        return entries;
    }
    flsi_sort_entry *sorted = sort_by_number(block, entries, other);
    if (block->has_more) {
        sort_equal_ones(block, sorted, sorted == entries ? other : entries, descending);
    }
    block->in_order = 1;
    return sorted;
}
