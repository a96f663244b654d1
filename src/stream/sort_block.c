/* Records in memory, and sorting them: by their numbers with a radix sort of 16-byte entries, by
 * the highest bits that differ first, and what is alike in these by the next ones; then by group;
 * and what is still equal by merging. Every step is stable.
 */
#include "core/bytes.h"
#include "stream/sort_private.h"

/* Of a digit; and of one among few entries, which would be lost among so many counts. */
#define MOST_BITS   11u
#define FEW_BITS    8u
#define FEW         16384u
#define GROUP_SHIFT 56
#define PLACE_MASK  ((UINT64_C(1) << GROUP_SHIFT) - 1)

/* So many, or fewer, are sorted by insertion. */
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

/* The entries' end. */
static size_t end_of(const flsi_sort_block *block)
{
    size_t end = block->capacity;
    return end - (size_t)((uintptr_t)(block->memory + end) % sizeof(flsi_sort_entry));
}

static flsi_sort_entry *last_entry(const flsi_sort_block *block)
{
    uint8_t *end = block->memory + end_of(block);
    return (flsi_sort_entry *)(void *)end - block->count;
}

static void read_at(const flsi_sort_block *block, size_t place, flsi_sort_record *record)
{
    const uint8_t *at = block->memory + place;
    (void)flsi_sort_record_read(record, at + FLSI_SORT_LENGTH_BYTES, flsi_load_le32(at));
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
    block->count++;
    flsi_sort_entry *entry = last_entry(block);
    entry->number = key->number;
    entry->place = (uint64_t)block->used | (uint64_t)key->group << GROUP_SHIFT;
    block->used += FLSI_SORT_LENGTH_BYTES + bytes;
    flsi_store_le32(at, (uint32_t)bytes);
    return flsi_sort_record_write(at + FLSI_SORT_LENGTH_BYTES, key, flags);
}

const uint8_t *flsi_sort_block_record(const flsi_sort_block *block, const flsi_sort_entry *entry,
                                      size_t *size)
{
    const uint8_t *at = block->memory + (size_t)(entry->place & PLACE_MASK);
    *size = flsi_load_le32(at);
    return at + FLSI_SORT_LENGTH_BYTES;
}

void flsi_sort_block_expect(const flsi_sort_block *block, const flsi_sort_entry *entry)
{
    flsi_sort_expect(block->memory + (size_t)(entry->place & PLACE_MASK));
}

/* ---- the radix sort ---- */

/* Entries were made from the end of the block down. */
static void turn_round(flsi_sort_entry *entries, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        flsi_sort_entry swap = entries[i];
        entries[i] = entries[count - 1 - i];
        entries[count - 1 - i] = swap;
    }
}

/* By bits of the numbers, or with by_group of the places, from shift on. */
static void scatter(const flsi_sort_entry *from, flsi_sort_entry *to, size_t count, unsigned shift,
                    unsigned bits, int by_group)
{
    size_t places[1u << MOST_BITS];
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    size_t sum = 0;
    memset(places, 0, sizeof places[0] << bits);
    for (size_t i = 0; i < count; i++) {
        places[((by_group ? from[i].place : from[i].number) >> shift) & mask]++;
    }
    for (size_t i = 0; i <= mask; i++) {
        size_t here = places[i];
        places[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[places[((by_group ? from[i].place : from[i].number) >> shift) & mask]++] = from[i];
    }
}

static void insert_numbers(flsi_sort_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        flsi_sort_entry moved = entries[i];
        size_t to = i;
        while (to > 0 && entries[to - 1].number > moved.number) {
            entries[to] = entries[to - 1];
            to--;
        }
        entries[to] = moved;
    }
}

/* How many of the lowest bits it takes to tell the numbers apart. */
static unsigned differing_bits(const flsi_sort_entry *entries, size_t count)
{
    uint64_t differ = 0;
    unsigned bits = 0;
    for (size_t i = 1; i < count; i++) {
        differ |= entries[i].number ^ entries[0].number;
    }
    while (bits < 64 && differ >> bits != 0) {
        bits++;
    }
    return bits;
}

/* By the highest bits that differ, with two digits from the lower to the higher, whose bits are
 * returned as those that are left below. */
static unsigned sort_by_high_bits(flsi_sort_entry *entries, flsi_sort_entry *other, size_t count)
{
    unsigned most = count < FEW ? FEW_BITS : MOST_BITS;
    unsigned bits = differing_bits(entries, count);
    unsigned left = bits > 2 * most ? bits - 2 * most : 0;
    unsigned low = (bits - left) / 2;
    if (low > 0) {
        scatter(entries, other, count, left, low, 0);
        scatter(other, entries, count, left + low, bits - left - low, 0);
    } else if (bits > 0) {
        scatter(entries, other, count, left, bits, 0);
        memcpy(entries, other, count * sizeof *entries);
    }
    return left;
}

/* Those that are alike in their high bits are few, as a rule, and are sorted by insertion; many are
 * sorted again by what is left, and that has fewer bits every time. */
static void sort_by_number(flsi_sort_entry *entries, flsi_sort_entry *other, size_t count)
{
    if (count <= INSERTION_MOST) {
        insert_numbers(entries, count);
        return;
    }
    unsigned left = sort_by_high_bits(entries, other, count);
    size_t from = 0;
    for (size_t i = 1; left > 0 && i <= count; i++) {
        if (i == count || entries[i].number >> left != entries[from].number >> left) {
            if (i - from > 1) {
                sort_by_number(entries + from, other + from, i - from);
            }
            from = i;
        }
    }
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
    flsi_sort_entry *entries = last_entry(block);
    flsi_sort_entry *other = (flsi_sort_entry *)(void *)(block->memory + block->used + align);
    turn_round(entries, block->count);
    if (block->in_order) {
        return entries;
    }
    sort_by_number(entries, other, block->count);
    if (block->has_group) {
        scatter(entries, other, block->count, GROUP_SHIFT, 8, 1);
        flsi_sort_entry *swap = entries;
        entries = other;
        other = swap;
    }
    if (block->has_more) {
        sort_equal_ones(block, entries, other, descending);
    }
    return entries;
}
