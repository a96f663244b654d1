/* The float nearest to a decimal.
 *
 * Daniel Lemire, "Number parsing at a gigabyte per second" (2021), after an idea of Michael Eisel:
 * the digits times 128 bits of the power of ten give 192 bits, which are too small by less than the
 * digits. That leaves no doubt about the nearest float unless they end just below the halfway point
 * between two. Only then are big numbers compared. Nothing is added or divided as a float, not even
 * for short numbers: that would depend on the rounding mode.
 */
#include "flatbuf/decimal_private.h"

/* What a binary float of a width is made of. */
typedef struct format {
    int fraction_bits; /* without the hidden one */
    int least;         /* exponent of the normal ones */
    int most;
} format;

static const format format64 = {52, -1022, 1023};
static const format format32 = {23, -126, 127};

/* Where a decimal lies: its float, rounded towards zero, as bits without a sign, and what to make
 * of the rest. */
typedef enum rest { REST_BELOW_HALF, REST_HALF, REST_ABOVE_HALF, REST_UNKNOWN } rest;

typedef struct place {
    uint64_t bits;
    rest rest;
} place;

FLSI_ALWAYS_INLINE uint64_t infinity_of(const format *f)
{
    return (uint64_t)(f->most - f->least + 2) << f->fraction_bits;
}

/* Below half the least float, and above all of them: 64 bits of digits cannot make up for it. */
FLSI_ALWAYS_INLINE int is_tiny(const format *f, int exponent)
{
    return exponent < (f->fraction_bits == 52 ? -342 : -65);
}

FLSI_ALWAYS_INLINE int is_huge(const format *f, int exponent)
{
    return exponent > (f->fraction_bits == 52 ? 308 : 38);
}

/* Where digits * 10^exponent lies. digits is not 0. */
FLSI_ALWAYS_INLINE place find(const format *f, uint64_t digits, int exponent)
{
    if (is_tiny(f, exponent)) {
        return (place){0, REST_BELOW_HALF};
    }
    if (is_huge(f, exponent)) {
        return (place){infinity_of(f), REST_BELOW_HALF};
    }
    flsi_power power = flsi_powers[exponent - FLSI_LEAST_POWER];
    int zeros = __builtin_clzll(digits);
    digits <<= zeros;
    flsi_power low = flsi_multiply(digits, power.low);
    flsi_power high = flsi_multiply(digits, power.high);
    uint64_t middle = high.low + low.high;
    uint64_t top = high.high + (middle < low.high);

    int carry = (int)(top >> 63);
    int binary =
        flsi_log2_of_power10(exponent) + 63 - zeros + carry; /* exponent of the first bit */
    int is_subnormal = binary < f->least;
    int kept = f->fraction_bits + 1 - (is_subnormal ? f->least - binary : 0);
    int cut = 63 + carry - kept; /* of top's bits */
    if (binary > f->most) {
        return (place){infinity_of(f), REST_BELOW_HALF};
    }
    if (cut > 64) {
        return (place){0, REST_BELOW_HALF};
    }
    place found;
    uint64_t below = cut == 64 ? top : top & (((uint64_t)1 << cut) - 1);
    uint64_t half = (uint64_t)1 << (cut - 1);
    found.bits = cut == 64 ? 0 : top >> cut;
    if (!is_subnormal) {
        found.bits += (uint64_t)(binary - f->least) << f->fraction_bits;
    }
    if (flsi_power_is_exact(exponent)) {
        uint64_t more = middle | low.low;
        found.rest = below < half                   ? REST_BELOW_HALF
                     : (below == half && more == 0) ? REST_HALF
                                                    : REST_ABOVE_HALF;
    } else if (below >= half) {
        found.rest = REST_ABOVE_HALF; /* and not the half: the product is too small */
    } else if (below == half - 1 && middle == UINT64_MAX && low.low + digits < digits) {
        found.rest = REST_UNKNOWN;
    } else {
        found.rest = REST_BELOW_HALF;
    }
    return found;
}

/* Halves go to the even one. */
FLSI_ALWAYS_INLINE uint64_t rounded(place found)
{
    return found.bits +
           (found.rest == REST_ABOVE_HALF || (found.rest == REST_HALF && (found.bits & 1) != 0));
}

/* ---- big numbers ---- */

/* 4096 bits: more than 801 digits, or a fraction of 54 bits times 5^1143, have. */
#define BIG_WORDS   128u
#define MOST_DIGITS 800u /* halfway points have at most 768 */

typedef struct big {
    uint32_t count;
    uint32_t words[BIG_WORDS]; /* the lowest first; the last is not 0 */
} big;

static void big_multiply_add(big *number, uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;
    for (uint32_t i = 0; i < number->count; i++) {
        carry += (uint64_t)number->words[i] * factor;
        number->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0 && number->count < BIG_WORDS) {
        number->words[number->count++] = (uint32_t)carry;
    }
}

static void big_multiply_power5(big *number, uint32_t exponent)
{
    for (; exponent >= 13; exponent -= 13) {
        big_multiply_add(number, 1220703125, 0);
    }
    for (; exponent != 0; exponent--) {
        big_multiply_add(number, 5, 0);
    }
}

static void big_shift(big *number, uint32_t bits)
{
    for (; bits >= 31; bits -= 31) {
        big_multiply_add(number, (uint32_t)1 << 31, 0);
    }
    big_multiply_add(number, (uint32_t)1 << bits, 0);
}

static int big_compare(const big *a, const big *b)
{
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (uint32_t i = a->count; i-- != 0;) {
        if (a->words[i] != b->words[i]) {
            return a->words[i] < b->words[i] ? -1 : 1;
        }
    }
    return 0;
}

/* All digits of a number, and the exponent of the last. Of more than MOST_DIGITS the rest becomes
 * one digit that is 0 only if they all are: no halfway point lies there. */
static int32_t big_digits(big *value, const flsi_number *number)
{
    uint32_t count = 0;
    int others = 0;
    int32_t exponent = number->exponent + (number->is_cut ? 19 : 0);
    value->count = 0;
    for (const char *at = number->text + number->is_negative; at != number->end; at++) {
        if (*at == '.') {
            continue;
        }
        if (*at == 'e' || *at == 'E') {
            break;
        }
        if (count < MOST_DIGITS) {
            big_multiply_add(value, 10, (uint32_t)(*at - '0'));
            count += value->count != 0;
        } else {
            others |= *at != '0';
        }
    }
    if (number->is_cut) {
        exponent -= (int32_t)count;
    }
    big_multiply_add(value, 10, (uint32_t)others);
    return exponent - 1;
}

/* Compares the number with the point halfway between the float and the next. */
static rest compare_with_half(const format *f, const flsi_number *number, uint64_t bits)
{
    uint64_t hidden = (uint64_t)1 << f->fraction_bits;
    uint64_t fraction = bits & (hidden - 1);
    int biased = (int)(bits >> f->fraction_bits);
    fraction |= biased == 0 ? 0 : hidden;
    int binary = (biased == 0 ? 1 : biased) - 1 + f->least - f->fraction_bits - 1;

    big value;
    big half;
    int32_t decimal = big_digits(&value, number);
    half.count = 2;
    half.words[0] = (uint32_t)(2 * fraction + 1);
    half.words[1] = (uint32_t)((2 * fraction + 1) >> 32);
    half.count -= half.words[1] == 0;
    /* value * 10^decimal with half * 2^binary: as whole numbers, without common twos */
    big_multiply_power5(decimal < 0 ? &half : &value, (uint32_t)(decimal < 0 ? -decimal : decimal));
    int shift = decimal - binary;
    big_shift(shift < 0 ? &half : &value, (uint32_t)(shift < 0 ? -shift : shift));
    int order = big_compare(&value, &half);
    return order < 0 ? REST_BELOW_HALF : order == 0 ? REST_HALF : REST_ABOVE_HALF;
}

/* The nearest float's bits, without a sign. */
FLSI_ALWAYS_INLINE uint64_t nearest(const format *f, const flsi_number *number)
{
    if (number->digits == 0) {
        return 0;
    }
    place found = find(f, number->digits, number->exponent);
    if (FLSI_UNLIKELY(number->is_cut)) {
        /* Between this and the next. */
        place next = find(f, number->digits + 1, number->exponent);
        if (found.rest == REST_UNKNOWN || next.rest == REST_UNKNOWN ||
            rounded(found) != rounded(next)) {
            found.rest = compare_with_half(f, number, found.bits);
        }
    } else if (FLSI_UNLIKELY(found.rest == REST_UNKNOWN)) {
        found.rest = compare_with_half(f, number, found.bits);
    }
    return rounded(found);
}

int flsi_number_to_f64(const flsi_number *number, double *value)
{
    uint64_t bits = nearest(&format64, number);
    uint64_t sign = (uint64_t)number->is_negative << 63;
    int is_finite = bits < infinity_of(&format64);
    bits |= sign;
    memcpy(value, &bits, sizeof *value);
    return is_finite;
}

int flsi_number_to_f32(const flsi_number *number, float *value)
{
    uint32_t bits = (uint32_t)nearest(&format32, number);
    uint32_t sign = (uint32_t)number->is_negative << 31;
    int is_finite = bits < infinity_of(&format32);
    bits |= sign;
    memcpy(value, &bits, sizeof *value);
    return is_finite;
}
