/* Numbers in a text: the grammar of JSON, and whole numbers.
 *
 *   number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ("e" / "E") [ "+" / "-" ] 1*digit
 * ]
 */
#include "flatbuf/characters.h"
#include "flatbuf/decimal.h"

#define DIGITS_KEPT 19u /* 10^19 - 1 fits 64 bits */

/* An exponent so large is beyond any float, whatever the digits that can stand before it. Sums of
 * two of them fit 64 bits. */
#define LARGE_EXPONENT ((int64_t)1 << 60)

/* Whether eight bytes are all digits, and their value. Sums and products of neighbours are taken
 * side by side: of digits, of pairs, of fours. */
FLSI_ALWAYS_INLINE int are_eight_digits(uint64_t bytes)
{
    return (((bytes + 0x4646464646464646u) | (bytes - 0x3030303030303030u)) &
            0x8080808080808080u) == 0;
}

FLSI_ALWAYS_INLINE uint64_t value_of_eight(uint64_t bytes)
{
    bytes -= 0x3030303030303030u;
    bytes = bytes * 10 + (bytes >> 8);
    uint64_t odd = (bytes & 0x000000FF000000FFu) * (100 + (1000000ull << 32));
    uint64_t even = ((bytes >> 16) & 0x000000FF000000FFu) * (1 + (10000ull << 32));
    return (odd + even) >> 32;
}

/* Adds the digits at `at` to *value, which wraps when there are too many. */
FLSI_ALWAYS_INLINE const char *take_digits(const char *at, const char *end, uint64_t *value)
{
    uint64_t sum = *value;
    while (end - at >= 8) {
        uint64_t bytes = flsi_load_le64(at);
        if (!are_eight_digits(bytes)) {
            break;
        }
        sum = sum * 100000000 + value_of_eight(bytes);
        at += 8;
    }
    while (at != end && flsi_is_digit(*at)) {
        sum = sum * 10 + (uint64_t)(*at - '0');
        at++;
    }
    *value = sum;
    return at;
}

/* The digits of the exponent. */
static const char *take_exponent(const char *at, const char *end, int64_t *exponent)
{
    int64_t value = 0;
    int is_negative = 0;
    if (at != end && (*at == '+' || *at == '-')) {
        is_negative = *at == '-';
        at++;
    }
    if (at == end || !flsi_is_digit(*at)) {
        *exponent = 0;
        return at;
    }
    for (; at != end && flsi_is_digit(*at); at++) {
        if (value < LARGE_EXPONENT / 10) {
            value = value * 10 + (*at - '0');
        } else {
            value = LARGE_EXPONENT;
        }
    }
    *exponent = is_negative ? -value : value;
    return at;
}

/* Takes the first digits only: there are more than fit. The point may stand anywhere among them, or
 * behind. Returns how many digits were left out, less those behind the point. */
static int64_t keep_first_digits(flsi_number *number, const char *at, const char *end)
{
    int64_t exponent = 0;
    uint32_t count = 0;
    int behind_point = 0;
    number->digits = 0;
    for (; at != end; at++) {
        if (*at == '.') {
            behind_point = 1;
            continue;
        }
        if (count < DIGITS_KEPT) {
            number->digits = number->digits * 10 + (uint64_t)(*at - '0');
            count += number->digits != 0;
            exponent -= behind_point;
        } else {
            exponent += !behind_point;
        }
    }
    number->is_cut = 1;
    return exponent;
}

static int fail_at(flsi_number *number, const char *at)
{
    number->end = at;
    return 0;
}

int flsi_number_scan(flsi_number *number, const char *text, const char *end)
{
    const char *at = text;
    memset(number, 0, sizeof *number);
    number->text = text;
    number->is_whole = 1;
    if (at != end && *at == '-') {
        number->is_negative = 1;
        at++;
    }
    const char *first = at;
    if (at == end || !flsi_is_digit(*at)) {
        return fail_at(number, at);
    }
    if (*at == '0') {
        at++; /* no other digit may follow; a caller sees it as what stands behind the number */
    } else {
        at = take_digits(at, end, &number->digits);
    }
    int64_t exponent = 0;
    int64_t explicit_exponent = 0;
    const char *point = at;
    const char *digits_end = at;
    if (at != end && *at == '.') {
        number->is_whole = 0;
        digits_end = take_digits(at + 1, end, &number->digits);
        if (digits_end == at + 1) {
            return fail_at(number, digits_end);
        }
        at = digits_end;
        exponent = -(at - point - 1);
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        number->is_whole = 0;
        at = take_exponent(at + 1, end, &explicit_exponent);
        if (!flsi_is_digit(at[-1])) {
            return fail_at(number, at);
        }
    }
    number->end = at;
    if (FLSI_UNLIKELY(digits_end - first > (ptrdiff_t)DIGITS_KEPT)) {
        const char *leading = first;
        while (leading != digits_end && (*leading == '0' || *leading == '.')) {
            leading++;
        }
        ptrdiff_t count = digits_end - leading - (leading <= point && point < digits_end);
        if (count > (ptrdiff_t)DIGITS_KEPT) {
            exponent = keep_first_digits(number, first, digits_end);
        }
    }
    exponent += explicit_exponent;
    const int64_t limit = 1000000;
    number->exponent = (int32_t)(exponent > limit ? limit : exponent < -limit ? -limit : exponent);
    return 1;
}

/* ---- whole numbers ---- */

/* Takes the digits behind the first 19, as long as they are whole; the others have to be zeros. */
static int take_rest(const flsi_number *number, uint64_t *digits, int32_t *exponent)
{
    uint32_t seen = 0;
    for (const char *at = number->text + number->is_negative; at != number->end; at++) {
        if (*at == '.') {
            continue;
        }
        if (!flsi_is_digit(*at)) {
            break;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        if (seen < DIGITS_KEPT) {
            seen += seen != 0 || digit != 0;
        } else if (*exponent > 0) {
            if (*digits > (UINT64_MAX - digit) / 10) {
                return 0;
            }
            *digits = *digits * 10 + digit;
            *exponent -= 1;
        } else if (digit != 0) {
            return 0;
        }
    }
    return 1;
}

/* The number without its sign, when it is whole and below 2^64. */
static int magnitude(const flsi_number *number, uint64_t *value)
{
    uint64_t digits = number->digits;
    int32_t exponent = number->exponent;
    if (number->is_cut && !take_rest(number, &digits, &exponent)) {
        return 0;
    }
    for (; exponent < 0 && digits != 0; exponent++) {
        if (digits % 10 != 0) {
            return 0;
        }
        digits /= 10;
    }
    for (; exponent > 0 && digits != 0; exponent--) {
        if (digits > UINT64_MAX / 10) {
            return 0;
        }
        digits *= 10;
    }
    *value = digits;
    return 1;
}

int flsi_number_to_u64(const flsi_number *number, uint64_t *value)
{
    return magnitude(number, value) && (!number->is_negative || *value == 0);
}

int flsi_number_to_i64(const flsi_number *number, int64_t *value)
{
    uint64_t size;
    if (!magnitude(number, &size) || size > (uint64_t)INT64_MAX + number->is_negative) {
        return 0;
    }
    *value = number->is_negative ? (int64_t)(0 - size) : (int64_t)size;
    return 1;
}
