/* Keys of sorts and the records that they stand in; see sort_private.h. */
#include "core/bytes.h"
#include "stream/sort_private.h"

#define SIGN_BIT UINT64_C(0x8000000000000000)

/* Bytes of a text that are part of the number; the lowest byte is how many there are, or one more.
 * So short texts are told apart by their numbers. */
#define TEXT_IN_NUMBER 7u

/* ---- keys of values ---- */

static uint64_t number_of_double(double value)
{
    uint64_t bits;
    value = value == 0 ? 0 : value; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    return (bits & SIGN_BIT) != 0 ? ~bits : bits | SIGN_BIT;
}

static void key_of_text(fls_sort_key *key, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t inside = size < TEXT_IN_NUMBER ? size : TEXT_IN_NUMBER;
    for (size_t i = 0; i < inside; i++) {
        key->number |= (uint64_t)bytes[i] << (56 - 8 * i);
    }
    key->number |= size > TEXT_IN_NUMBER ? TEXT_IN_NUMBER + 1 : size;
    if (size > TEXT_IN_NUMBER) { /* texts of equal numbers are equal so far */
        key->text = text + TEXT_IN_NUMBER;
        key->text_size = size - TEXT_IN_NUMBER;
    }
}

/* A whole number among fractions: the double next to it, and how far it is from there, which is at
 * most 1024 either way. */
static void key_of_whole(fls_sort_key *key, int negative, uint64_t magnitude)
{
    double near = (double)magnitude;
    int64_t off;
    if (near >= 18446744073709551616.0) { /* rounded up to 2^64 */
        off = -(int64_t)(UINT64_MAX - magnitude) - 1;
    } else {
        off = (int64_t)(magnitude - (uint64_t)near);
    }
    key->number = number_of_double(negative ? -near : near);
    key->fine = (uint32_t)((negative ? -off : off) + 32768);
}

static void key_of_mixed(fls_sort_key *key, const fls_value *value)
{
    if (value->kind == FLS_VALUE_F64) {
        key->number = number_of_double(value->as.f);
        key->fine = 32768;
    } else if (value->kind == FLS_VALUE_I64 && value->as.i < 0) {
        key_of_whole(key, 1, (uint64_t)0 - (uint64_t)value->as.i);
    } else {
        key_of_whole(key, 0, value->as.u);
    }
}

void fls_sort_key_of_value(fls_sort_key *key, const fls_value *value, int mixed)
{
    *key = (fls_sort_key)FLS_SORT_KEY_INIT;
    switch (value->kind) {
    case FLS_VALUE_STRING: key_of_text(key, value->as.string.text, value->as.string.size); return;
    case FLS_VALUE_F64:
        if (value->as.f != value->as.f) {
            key->group = FLS_SORT_NAN;
            return;
        }
        break;
    case FLS_VALUE_BOOL:
    case FLS_VALUE_I64:
    case FLS_VALUE_U64: break;
    case FLS_VALUE_ABSENT:
    case FLS_VALUE_OBJECT:
    default: key->group = FLS_SORT_ABSENT; return;
    }
    if (mixed) {
        key_of_mixed(key, value);
    } else if (value->kind == FLS_VALUE_F64) {
        key->number = number_of_double(value->as.f);
    } else {
        key->number = value->as.u ^ (value->kind == FLS_VALUE_I64 ? SIGN_BIT : 0);
    }
}

/* ---- comparing ---- */

static int compare_text(const fls_sort_key *a, const fls_sort_key *b)
{
    size_t common = a->text_size < b->text_size ? a->text_size : b->text_size;
    int order = common > 0 ? memcmp(a->text, b->text, common) : 0;
    return order != 0 ? order : (a->text_size > b->text_size) - (a->text_size < b->text_size);
}

int flsi_sort_key_compare(const fls_sort_key *a, const fls_sort_key *b, int descending)
{
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    if (a->fine != b->fine) {
        return (a->fine < b->fine) == !descending ? -1 : 1;
    }
    return descending ? compare_text(b, a) : compare_text(a, b);
}

int fls_sort_key_compare(const fls_sort_key *a, const fls_sort_key *b, int descending)
{
    fls_sort_key x;
    fls_sort_key y;
    flsi_sort_key_store(&x, a, descending);
    flsi_sort_key_store(&y, b, descending);
    return flsi_sort_key_compare(&x, &y, descending);
}

/* ---- records ---- */

uint8_t *flsi_sort_record_write(uint8_t *to, const fls_sort_key *key, unsigned flags)
{
    flags |= (key->fine != 0 ? FLSI_SORT_FINE : 0u) | (key->text_size != 0 ? FLSI_SORT_TEXT : 0u);
    to[0] = (uint8_t)key->group;
    to[1] = (uint8_t)flags;
    flsi_store_le64(to + 2, key->number);
    to += FLSI_SORT_FIXED_BYTES;
    if (flags & FLSI_SORT_FINE) {
        flsi_store_le16(to, (uint16_t)key->fine);
        to += 2;
    }
    if (flags & FLSI_SORT_TEXT) {
        flsi_store_le32(to, (uint32_t)key->text_size);
        memcpy(to + 4, key->text, key->text_size);
        to += 4 + key->text_size;
    }
    return to;
}

int flsi_sort_record_read(flsi_sort_record *record, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    const uint8_t *end = from + size;
    if (size < FLSI_SORT_FIXED_BYTES) {
        return 0;
    }
    record->key = (fls_sort_key)FLS_SORT_KEY_INIT;
    record->key.group = from[0];
    record->flags = from[1];
    record->key.number = flsi_load_le64(from + 2);
    from += FLSI_SORT_FIXED_BYTES;
    if (record->flags & FLSI_SORT_FINE) {
        if (end - from < 2) {
            return 0;
        }
        record->key.fine = flsi_load_le16(from);
        from += 2;
    }
    if (record->flags & FLSI_SORT_TEXT) {
        if (end - from < 4 || (size_t)(end - from) - 4 < flsi_load_le32(from)) {
            return 0;
        }
        record->key.text_size = flsi_load_le32(from);
        record->key.text = from + 4;
        from += 4 + record->key.text_size;
    }
    record->payload = from;
    record->size = (size_t)(end - from);
    return !(record->flags & FLSI_SORT_ASIDE) || record->size == FLSI_SORT_ASIDE_BYTES;
}
