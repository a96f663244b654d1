/* Counting values: a hash table of the different ones, and when they get too many, one of buckets.
 *
 * A bucket holds the doubles that agree in sign, exponent and the first six bits behind the leading
 * one. It is 1/64 of its own lowest value wide, so that its middle is within 1/128 of all in it.
 * There are 2^18 of them at most. (A sketch with relative error, like DDSketch, but with the powers
 * of two in place of logarithms.)
 */
#include "core/bytes.h"
#include "flatbuf/scalars.h"
#include "flatbuf/statistics_private.h"

enum { FIRST_SLOTS = 64, BUCKET_SHIFT = 46 };

uint64_t flsi_tally_key(const fls_value *value)
{
    if (value->kind == FLS_VALUE_F64) {
        return value->as.f == 0 ? 0 : flsi_to_bits(value->as.f);
    }
    return value->as.u;
}

double flsi_number_of(const fls_value *value)
{
    switch (value->kind) {
    case FLS_VALUE_F64: return value->as.f;
    case FLS_VALUE_I64: return (double)value->as.i;
    default: return (double)value->as.u;
    }
}

static fls_value value_of_key(fls_value_kind kind, uint64_t key)
{
    fls_value value;
    memset(&value, 0, sizeof value);
    value.kind = kind;
    value.enumeration = FLS_SCHEMA_NONE;
    value.as.u = key;
    if (kind == FLS_VALUE_F64) {
        value.as.f = flsi_of_bits(key);
    }
    return value;
}

static uint64_t bucket_of(fls_value_kind kind, uint64_t key)
{
    fls_value value = value_of_key(kind, key);
    return flsi_to_bits(flsi_number_of(&value)) >> BUCKET_SHIFT;
}

/* The whole number nearest to a double that may be out of range. */
static uint64_t whole_of(fls_value_kind kind, double value)
{
    if (kind == FLS_VALUE_I64) {
        if (value <= -9223372036854775808.0) {
            return (uint64_t)INT64_MIN;
        }
        return value >= 9223372036854775808.0
                   ? (uint64_t)INT64_MAX
                   : (uint64_t)(int64_t)(value + (value < 0 ? -0.5 : 0.5));
    }
    return value >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)(value + 0.5);
}

fls_value flsi_tally_value(const flsi_tallies *tallies, const flsi_tally *tally)
{
    if (!tallies->in_buckets) {
        return value_of_key(tallies->kind, tally->key);
    }
    uint64_t low = tally->key << BUCKET_SHIFT;
    double middle = flsi_of_bits(low);
    /* Infinity, and numbers below the smallest normal one, stand at their bucket's low end. */
    if ((low << 1) >> 53 != 0x7FF && (low << 1) >> 53 != 0) {
        middle = flsi_of_bits(low | UINT64_C(1) << (BUCKET_SHIFT - 1));
    }
    if (tallies->kind == FLS_VALUE_F64) {
        return value_of_key(FLS_VALUE_F64, flsi_to_bits(middle));
    }
    return value_of_key(tallies->kind, whole_of(tallies->kind, middle));
}

/* ---- the table ---- */

static flsi_tally *find(flsi_tally *slots, size_t slot_count, uint64_t key)
{
    uint64_t mixed = key * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(mixed >> 32) & (slot_count - 1);
    while (slots[at].count != 0 && slots[at].key != key) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

/* Moves all into a new table of slot_count, by buckets if asked to. */
static int rebuild(flsi_tallies *tallies, size_t slot_count, int in_buckets)
{
    const fls_allocator *allocator = tallies->allocator;
    flsi_tally *slots = allocator->resize(allocator->self, NULL, 0, slot_count * sizeof *slots);
    size_t used = 0;
    if (slots == NULL) {
        return 0;
    }
    memset(slots, 0, slot_count * sizeof *slots);
    for (size_t i = 0; i < tallies->slot_count; i++) {
        const flsi_tally *from = &tallies->slots[i];
        if (from->count != 0) {
            uint64_t key = in_buckets && !tallies->in_buckets ? bucket_of(tallies->kind, from->key)
                                                              : from->key;
            flsi_tally *to = find(slots, slot_count, key);
            used += to->count == 0;
            to->key = key;
            to->count += from->count;
        }
    }
    if (tallies->slots != NULL) {
        allocator->free(allocator->self, tallies->slots,
                        tallies->slot_count * sizeof *tallies->slots);
    }
    tallies->slots = slots;
    tallies->slot_count = slot_count;
    tallies->used = used;
    tallies->in_buckets = (uint8_t)in_buckets;
    tallies->is_sorted = 0;
    tallies->last = NULL;
    return 1;
}

int flsi_tally_add(flsi_tallies *tallies, uint64_t key)
{
    uint64_t as = tallies->in_buckets ? bucket_of(tallies->kind, key) : key;
    if (tallies->last != NULL && tallies->last->key == as) {
        tallies->last->count++;
        return 1;
    }
    if (tallies->slot_count == 0 || tallies->is_sorted) {
        size_t slots = tallies->slot_count == 0 ? FIRST_SLOTS : tallies->slot_count;
        if (!rebuild(tallies, slots, tallies->in_buckets)) {
            return 0;
        }
    }
    flsi_tally *slot = find(tallies->slots, tallies->slot_count, as);
    if (slot->count == 0) {
        if (!tallies->in_buckets && tallies->used >= tallies->most_different) {
            return rebuild(tallies, tallies->slot_count, 1) && flsi_tally_add(tallies, key);
        }
        if ((tallies->used + 1) * 2 > tallies->slot_count) {
            return rebuild(tallies, tallies->slot_count * 2, tallies->in_buckets) &&
                   flsi_tally_add(tallies, key);
        }
        tallies->used++;
    }
    slot->key = as;
    slot->count++;
    tallies->last = slot;
    return 1;
}

/* ---- order ---- */

static int is_before(const flsi_tallies *tallies, const flsi_tally *a, const flsi_tally *b)
{
    if (tallies->in_buckets) {
        return flsi_of_bits(a->key << BUCKET_SHIFT) < flsi_of_bits(b->key << BUCKET_SHIFT);
    }
    switch (tallies->kind) {
    case FLS_VALUE_F64: return flsi_of_bits(a->key) < flsi_of_bits(b->key);
    case FLS_VALUE_I64: return (int64_t)a->key < (int64_t)b->key;
    default: return a->key < b->key;
    }
}

/* Lets the entry at `at` sink to where both below it belong in front of it. */
static void sift(const flsi_tallies *tallies, size_t at, size_t count)
{
    flsi_tally *slots = tallies->slots;
    flsi_tally entry = slots[at];
    while (at < count / 2) {
        size_t below = 2 * at + 1;
        if (below + 1 < count && is_before(tallies, &slots[below], &slots[below + 1])) {
            below++;
        }
        if (!is_before(tallies, &entry, &slots[below])) {
            break;
        }
        slots[at] = slots[below];
        at = below;
    }
    slots[at] = entry;
}

/* In place, since it may not fail: a heap sort. */
void flsi_tally_sort(flsi_tallies *tallies)
{
    flsi_tally *slots = tallies->slots;
    size_t count = 0;
    if (tallies->is_sorted || tallies->used == 0) {
        return;
    }
    for (size_t i = 0; i < tallies->slot_count; i++) {
        if (slots[i].count != 0) {
            flsi_tally entry = slots[i];
            slots[i].count = 0;
            slots[count++] = entry;
        }
    }
    for (size_t i = count / 2; i-- > 0;) {
        sift(tallies, i, count);
    }
    for (size_t i = count; i-- > 1;) {
        flsi_tally largest = slots[0];
        slots[0] = slots[i];
        slots[i] = largest;
        sift(tallies, 0, i);
    }
    tallies->last = NULL;
    tallies->is_sorted = 1;
}
