/* Scalars: whole numbers, floats, booleans, and enumerators by name.
 *
 * Whole numbers are read up to 8 digits at a time without a branch on how many there are: the
 * digits are moved to the top of a word, which puts zeros before them, and three multiplications
 * add them up (Daniel Lemire, "Quickly parsing eight digits", after Johnny Lee).
 */
#include "flatbuf/json_parse_private.h"

#include "flatbuf/decimal.h"
#include "flatbuf/scalars.h"

typedef struct range {
    uint64_t most;
    uint64_t least; /* below zero */
    const char *reason;
} range;

static const range ranges[] = {
    [FLS_TYPE_UNION_TAG] = {UINT8_MAX, 0, "out of the range of ubyte"},
    [FLS_TYPE_BOOL] = {1, 0, "out of the range of bool"},
    [FLS_TYPE_I8] = {INT8_MAX, UINT64_C(1) << 7, "out of the range of byte"},
    [FLS_TYPE_U8] = {UINT8_MAX, 0, "out of the range of ubyte"},
    [FLS_TYPE_I16] = {INT16_MAX, UINT64_C(1) << 15, "out of the range of short"},
    [FLS_TYPE_U16] = {UINT16_MAX, 0, "out of the range of ushort"},
    [FLS_TYPE_I32] = {INT32_MAX, UINT64_C(1) << 31, "out of the range of int"},
    [FLS_TYPE_U32] = {UINT32_MAX, 0, "out of the range of uint"},
    [FLS_TYPE_I64] = {INT64_MAX, UINT64_C(1) << 63, "out of the range of long"},
    [FLS_TYPE_U64] = {UINT64_MAX, 0, "out of the range of ulong"},
    [FLS_TYPE_F32] = {0, 0, "out of the range of float"},
    [FLS_TYPE_F64] = {0, 0, "out of the range of double"},
};

FLSI_ALWAYS_INLINE int begins_number(const uint8_t *at)
{
    return (uint8_t)(*at - '0') <= 9 || *at == '-';
}

/* ---- whole numbers ---- */

/* The digits at the beginning of 8 bytes: how many, and their value. */
FLSI_ALWAYS_INLINE unsigned up_to_8_digits(const uint8_t *at, uint64_t *value)
{
    uint64_t word = flsi_load_le64(at) ^ UINT64_C(0x3030303030303030);
    uint64_t other = ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
    unsigned count = 8;
    if (FLS_LIKELY(other != 0)) {
        count = flsi_parse_lowest(other) / 8 % 8;
        if (FLSI_UNLIKELY(count == 0)) {
            *value = 0;
            return 0;
        }
        word <<= 64 - 8 * count;
    }
    word = word * 10 + (word >> 8);
    *value = ((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
              ((word >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
             32;
    return count;
}

static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* Goes on behind 8 digits. Returns how many there are, more than 20 if the value does not fit;
 * the 20th is the 4th of a part. */
static FLSI_NOINLINE unsigned more_digits(const uint8_t *at, uint64_t *value)
{
    unsigned total = 8;
    for (;;) {
        uint64_t part;
        unsigned count = up_to_8_digits(at + total, &part);
        total += count;
        if (total > 20 || (total == 20 && *value > (UINT64_MAX - part) / 10000)) {
            return 21;
        }
        /* count is at most 8. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        *value = *value * powers[count] + part;
        if (count < 8) {
            return total;
        }
    }
}

/* 1.0 and 1e3, which lenient text may have for a whole number. */
static const uint8_t *whole_from_float(fls_json_parser *p, const uint8_t *at, fls_type type,
                                       uint64_t *bits)
{
    flsi_number number;
    uint64_t magnitude = 0;
    if (!p->lenient || !flsi_number_scan(&number, (const char *)at, (const char *)p->end)) {
        return flsi_parse_fail(p, at, "not a whole number");
    }
    int is_negative = number.is_negative;
    number.is_negative = 0;
    if (!flsi_number_to_u64(&number, &magnitude)) {
        return flsi_parse_fail(p, at, "not a whole number in range");
    }
    if (magnitude > (is_negative ? ranges[type].least : ranges[type].most)) {
        return flsi_parse_fail(p, at, ranges[type].reason);
    }
    *bits = is_negative ? 0 - magnitude : magnitude;
    return (const uint8_t *)number.end;
}

/* Digits that are too much, unless a fraction or exponent behind them says something else. */
static FLSI_NOINLINE const uint8_t *too_large(fls_json_parser *p, const uint8_t *at, fls_type type,
                                              uint64_t *bits)
{
    const uint8_t *next = at + (*at == '-');
    while ((uint8_t)(*next - '0') <= 9) { /* a zero ends the text */
        next++;
    }
    if (*next == '.' || (*next | 0x20) == 'e') {
        return whole_from_float(p, at, type, bits);
    }
    return flsi_parse_fail(p, at, ranges[type].reason);
}

FLSI_ALWAYS_INLINE const uint8_t *whole(fls_json_parser *p, const uint8_t *at, fls_type type,
                                        uint64_t *bits)
{
    int is_negative = *at == '-';
    const uint8_t *digits = at + is_negative;
    uint64_t value;
    unsigned count = up_to_8_digits(digits, &value);
    if (FLSI_UNLIKELY(count == 0)) {
        return flsi_parse_unexpected(p, digits, "not a whole number");
    }
    if (FLSI_UNLIKELY(*digits == '0' && count > 1)) {
        return flsi_parse_fail(p, at, "a number that begins with a zero");
    }
    if (count == 8) {
        count = more_digits(digits, &value);
    }
    const uint8_t *next = digits + count;
    if (FLSI_UNLIKELY(count > 20 ||
                      value > (is_negative ? ranges[type].least : ranges[type].most))) {
        return too_large(p, at, type, bits);
    }
    if (FLSI_UNLIKELY(*next == '.' || (*next | 0x20) == 'e')) {
        return whole_from_float(p, at, type, bits);
    }
    *bits = is_negative ? 0 - value : value;
    return next;
}

/* ---- floats ---- */

/* The value without a sign. */
static uint64_t special_float(const char *name, fls_type type)
{
    if (name[0] == 'n') {
        return type == FLS_TYPE_F32 ? UINT64_C(0x7FC00000) : UINT64_C(0x7FF8000000000000);
    }
    return type == FLS_TYPE_F32 ? UINT64_C(0x7F800000) : UINT64_C(0x7FF0000000000000);
}

/* "nan", "inf" or "-inf", and "-nan" in lenient text: how many bytes of the text, or 0. */
static size_t find_special(const fls_json_parser *p, const uint8_t *at, fls_type type,
                           uint64_t *bits)
{
    static const char *const names[] = {"nan", "inf"};
    size_t sign = *at == '-';
    for (size_t i = p->lenient ? 0 : sign; i < 2; i++) {
        if (memcmp(at + sign, names[i], 3) == 0) {
            *bits = special_float(names[i], type);
            *bits |= (uint64_t)sign << (type == FLS_TYPE_F32 ? 31 : 63);
            return sign + 3;
        }
    }
    return 0;
}

/* The digits from `at` on behind value, which has `total` of them already, 8 at a time; total is at
 * most 19 afterwards, or everything is to be done in another way. */
FLSI_ALWAYS_INLINE const uint8_t *add_digits(const uint8_t *at, uint64_t *value, unsigned *total)
{
    unsigned count;
    do {
        uint64_t part;
        count = up_to_8_digits(at, &part);
        *value = *value * powers[count] + part;
        *total += count;
        at += count;
    } while (FLSI_UNLIKELY(count == 8 && *total <= 19));
    return at;
}

/* A number without an exponent, of at most 19 digits: what nearly all are. 0 for any other. */
FLSI_ALWAYS_INLINE int scan_plain(flsi_number *number, const uint8_t *at)
{
    const uint8_t *digits = at + (*at == '-');
    uint64_t value = 0;
    unsigned before = 0;
    const uint8_t *next = add_digits(digits, &value, &before);
    unsigned total = before;
    if (before == 0 || (*digits == '0' && before > 1)) {
        return 0;
    }
    number->is_whole = *next != '.';
    if (!number->is_whole) {
        next = add_digits(next + 1, &value, &total);
        if (total == before) {
            return 0;
        }
    }
    if (total > 19 || (*next | 0x20) == 'e') {
        return 0;
    }
    number->text = (const char *)at;
    number->end = (const char *)next;
    number->digits = value;
    number->exponent = -(int32_t)(total - before);
    number->is_negative = digits != at;
    number->is_cut = 0;
    return 1;
}

/* What has an exponent, or many digits, or is no number. */
static FLSI_NOINLINE const uint8_t *scan_any(fls_json_parser *p, const uint8_t *at,
                                             flsi_number *number)
{
    if (!flsi_number_scan(number, (const char *)at, (const char *)p->end)) {
        return flsi_parse_unexpected(p, (const uint8_t *)number->end, "not a number");
    }
    const uint8_t *end = (const uint8_t *)number->end;
    if ((uint8_t)(*end - '0') <= 9) {
        return flsi_parse_fail(p, at, "a number that begins with a zero");
    }
    return end;
}

FLSI_ALWAYS_INLINE const uint8_t *real(fls_json_parser *p, const uint8_t *at, fls_type type,
                                       uint64_t *bits)
{
    flsi_number number;
    if (FLSI_UNLIKELY(!scan_plain(&number, at))) {
        size_t special = p->lenient ? find_special(p, at, type, bits) : 0;
        if (special != 0) {
            return at + special;
        }
        if (scan_any(p, at, &number) == NULL) {
            return NULL;
        }
    }
    int fits;
    if (type == FLS_TYPE_F64) {
        double value;
        fits = flsi_number_to_f64(&number, &value);
        memcpy(bits, &value, sizeof value);
    } else {
        float value;
        uint32_t bits32;
        fits = flsi_number_to_f32(&number, &value);
        memcpy(&bits32, &value, sizeof value);
        *bits = bits32;
    }
    if (FLSI_UNLIKELY(!fits)) {
        return flsi_parse_fail(p, at, ranges[type].reason);
    }
    return (const uint8_t *)number.end;
}

/* ---- names ---- */

/* The value of one name; lenient text may put the enum's before it. */
static const flsi_value *named(const fls_json_parser *p, uint32_t enumeration, const uint8_t *name,
                               size_t bytes)
{
    const flsi_value *value = flsi_parse_find_value(p, enumeration, name, bytes);
    if (value == NULL && p->lenient) {
        size_t start = bytes;
        while (start > 0 && name[start - 1] != '.') {
            start--;
        }
        value = flsi_parse_find_value(p, enumeration, name + start, bytes - start);
    }
    return value;
}

/* "Red", or of bit flags "Read Write". 0 when a name is not known. */
static int names_value(const fls_json_parser *p, uint32_t enumeration, const uint8_t *text,
                       size_t bytes, uint64_t *bits)
{
    const flsi_value *value = named(p, enumeration, text, bytes);
    if (value != NULL) {
        *bits = (uint64_t)value->value;
        return 1;
    }
    if (!p->schema->enumerations[enumeration].is_bit_flags && !p->lenient) {
        return 0;
    }
    *bits = 0;
    for (size_t start = 0; start < bytes;) {
        const uint8_t *space = memchr(text + start, ' ', bytes - start);
        size_t stop = space != NULL ? (size_t)(space - text) : bytes;
        value = named(p, enumeration, text + start, stop - start);
        if (value == NULL || stop + 1 == bytes) {
            return 0;
        }
        *bits |= (uint64_t)value->value;
        start = stop + 1;
    }
    return bytes > 0;
}

/* ---- everything else ---- */

/* A number, or true or false, in quotes: lenient text only. */
static const uint8_t *quoted(fls_json_parser *p, const uint8_t *at, fls_type type, uint64_t *bits)
{
    const uint8_t *next;
    if (type == FLS_TYPE_BOOL && memcmp(at + 1, "true\"", 5) == 0) {
        *bits = 1;
        return at + 6;
    }
    if (type == FLS_TYPE_BOOL && memcmp(at + 1, "false\"", 6) == 0) {
        *bits = 0;
        return at + 7;
    }
    next = flsi_is_float(type) ? real(p, at + 1, type, bits) : whole(p, at + 1, type, bits);
    if (next != NULL && *next != '"') {
        return flsi_parse_unexpected(p, next, "not only a number in quotes");
    }
    return next != NULL ? next + 1 : NULL;
}

static const uint8_t *string_scalar(fls_json_parser *p, const uint8_t *at, fls_type type,
                                    uint32_t enumeration, uint64_t *bits)
{
    const uint8_t *text;
    size_t bytes;
    const uint8_t *next = flsi_parse_string(p, at + 1, &text, &bytes);
    if (next == NULL) {
        return NULL;
    }
    if (flsi_is_float(type)) {
        size_t special = find_special(p, at + 1, type, bits);
        if (special != 0 && at[1 + special] == '"') {
            return next;
        }
    }
    if (enumeration != FLS_SCHEMA_NONE) {
        if (names_value(p, enumeration, text, bytes, bits)) {
            return next;
        }
        if (!p->lenient || !begins_number(at + 1)) {
            return flsi_parse_fail(p, at,
                                   p->schema->enumerations[enumeration].is_union
                                       ? "not a member of the union"
                                       : "not a name of its enum");
        }
    }
    if (p->lenient) {
        return quoted(p, at, type, bits);
    }
    return flsi_parse_fail(p, at,
                           flsi_is_float(type)     ? "not a number"
                           : type == FLS_TYPE_BOOL ? "neither true nor false"
                                                   : "not a whole number");
}

/* What neither a digit nor a minus begins, and booleans. */
static FLSI_NOINLINE const uint8_t *other_scalar(fls_json_parser *p, const uint8_t *at,
                                                 fls_type type, uint32_t enumeration,
                                                 uint64_t *bits)
{
    if (type == FLS_TYPE_BOOL) {
        uint32_t word = flsi_load_le32(at);
        if (word == UINT32_C(0x65757274)) { /* true */
            *bits = 1;
            return at + 4;
        }
        if (word == UINT32_C(0x736C6166) && at[4] == 'e') {
            *bits = 0;
            return at + 5;
        }
        if (begins_number(at) && (p->lenient || enumeration != FLS_SCHEMA_NONE)) {
            return whole(p, at, type, bits);
        }
    }
    if (*at == '"') {
        return string_scalar(p, at, type, enumeration, bits);
    }
    if (flsi_is_float(type)) {
        return real(p, at, type, bits);
    }
    return flsi_parse_unexpected(p, at,
                                 type == FLS_TYPE_BOOL ? "neither true nor false"
                                 : enumeration != FLS_SCHEMA_NONE
                                     ? "neither a name of its enum nor a whole number"
                                     : "not a whole number");
}

/* type is a constant, or any whole number's. */
FLSI_ALWAYS_INLINE const uint8_t *scalar(fls_json_parser *p, const uint8_t *at, fls_type type,
                                         uint32_t enumeration, uint64_t *bits)
{
    if (FLSI_UNLIKELY(!begins_number(at) || type == FLS_TYPE_BOOL)) {
        return other_scalar(p, at, type, enumeration, bits);
    }
    return flsi_is_float(type) ? real(p, at, type, bits) : whole(p, at, type, bits);
}

const uint8_t *flsi_parse_scalar(fls_json_parser *p, const uint8_t *at, fls_type type,
                                 uint32_t enumeration, uint64_t *bits)
{
    return scalar(p, at, type, enumeration, bits);
}

/* ---- vectors ---- */

FLSI_ALWAYS_INLINE void store_host(uint8_t *to, uint64_t bits, uint32_t width)
{
    uint8_t u8 = (uint8_t)bits;
    uint16_t u16 = (uint16_t)bits;
    uint32_t u32 = (uint32_t)bits;
    switch (width) {
    case 1: FLSI_COPY(to, &u8, 1); break;
    case 2: FLSI_COPY(to, &u16, 2); break;
    case 4: FLSI_COPY(to, &u32, 4); break;
    default: FLSI_COPY(to, &bits, 8); break;
    }
}

/* Elements of less than 8 digits with commas behind them, and at most one blank: what nearly all
 * whole numbers in vectors are. Stops at the first that is something else, and where there is no
 * more room. */
FLSI_ALWAYS_INLINE const uint8_t *plain_elements(fls_json_parser *p, const uint8_t *at,
                                                 fls_type type, uint32_t width, size_t *count)
{
    uint64_t most = ranges[type].most;
    uint64_t least = ranges[type].least;
    uint8_t *to = p->stack + p->used;
    for (size_t room = (p->stack_bytes - p->used) / 8; room > 0; room--) {
        unsigned is_negative = least != 0 && *at == '-';
        const uint8_t *digits = at + is_negative;
        uint64_t value;
        unsigned length = up_to_8_digits(digits, &value);
        if (length == 0 || digits[length] != ',' || (*digits == '0' && length > 1) ||
            value > (is_negative ? least : most)) {
            break;
        }
        store_host(to, is_negative ? 0 - value : value, width);
        to += width;
        *count += 1;
        at = digits + length + 1;
        at += *at == ' ';
    }
    p->used = (size_t)(to - p->stack);
    return at;
}

FLSI_ALWAYS_INLINE const uint8_t *elements(fls_json_parser *p, const uint8_t *at,
                                           const flsi_field *field, fls_type type, uint32_t width,
                                           size_t *count)
{
    flsi_parse_frame frame;
    int more;
    flsi_parse_enter(p, &frame);
    frame.name = NULL;
    do {
        uint64_t bits = 0;
        if (!flsi_parse_ensure(p, 8, at)) {
            return NULL;
        }
        if (!flsi_is_float(type) && type != FLS_TYPE_BOOL) {
            at = flsi_parse_space(plain_elements(p, at, type, width, &frame.number));
            if (!flsi_parse_ensure(p, 8, at)) {
                return NULL;
            }
            if (FLSI_UNLIKELY(*at == ']' && p->lenient)) { /* behind a comma */
                at++;
                more = 0;
                break;
            }
        }
        at = scalar(p, at, type, field->enumeration, &bits);
        if (FLSI_UNLIKELY(at == NULL)) {
            return NULL;
        }
        store_host(p->stack + p->used, bits, width);
        p->used += width;
        frame.number++;
        more = flsi_parse_more(p, &at, ']');
    } while (more > 0);
    *count = frame.number;
    flsi_parse_leave(p, &frame);
    return more < 0 ? NULL : at;
}

const uint8_t *flsi_parse_scalars(fls_json_parser *p, const uint8_t *at, const flsi_field *field,
                                  size_t *count)
{
    fls_type type = (fls_type)field->type;
    *count = 0;
    at = flsi_parse_space(at);
    if (*at == ']') {
        return at + 1;
    }
    switch (type) {
    case FLS_TYPE_U8: return elements(p, at, field, FLS_TYPE_U8, 1, count);
    case FLS_TYPE_F32: return elements(p, at, field, FLS_TYPE_F32, 4, count);
    case FLS_TYPE_F64: return elements(p, at, field, FLS_TYPE_F64, 8, count);
    case FLS_TYPE_U16: return elements(p, at, field, FLS_TYPE_U16, 2, count);
    default: return elements(p, at, field, type, field->element_bytes, count);
    }
}
